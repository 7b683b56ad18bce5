// Cutting pictures apart and putting them together: crop windows, pasting, rotation, rows of pictures.

import { BadInputError } from '../errors/index.ts';
import type { RgbImage } from './image.ts';
import { resizeImage } from './resize.ts';

/** A whole-pixel rectangle; it may reach outside the picture that it is for. */
export type PixelWindow = {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

/** An 8-bit sRGB colour. */
export type RgbColour = readonly [red: number, green: number, blue: number];

/** What fills a crop outside the picture: the nearest edge pixel, or one colour. */
export type Border = 'edge' | RgbColour;

/** A picture of one colour. */
export function solidImage(width: number, height: number, colour: RgbColour): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set(colour, i);
  return { width, height, data };
}

/** Cuts a window out of a picture; where the window reaches outside, `border` (default `edge`) fills it. */
export function cropImage(image: RgbImage, window: PixelWindow, border: Border = 'edge'): RgbImage {
  const { width, height, left, top } = window;
  if (width < 1 || height < 1) {
    throw new BadInputError({
      code: 'empty-crop',
      message: `A crop needs a size of at least 1 x 1, got ${width} x ${height}.`,
      hint: 'Choose a larger window.',
    });
  }
  const canvas =
    border === 'edge'
      ? { width, height, data: new Uint8Array(width * height * 3) }
      : solidImage(width, height, border);
  for (let y = 0; y < height; y++) {
    const inside = top + y >= 0 && top + y < image.height;
    if (!inside && border !== 'edge') continue;
    const sourceRow = clamp(top + y, image.height) * image.width;
    copyRow(image, sourceRow, left, canvas, y * width, border);
  }
  return canvas;
}

/** Lays `patch` over `canvas` with its upper left corner at (left, top), in place; what overhangs is cut off. */
export function pasteImage(canvas: RgbImage, patch: RgbImage, left: number, top: number): void {
  const x0 = Math.max(0, -left);
  const x1 = Math.min(patch.width, canvas.width - left);
  if (x1 <= x0) return;
  for (let y = Math.max(0, -top); y < Math.min(patch.height, canvas.height - top); y++) {
    const row = patch.data.subarray((y * patch.width + x0) * 3, (y * patch.width + x1) * 3);
    canvas.data.set(row, ((top + y) * canvas.width + left + x0) * 3);
  }
}

/** Pictures in a row, each scaled to one height (that of the first unless given). */
export function sideBySide(images: readonly RgbImage[], height: number = images[0]?.height ?? 1): RgbImage {
  const scaled = images.map((image) =>
    resizeImage(image, Math.max(1, Math.round((image.width * height) / image.height)), height),
  );
  const width = scaled.reduce((sum, image) => sum + image.width, 0);
  const canvas: RgbImage = { width, height, data: new Uint8Array(width * height * 3) };
  let left = 0;
  for (const image of scaled) {
    pasteImage(canvas, image, left, 0);
    left += image.width;
  }
  return canvas;
}

/** Turns a picture clockwise by a multiple of 90 degrees, then mirrors it left to right if asked. */
export function orientImage(
  image: RgbImage,
  {
    clockwiseDegrees,
    mirrored = false,
  }: { readonly clockwiseDegrees: 0 | 90 | 180 | 270; readonly mirrored?: boolean },
): RgbImage {
  if (clockwiseDegrees === 0 && !mirrored) return image;
  const { width: w, height: h, data: source } = image;
  const isQuarter = clockwiseDegrees % 180 === 90;
  const [width, height] = isQuarter ? [h, w] : [w, h];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = mirrored ? width - 1 - x : x;
      const [sx, sy] = sourcePixel(clockwiseDegrees, u, y, w, h);
      const from = (sy * w + sx) * 3;
      const to = (y * width + x) * 3;
      data[to] = source[from]!;
      data[to + 1] = source[from + 1]!;
      data[to + 2] = source[from + 2]!;
    }
  }
  return { width, height, data };
}

function sourcePixel(
  degrees: 0 | 90 | 180 | 270,
  x: number,
  y: number,
  w: number,
  h: number,
): [number, number] {
  if (degrees === 90) return [y, h - 1 - x];
  if (degrees === 180) return [w - 1 - x, h - 1 - y];
  if (degrees === 270) return [w - 1 - y, x];
  return [x, y];
}

function copyRow(
  image: RgbImage,
  sourceRow: number,
  left: number,
  canvas: RgbImage,
  targetRow: number,
  border: Border,
): void {
  const x0 = Math.min(canvas.width, Math.max(0, -left));
  const x1 = Math.max(x0, Math.min(canvas.width, image.width - left));
  if (x1 > x0) {
    const row = image.data.subarray((sourceRow + left + x0) * 3, (sourceRow + left + x1) * 3);
    canvas.data.set(row, (targetRow + x0) * 3);
  }
  if (border !== 'edge') return;
  const repeat = (from: number, to: number): void => {
    for (let x = from; x < to; x++) {
      const pixel = (sourceRow + clamp(left + x, image.width)) * 3;
      canvas.data.set(image.data.subarray(pixel, pixel + 3), (targetRow + x) * 3);
    }
  };
  repeat(0, x0);
  repeat(x1, canvas.width);
}

const clamp = (index: number, count: number): number => Math.min(count - 1, Math.max(0, index));
