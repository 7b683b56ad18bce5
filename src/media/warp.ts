// Resamples a part of a picture under an affine map: crops, scales and turns it in one pass, into the planar
// floats that networks take. Bilinear; where the map shrinks, several samples a pixel are averaged.

import type { Tensor } from '../tensor/index.ts';
import type { RgbImage } from './image.ts';

/**
 * Maps target pixels to source pixels, both with pixel centres at +0.5:
 * `xSource = a xTarget + b yTarget + c`, `ySource = d xTarget + e yTarget + f`.
 */
export type AffineMap = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** What `warpAffine` makes of a picture. */
export type WarpOptions = {
  readonly sourceFromTarget: AffineMap;
  readonly width: number;
  readonly height: number;
  /** The values of black and white in the result; the default is [-1, 1]. */
  readonly range?: readonly [black: number, white: number];
  /** Beyond the border: the nearest pixel (the default), or black. */
  readonly border?: 'nearest' | 'black';
};

/** More samples than this along one axis of a pixel cost more than they show. */
const MAX_SAMPLES = 4;

/** How many samples along each axis of a target pixel keep fine detail from flickering. */
export function samplesPerAxis([a, b, , d, e]: AffineMap): number {
  const shrink = Math.sqrt(Math.abs(a * e - b * d));
  return Math.min(MAX_SAMPLES, Math.max(1, Math.round(shrink / 1.25)));
}

/** Resamples `image` to planar float RGB, `3 H W`. */
export function warpAffine(image: RgbImage, options: WarpOptions): Tensor<'C H W'> {
  const { width, height, sourceFromTarget, border = 'nearest' } = options;
  const [black, white] = options.range ?? [-1, 1];
  const [a, b, c, d, e, f] = sourceFromTarget;
  const samples = samplesPerAxis(sourceFromTarget);
  const scale = (white - black) / (255 * samples * samples);
  const plane = width * height;
  const data = new Float32Array(3 * plane);
  const sum = new Float64Array(3);
  const sample = border === 'nearest' ? sampleNearest : sampleBlack;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sum[0] = 0;
      sum[1] = 0;
      sum[2] = 0;
      for (let j = 0; j < samples; j++) {
        const yTarget = y + (j + 0.5) / samples;
        for (let i = 0; i < samples; i++) {
          const xTarget = x + (i + 0.5) / samples;
          sample(image, a * xTarget + b * yTarget + c - 0.5, d * xTarget + e * yTarget + f - 0.5, sum);
        }
      }
      const at = y * width + x;
      data[at] = black + scale * sum[0]!;
      data[at + plane] = black + scale * sum[1]!;
      data[at + 2 * plane] = black + scale * sum[2]!;
    }
  }
  return { dtype: 'float32', shape: [3, height, width], data };
}

/** Adds the bilinear sample at (x, y), in units of pixel indices, to `sum`; clamped at the border. */
function sampleNearest({ width, height, data }: RgbImage, x: number, y: number, sum: Float64Array): void {
  const xClamped = x < 0 ? 0 : Math.min(x, width - 1);
  const yClamped = y < 0 ? 0 : Math.min(y, height - 1);
  const x0 = Math.floor(xClamped);
  const y0 = Math.floor(yClamped);
  const u = xClamped - x0;
  const v = yClamped - y0;
  const upper = 3 * (y0 * width + x0);
  const right = x0 + 1 < width ? 3 : 0;
  const lower = upper + (y0 + 1 < height ? 3 * width : 0);
  const w00 = (1 - u) * (1 - v);
  const w01 = u * (1 - v);
  const w10 = (1 - u) * v;
  const w11 = u * v;
  for (let k = 0; k < 3; k++) {
    sum[k]! +=
      w00 * data[upper + k]! +
      w01 * data[upper + right + k]! +
      w10 * data[lower + k]! +
      w11 * data[lower + right + k]!;
  }
}

function sampleBlack(image: RgbImage, x: number, y: number, sum: Float64Array): void {
  if (x > -0.5 && y > -0.5 && x < image.width - 0.5 && y < image.height - 0.5)
    sampleNearest(image, x, y, sum);
}
