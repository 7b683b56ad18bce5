// Resizing 8-bit pictures: the exact area average where an axis shrinks, bilinear where it grows.
// Separable, so each axis is a table of source samples with weights.

import type { RgbImage } from './image.ts';

/** A window of a picture; edges may lie between pixels and outside, where the nearest edge pixel repeats. */
export type ResampledWindow = {
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
};

/**
 * Resizes a picture; each axis takes the area average when it shrinks and bilinear interpolation when it
 * grows. Pixel centres lie at +0.5. Values are averaged as stored (sRGB), as video scalers do.
 */
export function resizeImage(image: RgbImage, width: number, height: number): RgbImage {
  if (width === image.width && height === image.height) return image;
  const whole = { leftPx: 0, topPx: 0, widthPx: image.width, heightPx: image.height };
  return resampleWindow(image, whole, width, height);
}

/** Brings a window of a picture to a size, as `resizeImage` does. */
export function resampleWindow(
  image: RgbImage,
  window: ResampledWindow,
  width: number,
  height: number,
): RgbImage {
  const columns = axisTaps(window.leftPx, window.widthPx, image.width, width);
  const rows = axisTaps(window.topPx, window.heightPx, image.height, height);
  const data = new Uint8Array(width * height * 3);
  const mixed = new Float32Array(image.width * 3);
  for (let y = 0; y < height; y++) {
    mixRows(image, rows[y]!, mixed);
    for (let x = 0; x < width; x++) {
      const { sources, weights } = columns[x]!;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0; k < weights.length; k++) {
        const weight = weights[k]!;
        const source = sources[k]! * 3;
        red += weight * mixed[source]!;
        green += weight * mixed[source + 1]!;
        blue += weight * mixed[source + 2]!;
      }
      const target = (y * width + x) * 3;
      data[target] = red + 0.5;
      data[target + 1] = green + 0.5;
      data[target + 2] = blue + 0.5;
    }
  }
  return { width, height, data };
}

/** As `resampleWindow`, for a picture of one channel (`H W`). */
export function resampleMask(
  { width, height, data }: RgbImage,
  window: ResampledWindow,
  targetWidth: number,
  targetHeight: number,
): Uint8Array {
  const grey = new Uint8Array(3 * data.length);
  for (let i = 0; i < grey.length; i++) grey[i] = data[Math.floor(i / 3)]!;
  const resampled = resampleWindow({ width, height, data: grey }, window, targetWidth, targetHeight);
  return Uint8Array.from({ length: targetWidth * targetHeight }, (_, i) => resampled.data[3 * i]!);
}

/** The largest size of the picture's shape that fits into the box; never larger than the box. */
export function sizeToFit(
  size: { readonly width: number; readonly height: number },
  box: { readonly width: number; readonly height: number },
): { readonly width: number; readonly height: number } {
  const scale = Math.min(box.width / size.width, box.height / size.height);
  return {
    width: Math.max(1, Math.min(box.width, Math.round(size.width * scale))),
    height: Math.max(1, Math.min(box.height, Math.round(size.height * scale))),
  };
}

/** The source samples that make one target sample of an axis; the weights sum to 1. */
type AxisTap = { readonly sources: Int32Array; readonly weights: Float64Array };

function mixRows(image: RgbImage, { sources, weights }: AxisTap, mixed: Float32Array): void {
  const stride = image.width * 3;
  mixed.fill(0);
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k]!;
    const row = sources[k]! * stride;
    for (let i = 0; i < stride; i++) mixed[i]! += weight * image.data[row + i]!;
  }
}

function axisTaps(start: number, extent: number, count: number, targets: number): AxisTap[] {
  const scale = extent / targets;
  const clamp = (index: number): number => Math.min(count - 1, Math.max(0, index));
  return Array.from({ length: targets }, (_, i) => {
    const { first, weights } =
      scale > 1 ? areaTap(start + i * scale, scale) : linearTap(start + (i + 0.5) * scale - 0.5);
    return { sources: Int32Array.from(weights, (_w, k) => clamp(first + k)), weights };
  });
}

type RawTap = { readonly first: number; readonly weights: Float64Array };

function areaTap(from: number, length: number): RawTap {
  const to = from + length;
  const first = Math.floor(from);
  const last = Math.max(first, Math.ceil(to) - 1);
  const weights = Float64Array.from(
    { length: last - first + 1 },
    (_, k) => (Math.min(to, first + k + 1) - Math.max(from, first + k)) / length,
  );
  return { first, weights };
}

function linearTap(centre: number): RawTap {
  const first = Math.floor(centre);
  const share = centre - first;
  return { first, weights: Float64Array.of(1 - share, share) };
}
