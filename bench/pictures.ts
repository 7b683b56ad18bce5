// Milliseconds of processor time of what every frame of a clip and every rendered picture goes through, by plain statements
// and by their kernels, turn by turn in one run: a frame of 720 x 1280 from its planes to RGB; a part of a 512 x 512 picture resampled
// to 192 x 192 (`warpAffine`; `warpGrey` makes it grey at once); openness to light of 512 x 512 depths, and light of 256 x 256
// developed and through a JPEG.
//
//   npx tsx bench/pictures.ts

import { createCompressionKernel, createLensKernel, createOpennessKernel } from '../src/kernels/index.ts';
import {
  type AffineMap,
  imageFromYuv,
  type RgbImage,
  referenceImageFromYuv,
  warpAffine,
  warpGrey,
} from '../src/media/index.ts';
import { referenceWarp } from '../src/media/reference-warp.ts';
import { compressionSteps } from '../src/synthesis/compression.ts';
import { developmentOf, sampleLens } from '../src/synthesis/lens.ts';
import { opennessInput } from '../src/synthesis/openness.ts';
import { referenceCompression } from '../src/synthesis/reference-compression.ts';
import { referenceDevelopment } from '../src/synthesis/reference-lens.ts';
import { referenceOpenness } from '../src/synthesis/reference-openness.ts';
import { createRandom } from '../src/tensor/index.ts';

const WARM_UP = 10;
const RUNS = 60;
/** So many at a time: the clock is coarse. */
const REPEATS = 3;

const random = createRandom(1);
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.integer(256));

const [width, height] = [720, 1280];
const area = width * height;
const planes = noise(1.5 * area);
const frame = {
  width,
  height,
  colour: { matrix: 'bt709', isFullRange: false },
  layout: {
    y: { offset: 0, stride: width, step: 1 },
    u: { offset: area, stride: width / 2, step: 1 },
    v: { offset: 1.25 * area, stride: width / 2, step: 1 },
    chromaShiftX: 1,
    chromaShiftY: 1,
  },
} as const;
report('colours', {
  plain: () => referenceImageFromYuv(planes, frame),
  kernel: () => imageFromYuv(planes, frame),
});

const [PICTURE, PATCH] = [512, 192];
const image: RgbImage = { width: PICTURE, height: PICTURE, data: noise(3 * PICTURE * PICTURE) };
for (const shrink of [0.7, 1.4, 2.1]) {
  const sourceFromTarget: AffineMap = [shrink, 0.1, 20, -0.1, shrink, 20];
  const options = { sourceFromTarget, width: PATCH, height: PATCH };
  report(`resampling, shrunk ${shrink} times`, {
    plain: () => referenceWarp(image, options),
    kernel: () => warpAffine(image, options),
    grey: () => warpGrey(image, options),
  });
}

const sphere = Float32Array.from({ length: PICTURE ** 2 }, (_, i) => {
  const [x, y] = [(i % PICTURE) / PICTURE - 0.5, Math.floor(i / PICTURE) / PICTURE - 0.5];
  const rest = 0.16 - x * x - y * y;
  return rest < 0 ? Infinity : 1 - 0.3 * Math.sqrt(rest) + 0.002 * random.uniform();
});
const depths = opennessInput({ width: PICTURE, height: PICTURE, depths: sphere }, 1200);
const openness = createOpennessKernel();
report('openness', { plain: () => referenceOpenness(depths), kernel: () => openness(depths) });

const SMALL = 256;
const light = Float32Array.from({ length: 3 * SMALL ** 2 }, () => random.uniform());
const lens = { ...sampleLens(random), softness: 0.6 };
const development = developmentOf(light, { width: SMALL, height: SMALL }, lens, 1);
const develop = createLensKernel();
report('development', {
  plain: () => referenceDevelopment(development),
  kernel: () => develop(development),
});

const picture = { width: SMALL, height: SMALL, data: noise(3 * SMALL ** 2) };
const steps = compressionSteps(70);
const compress = createCompressionKernel();
report('a JPEG', {
  plain: () => referenceCompression(picture, steps),
  kernel: () => compress(picture, steps),
});

function report(what: string, works: Readonly<Record<string, () => void>>): void {
  const milliseconds: Record<string, number> = {};
  for (let run = 0; run < WARM_UP + RUNS; run++) {
    for (const [name, work] of Object.entries(works)) {
      const spent = processorTime(work);
      if (run >= WARM_UP) milliseconds[name] = (milliseconds[name] ?? 0) + spent / RUNS;
    }
  }
  const rounded = Object.entries(milliseconds).map(([name, value]) => [name, Number(value.toFixed(2))]);
  console.log(JSON.stringify({ bench: 'pictures', what, milliseconds: Object.fromEntries(rounded) }));
}

function processorTime(work: () => void): number {
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < REPEATS; i++) work();
  const after = process.cpuUsage();
  return (after.user + after.system - user - system) / 1000 / REPEATS;
}
