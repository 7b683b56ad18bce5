// The plain statement of `warpAffine`, which its kernel is tested against.

import type { Tensor } from '../tensor/index.ts';
import type { RgbImage } from './image.ts';
import { samplesPerAxis, type WarpOptions } from './warp.ts';

/** As `warpAffine`. */
export function referenceWarp(image: RgbImage, options: WarpOptions): Tensor<'C H W'> {
  const { width, height, sourceFromTarget, border = 'nearest', range = [-1, 1] } = options;
  const [black, white] = range;
  const [a, b, c, d, e, f] = sourceFromTarget;
  const samples = samplesPerAxis(sourceFromTarget);
  const scale = (white - black) / (255 * samples * samples);
  const plane = width * height;
  const data = new Float32Array(3 * plane).fill(black);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let s = 0; s < samples * samples; s++) {
        const xTarget = x + ((s % samples) + 0.5) / samples;
        const yTarget = y + (Math.floor(s / samples) + 0.5) / samples;
        const u = a * xTarget + b * yTarget + c - 0.5;
        const v = d * xTarget + e * yTarget + f - 0.5;
        const isInside = u > -0.5 && v > -0.5 && u < image.width - 0.5 && v < image.height - 0.5;
        if (border === 'black' && !isInside) continue;
        for (let k = 0; k < 3; k++) data[k * plane + y * width + x]! += scale * sampleAt(image, u, v, k);
      }
    }
  }
  return { dtype: 'float32', shape: [3, height, width], data };
}

/** The bilinear sample of a channel at (x, y), in units of pixel indices; clamped at the border. */
function sampleAt({ width, height, data }: RgbImage, x: number, y: number, channel: number): number {
  const [u, v] = [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
  const at = (column: number, row: number): number => data[3 * (row * width + column) + channel]!;
  const upper = at(left, top) + (u - left) * (at(right, top) - at(left, top));
  const lower = at(left, bottom) + (u - left) * (at(right, bottom) - at(left, bottom));
  return upper + (v - top) * (lower - upper);
}
