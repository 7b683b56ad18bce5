// Milliseconds of processor time of a face patch, 112 x 112, resampled from a 512 x 512 picture: three colours that
// become grey (`warpAffine`), and grey at once (`warpGrey`), turn by turn in one run.
//
//   npx tsx bench/patches.ts

import { type AffineMap, type RgbImage, warpAffine, warpGrey } from '../src/media/index.ts';
import { createRandom } from '../src/tensor/index.ts';

const [PICTURE, PATCH] = [512, 112];
const WARM_UP = 25;
const RUNS = 150;
/** So many at a time: the clock is coarse. */
const REPEATS = 3;

const random = createRandom(1);
const data = Uint8Array.from({ length: 3 * PICTURE * PICTURE }, () => random.integer(256));
const image: RgbImage = { width: PICTURE, height: PICTURE, data };
for (const shrink of [1.2, 2.3, 3.6]) {
  const sourceFromTarget: AffineMap = [shrink, 0.1, 20, -0.1, shrink, 20];
  const size = { sourceFromTarget, width: PATCH, height: PATCH };
  const totals = { colours: 0, grey: 0 };
  for (let run = 0; run < WARM_UP + RUNS; run++) {
    const colours = milliseconds(() => warpAffine(image, size));
    const grey = milliseconds(() => warpGrey(image, size));
    if (run < WARM_UP) continue;
    totals.colours += colours / RUNS;
    totals.grey += grey / RUNS;
  }
  const round = (value: number): number => Number(value.toFixed(2));
  const result = { shrink, coloursMs: round(totals.colours), greyMs: round(totals.grey) };
  console.log(JSON.stringify({ bench: 'patches', ...result }));
}

function milliseconds(work: () => void): number {
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < REPEATS; i++) work();
  const after = process.cpuUsage();
  return (after.user + after.system - user - system) / 1000 / REPEATS;
}
