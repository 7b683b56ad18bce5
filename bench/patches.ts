// Milliseconds of processor time of a part of a 512 x 512 picture, resampled to 192 x 192: by the plain statement
// (`referenceWarp`), by its kernel (`warpAffine`), and grey at once (`warpGrey`), turn by turn in one run.
//
//   npx tsx bench/patches.ts

import { type AffineMap, type RgbImage, warpAffine, warpGrey } from '../src/media/index.ts';
import { referenceWarp } from '../src/media/reference-warp.ts';
import { createRandom } from '../src/tensor/index.ts';

const [PICTURE, PATCH] = [512, 192];
const WARM_UP = 10;
const RUNS = 60;
/** So many at a time: the clock is coarse. */
const REPEATS = 3;

const random = createRandom(1);
const data = Uint8Array.from({ length: 3 * PICTURE * PICTURE }, () => random.integer(256));
const image: RgbImage = { width: PICTURE, height: PICTURE, data };
for (const shrink of [0.7, 1.4, 2.1]) {
  const sourceFromTarget: AffineMap = [shrink, 0.1, 20, -0.1, shrink, 20];
  const size = { sourceFromTarget, width: PATCH, height: PATCH };
  const works = {
    plain: () => referenceWarp(image, size),
    kernel: () => warpAffine(image, size),
    grey: () => warpGrey(image, size),
  };
  const milliseconds: Record<string, number> = {};
  for (let run = 0; run < WARM_UP + RUNS; run++) {
    for (const [name, work] of Object.entries(works)) {
      const spent = processorTime(work);
      if (run >= WARM_UP) milliseconds[name] = (milliseconds[name] ?? 0) + spent / RUNS;
    }
  }
  const rounded = Object.entries(milliseconds).map(([name, value]) => [name, Number(value.toFixed(2))]);
  console.log(JSON.stringify({ bench: 'patches', shrink, milliseconds: Object.fromEntries(rounded) }));
}

function processorTime(work: () => void): number {
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < REPEATS; i++) work();
  const after = process.cpuUsage();
  return (after.user + after.system - user - system) / 1000 / REPEATS;
}
