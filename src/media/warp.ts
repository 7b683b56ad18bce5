// Resamples a part of a picture under an affine map: crops, scales and turns it in one pass, into the planar
// floats that networks take. Bilinear; where the map shrinks, several samples a pixel are averaged.

import { createResamplingKernel, type Resampling } from '../kernels/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { RgbImage } from './image.ts';
import { LUMA } from './yuv.ts';

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
const [RED, BLUE] = LUMA.bt601;
/** Shares of the colours in luma. */
const LUMA_WEIGHTS = [RED, 1 - RED - BLUE, BLUE] as const;

/** How many samples along each axis of a target pixel keep fine detail from flickering. */
export function samplesPerAxis([a, b, , d, e]: AffineMap): number {
  const shrink = Math.sqrt(Math.abs(a * e - b * d));
  return Math.min(MAX_SAMPLES, Math.max(1, Math.round(shrink / 1.25)));
}

let kernel: ReturnType<typeof createResamplingKernel> | undefined;

function resample(resampling: Resampling): Float32Array<ArrayBuffer> {
  kernel ??= createResamplingKernel();
  return kernel(resampling);
}

/** Resamples `image` to planar float RGB, `3 H W`. */
export function warpAffine(image: RgbImage, options: WarpOptions): Tensor<'C H W'> {
  const { width, height, sourceFromTarget, border = 'nearest', range = [-1, 1] } = options;
  const [black, white] = range;
  const samples = samplesPerAxis(sourceFromTarget);
  const data = resample({
    ...{ source: image, sourceFromTarget, width, height, samples, border },
    ...{ offset: black, scale: (white - black) / 255 },
  });
  return { dtype: 'float32', shape: [3, height, width], data };
}

/** Resamples `image` to luma of 0 to 255, `H W`; the nearest pixel beyond the border. */
export function warpGrey(
  image: RgbImage,
  { sourceFromTarget, width, height }: Pick<WarpOptions, 'sourceFromTarget' | 'width' | 'height'>,
): Float32Array<ArrayBuffer> {
  return resample({
    ...{ source: image, sourceFromTarget, width, height, samples: samplesPerAxis(sourceFromTarget) },
    ...{ offset: 0, scale: 1, weights: LUMA_WEIGHTS, border: 'nearest' },
  });
}
