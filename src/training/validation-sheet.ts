// What validation shows and measures: rows of pictures side by side, the peak signal-to-noise ratio inside the
// head, and how much changes from pixel to pixel where the lift invents.

import type { RgbImage } from '../media/index.ts';
import { imageFromPlanar, pasteImage } from '../media/index.ts';
import { tensor } from '../tensor/index.ts';

/** Planar pictures (`3 S S` in [-1, 1]) as a sheet: one inner list a row. */
export function pictureSheet(rows: readonly (readonly Float32Array[])[], sizePx: number): RgbImage {
  const columns = Math.max(...rows.map((row) => row.length));
  const [width, height] = [columns * sizePx, rows.length * sizePx];
  const sheet: RgbImage = { width, height, data: new Uint8Array(width * height * 3) };
  for (const [r, row] of rows.entries()) {
    for (const [c, data] of row.entries()) {
      const picture = imageFromPlanar(tensor(data, [3, sizePx, sizePx]));
      pasteImage(sheet, picture, c * sizePx, r * sizePx);
    }
  }
  return sheet;
}

/** A grey picture of a mask in [0, 1]. */
export function maskPicture(mask: Float32Array): Float32Array {
  const grey = mask.map((value) => 2 * value - 1);
  const picture = new Float32Array(3 * mask.length);
  for (let c = 0; c < 3; c++) picture.set(grey, c * mask.length);
  return picture;
}

/**
 * PSNR in dB of planar pictures in [-1, 1] (clipped, as they are shown) where `mask` (0 to 255) is above
 * one half; over the whole picture if it is nowhere.
 */
export function maskedPsnr(a: Float32Array, b: Float32Array, mask: Uint8Array): number {
  const isEmpty = !mask.some((value) => value > 127);
  const area = mask.length;
  let [total, count] = [0, 0];
  for (let i = 0; i < area; i++) {
    if (!isEmpty && mask[i]! <= 127) continue;
    for (let c = 0; c < 3; c++) {
      const difference = clipped(a[c * area + i]!) - clipped(b[c * area + i]!);
      total += difference * difference;
    }
    count += 3;
  }
  return 10 * Math.log10(4 / Math.max(total / count, 1e-10));
}

/**
 * Summed absolute differences of neighbouring pixels (right and below) of a planar picture `3 S S` over the pixels
 * that `isCounted` accepts: against the same sum of the truth, how sharp a picture is.
 */
export function detailAmount(
  picture: Float32Array,
  sizePx: number,
  isCounted: (pixel: number) => boolean,
): number {
  const area = sizePx * sizePx;
  let total = 0;
  for (let i = 0; i < area - sizePx; i++) {
    if ((i + 1) % sizePx === 0 || !isCounted(i)) continue;
    for (let c = 0; c < 3; c++) {
      const here = clipped(picture[c * area + i]!);
      total += Math.abs(clipped(picture[c * area + i + 1]!) - here);
      total += Math.abs(clipped(picture[c * area + i + sizePx]!) - here);
    }
  }
  return total;
}

/** The mean of finite figures. */
export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function clipped(value: number): number {
  return Math.min(1, Math.max(-1, value));
}
