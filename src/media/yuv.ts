// Between the luma and chroma planes that codecs hold and 8-bit RGB.
//
// Done here and not by the host: @napi-rs/webcodecs converts every stream with BT.601, also those tagged
// BT.709 (up to 9 of 255 off on a face), and browsers differ. Source of the formulas: ITU-R BT.601-7 2.5.1,
// BT.709-6 3.2-3.4. Chroma is taken from the nearest sample when reading and averaged over 2 x 2 when writing.

import { createYuvKernel } from '../kernels/index.ts';
import type { RgbImage } from './image.ts';

/** How RGB was mixed into luma and chroma. */
export type YuvColour = {
  readonly matrix: 'bt601' | 'bt709' | 'bt2020';
  /** Whether luma runs over 0..255 rather than 16..235. */
  readonly isFullRange: boolean;
};

/** One plane in a buffer: where it starts, bytes a row, bytes from one sample to the next. */
export type YuvPlane = { readonly offset: number; readonly stride: number; readonly step: number };

/** The planes of an 8-bit frame; `chromaShiftX` and `Y` are 1 where chroma has half the samples. */
export type YuvLayout = {
  readonly y: YuvPlane;
  readonly u: YuvPlane;
  readonly v: YuvPlane;
  readonly chromaShiftX: 0 | 1;
  readonly chromaShiftY: 0 | 1;
};

/** Weights of red and blue in luma; BT.2020's are those of its non-constant luminance. */
export const LUMA: Readonly<Record<YuvColour['matrix'], readonly [red: number, blue: number]>> = {
  bt601: [0.299, 0.114],
  bt709: [0.2126, 0.0722],
  bt2020: [0.2627, 0.0593],
};

/**
 * The colour of a stream whose tags are missing: BT.709 for high definition, BT.601 below, as players guess.
 * Source: mpv's rule (wider than 1279 or taller than 576).
 */
export function guessYuvColour(width: number, height: number): YuvColour {
  return { matrix: width >= 1280 || height > 576 ? 'bt709' : 'bt601', isFullRange: false };
}

/** A frame's planes in a buffer. */
type YuvFrame = {
  readonly width: number;
  readonly height: number;
  readonly layout: YuvLayout;
  readonly colour: YuvColour;
};

let kernel: ReturnType<typeof createYuvKernel> | undefined;

/** Converts a frame of `width` x `height` to RGB; the usual layout by a kernel. */
export function imageFromYuv(buffer: Uint8Array, frame: YuvFrame): RgbImage {
  const { width, height, layout, colour } = frame;
  const { y, u, v, chromaShiftX, chromaShiftY } = layout;
  const isHalved = chromaShiftX === 1 && chromaShiftY === 1;
  const isDense = [y, u, v].every(({ step }) => step === 1) && u.stride === v.stride;
  if (!isHalved || !isDense) return referenceImageFromYuv(buffer, frame);
  kernel ??= createYuvKernel();
  const factors = fixedFactors(colour);
  return { width, height, data: kernel({ buffer, width, height, y, u, v, factors }) };
}

/**
 * Luma's zero and scale, red's of v, green's of u and of v, blue's of u. All but the zero are 16.16 fixed point: integer
 * arithmetic is twice as fast as floats here, and exact to 8 bits.
 */
function fixedFactors({ matrix, isFullRange }: YuvColour): Int32Array {
  const [kr, kb] = LUMA[matrix];
  const kg = 1 - kr - kb;
  const fixed = (value: number): number => Math.round(value * 65536);
  const chroma = isFullRange ? 1 : 255 / 224;
  return Int32Array.of(
    isFullRange ? 0 : 16,
    fixed(isFullRange ? 1 : 255 / 219),
    fixed(chroma * 2 * (1 - kr)),
    fixed((-chroma * 2 * (1 - kb) * kb) / kg),
    fixed((-chroma * 2 * (1 - kr) * kr) / kg),
    fixed(chroma * 2 * (1 - kb)),
  );
}

/** The plain statement, of any layout. */
export function referenceImageFromYuv(
  buffer: Uint8Array,
  { width, height, layout, colour }: YuvFrame,
): RgbImage {
  const [lumaZero, lumaScale, redV, greenU, greenV, blueU] = [...fixedFactors(colour)];
  const { y, u, v, chromaShiftX, chromaShiftY } = layout;
  const out = new Uint8ClampedArray(width * height * 3);
  let target = 0;
  for (let row = 0; row < height; row++) {
    const yRow = y.offset + row * y.stride;
    const uRow = u.offset + (row >> chromaShiftY) * u.stride;
    const vRow = v.offset + (row >> chromaShiftY) * v.stride;
    for (let x = 0; x < width; x++) {
      const luma = (buffer[yRow + x * y.step]! - lumaZero!) * lumaScale! + 32768;
      const cu = buffer[uRow + (x >> chromaShiftX) * u.step]! - 128;
      const cv = buffer[vRow + (x >> chromaShiftX) * v.step]! - 128;
      out[target] = (luma + redV! * cv) >> 16;
      out[target + 1] = (luma + greenU! * cu + greenV! * cv) >> 16;
      out[target + 2] = (luma + blueU! * cu) >> 16;
      target += 3;
    }
  }
  return { width, height, data: new Uint8Array(out.buffer) };
}

/** What encoders are given: BT.709, limited range, the one combination that every player reads alike. */
export const ENCODED_COLOUR: YuvColour = { matrix: 'bt709', isFullRange: false };

/**
 * Converts RGB to I420 planes in `ENCODED_COLOUR`, one after the other without padding. An odd last column
 * or row is repeated, since 4:2:0 has even sizes: the result is `ceil2(width)` x `ceil2(height)`.
 */
export function i420FromImage(image: RgbImage): {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
} {
  const [kr, kb] = LUMA[ENCODED_COLOUR.matrix];
  const kg = 1 - kr - kb;
  const width = evenSize(image.width);
  const height = evenSize(image.height);
  const data = new Uint8Array((width * height * 3) / 2);
  const uOffset = width * height;
  const vOffset = uOffset + uOffset / 4;
  const { data: rgb } = image;
  const luma = 219 / 255;
  const uScale = 224 / 255 / (2 * (1 - kb));
  const vScale = 224 / 255 / (2 * (1 - kr));

  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0; k < 4; k++) {
        const sx = Math.min(x + (k & 1), image.width - 1);
        const sy = Math.min(y + (k >> 1), image.height - 1);
        const source = (sy * image.width + sx) * 3;
        const r = rgb[source]!;
        const g = rgb[source + 1]!;
        const b = rgb[source + 2]!;
        data[(y + (k >> 1)) * width + x + (k & 1)] = 16.5 + luma * (kr * r + kg * g + kb * b);
        red += r;
        green += g;
        blue += b;
      }
      const mixed = kr * red + kg * green + kb * blue;
      const chromaIndex = (y >> 1) * (width >> 1) + (x >> 1);
      data[uOffset + chromaIndex] = 128.5 + (uScale * (blue - mixed)) / 4;
      data[vOffset + chromaIndex] = 128.5 + (vScale * (red - mixed)) / 4;
    }
  }
  return { width, height, data };
}

/** The next even size. */
export function evenSize(size: number): number {
  return size + (size & 1);
}
