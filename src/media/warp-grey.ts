// The fast form of `warpAffine` where only grey is wanted, as by networks that read small patches of every frame: colours
// become luma once per source pixel of the part in question, not once per sample.

import type { RgbImage } from './image.ts';
import { type AffineMap, samplesPerAxis } from './warp.ts';

/** A part of a picture in grey. */
type GreyPart = {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly luma: Float32Array;
};

/** Resamples `image` to luma of 0 to 255, `H W` (ITU-R BT.601's weights); the nearest pixel beyond the border. */
export function warpGrey(
  image: RgbImage,
  {
    sourceFromTarget,
    width,
    height,
  }: { readonly sourceFromTarget: AffineMap; readonly width: number; readonly height: number },
): Float32Array {
  const [a, b, , d, e] = sourceFromTarget;
  const part = greyPart(image, sourceFromTarget, width, height);
  const { luma, width: stride } = part;
  const lastX = part.width - 1;
  const lastY = part.height - 1;
  // Of the first sample, in pixel indices of the part; then from sample to sample.
  const samples = samplesPerAxis(sourceFromTarget);
  const step = 1 / samples;
  const firstX = sourceFromTarget[2] - 0.5 - part.left + 0.5 * step * (a + b);
  const firstY = sourceFromTarget[5] - 0.5 - part.top + 0.5 * step * (d + e);
  const grey = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let j = 0; j < samples; j++) {
        for (let i = 0; i < samples; i++) {
          const xTarget = x + i * step;
          const yTarget = y + j * step;
          const u = Math.min(lastX, Math.max(0, firstX + a * xTarget + b * yTarget));
          const v = Math.min(lastY, Math.max(0, firstY + d * xTarget + e * yTarget));
          const column = u | 0;
          const row = v | 0;
          const at = row * stride + column;
          const right = column < lastX ? at + 1 : at;
          const below = row < lastY ? stride : 0;
          const shareX = u - column;
          const upper = luma[at]! + shareX * (luma[right]! - luma[at]!);
          const lower = luma[at + below]! + shareX * (luma[right + below]! - luma[at + below]!);
          sum += upper + (v - row) * (lower - upper);
        }
      }
      grey[y * width + x] = step * step * sum;
    }
  }
  return grey;
}

/** What of the picture the map may touch; at least one pixel at the border that it lies beyond. */
function greyPart(
  { width, height, data }: RgbImage,
  [a, b, c, d, e, f]: AffineMap,
  targetWidth: number,
  targetHeight: number,
): GreyPart {
  const [dx, dy] = [a * targetWidth, d * targetWidth];
  const [ex, ey] = [b * targetHeight, e * targetHeight];
  const within = (value: number, last: number): number => Math.min(last, Math.max(0, value));
  const left = within(Math.floor(c + Math.min(0, dx) + Math.min(0, ex)) - 1, width - 1);
  const top = within(Math.floor(f + Math.min(0, dy) + Math.min(0, ey)) - 1, height - 1);
  const right = within(Math.ceil(c + Math.max(0, dx) + Math.max(0, ex)) + 1, width - 1);
  const bottom = within(Math.ceil(f + Math.max(0, dy) + Math.max(0, ey)) + 1, height - 1);
  const part = { left, top, width: right - left + 1, height: bottom - top + 1 };
  const luma = new Float32Array(part.width * part.height);
  for (let y = 0; y < part.height; y++) {
    let from = 3 * ((top + y) * width + left);
    const to = y * part.width;
    for (let x = 0; x < part.width; x++, from += 3) {
      luma[to + x] = 0.299 * data[from]! + 0.587 * data[from + 1]! + 0.114 * data[from + 2]!;
    }
  }
  return { ...part, luma };
}
