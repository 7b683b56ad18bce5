// A patch as other cameras, codecs and days would show it.

import { createRandom, type Random } from '../../src/tensor/index.ts';
import { FACE_PATCH_SIZE as SIZE } from '../../src/tracking/face-patch.ts';

/** Noise of unit deviation: drawn once, since so much of it is wanted. */
const GRAIN = createRandom(1).fillNormal(new Float32Array(65_521));

/** Moved, turned and scaled a little, blurred or with noise, of another contrast and light, in part covered. */
export function worsenedPatch(patch: Uint8Array, random: Random): Float32Array {
  const scale = 1 + 0.04 * random.normal();
  const turn = 0.04 * random.normal();
  const cosine = scale * Math.cos(turn);
  const sine = scale * Math.sin(turn);
  const half = (SIZE - 1) / 2;
  const shiftX = half + 1.5 * random.normal();
  const shiftY = half + 1.5 * random.normal();
  const blur = random.uniform() < 0.4 ? random.uniform(0.3, 2) : 0;
  const noise = random.uniform() < 0.5 ? random.uniform(0, 10) : 0;
  const firstGrain = Math.floor(random.uniform(0, GRAIN.length - SIZE * SIZE));
  const slope = (): number => (random.uniform() < 0.5 ? (0.25 * random.normal()) / half : 0);
  const lightX = slope();
  const lightY = slope();
  const developed = gammaCurve(Math.exp(0.25 * random.normal()));
  const out = new Float32Array(SIZE * SIZE);
  for (let y = 0; y < SIZE; y++) {
    const v = y - half;
    for (let x = 0; x < SIZE; x++) {
      const u = x - half;
      const sourceX = cosine * u - sine * v + shiftX;
      const sourceY = sine * u + cosine * v + shiftY;
      const grey = blur === 0 ? sample(patch, sourceX, sourceY) : sampleAround(patch, sourceX, sourceY, blur);
      const light = Math.max(0, 1 + lightX * u + lightY * v);
      const at = y * SIZE + x;
      out[at] = light * developed[grey | 0]! + noise * GRAIN[firstGrain + at]!;
    }
  }
  while (random.uniform() < 0.25) cover(out, random);
  return out;
}

/** Grey levels of another gamma, `256`. */
function gammaCurve(gamma: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, grey) => 255 * (grey / 255) ** gamma);
}

/** The mean of four samples, `reach` pixels away along both axes. */
function sampleAround(patch: Uint8Array, x: number, y: number, reach: number): number {
  const above = sample(patch, x - reach, y - reach) + sample(patch, x + reach, y - reach);
  const below = sample(patch, x - reach, y + reach) + sample(patch, x + reach, y + reach);
  return (above + below) / 4;
}

/** Hides a rectangle: hair, a hand, a microphone. */
function cover(patch: Float32Array, random: Random): void {
  const [width, height] = [random.uniform(8, 40), random.uniform(8, 40)].map(Math.round) as [number, number];
  const left = Math.floor(random.uniform(0, SIZE - width));
  const top = Math.floor(random.uniform(0, SIZE - height));
  const grey = random.uniform(0, 255);
  for (let y = top; y < top + height; y++) patch.fill(grey, y * SIZE + left, y * SIZE + left + width);
}

/** Bilinear, clamped at the border. */
function sample(patch: Uint8Array, x: number, y: number): number {
  const clampedX = Math.min(SIZE - 1.001, Math.max(0, x));
  const clampedY = Math.min(SIZE - 1.001, Math.max(0, y));
  const left = clampedX | 0;
  const shareX = clampedX - left;
  const at = (clampedY | 0) * SIZE + left;
  const top = patch[at]! + shareX * (patch[at + 1]! - patch[at]!);
  const bottom = patch[at + SIZE]! + shareX * (patch[at + SIZE + 1]! - patch[at + SIZE]!);
  return top + (clampedY - (clampedY | 0)) * (bottom - top);
}
