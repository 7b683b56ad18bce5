// The plain statement of the compression kernel: chroma at half size, cosine transforms of 8 x 8 blocks, rounded coefficients.

import { COSINES, type CompressionSteps } from '../kernels/index.ts';
import type { RgbImage } from '../media/index.ts';

/** A picture as it comes back from a JPEG, changed in place. */
export function referenceCompression({ width, height, data }: RgbImage, steps: CompressionSteps): void {
  const [halfWidth, halfHeight] = [(width + 1) >> 1, (height + 1) >> 1];
  const luma = new Float32Array(width * height);
  const blue = new Float32Array(halfWidth * halfHeight);
  const red = new Float32Array(halfWidth * halfHeight);
  const counts = new Uint8Array(halfWidth * halfHeight);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const [r, g, b] = [data[3 * at]!, data[3 * at + 1]!, data[3 * at + 2]!];
      const bright = 0.299 * r + 0.587 * g + 0.114 * b;
      luma[at] = bright - 128;
      const half = (y >> 1) * halfWidth + (x >> 1);
      blue[half]! += 0.564 * (b - bright);
      red[half]! += 0.713 * (r - bright);
      counts[half]!++;
    }
  }
  for (let i = 0; i < counts.length; i++) {
    blue[i]! /= counts[i]!;
    red[i]! /= counts[i]!;
  }
  quantise(luma, width, height, steps.luma);
  quantise(blue, halfWidth, halfHeight, steps.chroma);
  quantise(red, halfWidth, halfHeight, steps.chroma);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const half = (y >> 1) * halfWidth + (x >> 1);
      const bright = luma[at]! + 128;
      data[3 * at] = toByte(bright + 1.402 * red[half]!);
      data[3 * at + 1] = toByte(bright - 0.344 * blue[half]! - 0.714 * red[half]!);
      data[3 * at + 2] = toByte(bright + 1.772 * blue[half]!);
    }
  }
}

const toByte = (value: number): number => Math.min(255, Math.max(0, Math.round(value)));

/** Rounds the cosine coefficients of a plane, block by block; blocks repeat the plane's border beyond it. */
function quantise(plane: Float32Array, width: number, height: number, steps: Float32Array): void {
  const block = new Float32Array(64);
  const half = new Float32Array(64);
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      for (let i = 0; i < 64; i++) {
        const [x, y] = [Math.min(width - 1, left + (i & 7)), Math.min(height - 1, top + (i >> 3))];
        block[i] = plane[y * width + x]!;
      }
      forward(block, half);
      forward(half, block);
      for (let i = 0; i < 64; i++) block[i] = Math.round(block[i]! / steps[i]!) * steps[i]!;
      inverse(block, half);
      inverse(half, block);
      for (let y = top; y < Math.min(height, top + 8); y++) {
        for (let x = left; x < Math.min(width, left + 8); x++) {
          plane[y * width + x] = block[8 * (y - top) + x - left]!;
        }
      }
    }
  }
}

/**
 * Transforms the rows of a block, and turns it over: twice is rows and columns. Even coefficients are of the sums of samples
 * that mirror each other, odd ones of their differences.
 */
function forward(from: Float32Array, to: Float32Array): void {
  for (let row = 0; row < 8; row++) {
    const at = 8 * row;
    for (let k = 0; k < 8; k++) {
      const sign = k % 2 === 0 ? 1 : -1;
      const c = 8 * k;
      to[c + row] =
        COSINES[c]! * (from[at]! + sign * from[at + 7]!) +
        COSINES[c + 1]! * (from[at + 1]! + sign * from[at + 6]!) +
        COSINES[c + 2]! * (from[at + 2]! + sign * from[at + 5]!) +
        COSINES[c + 3]! * (from[at + 3]! + sign * from[at + 4]!);
    }
  }
}

function inverse(from: Float32Array, to: Float32Array): void {
  for (let row = 0; row < 8; row++) {
    const at = 8 * row;
    for (let x = 0; x < 4; x++) {
      let [even, odd] = [0, 0];
      for (let k = 0; k < 8; k += 2) {
        even += COSINES[8 * k + x]! * from[at + k]!;
        odd += COSINES[8 * k + 8 + x]! * from[at + k + 1]!;
      }
      to[8 * x + row] = even + odd;
      to[8 * (7 - x) + row] = even - odd;
    }
  }
}
