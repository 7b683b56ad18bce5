// Resizing 8-bit pictures: the exact area average where an axis shrinks, bilinear where it grows.
// Separable, so each axis is a table of source spans with weights.

import type { RgbImage } from './image.ts';

/** The source samples that make one target sample of an axis. */
type AxisTap = { readonly first: number; readonly weights: Float64Array };

/**
 * Resizes a picture; each axis takes the area average when it shrinks and bilinear interpolation when it
 * grows. Pixel centres lie at +0.5. Values are averaged as stored (sRGB), as video scalers do.
 */
export function resizeImage(image: RgbImage, width: number, height: number): RgbImage {
  if (width === image.width && height === image.height) return image;
  const columns = axisTaps(image.width, width);
  const rows = axisTaps(image.height, height);
  const data = new Uint8Array(width * height * 3);
  const mixed = new Float32Array(image.width * 3);
  for (let y = 0; y < height; y++) {
    mixRows(image, rows[y]!, mixed);
    for (let x = 0; x < width; x++) {
      const { first, weights } = columns[x]!;
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0; k < weights.length; k++) {
        const weight = weights[k]!;
        const source = (first + k) * 3;
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

function mixRows(image: RgbImage, { first, weights }: AxisTap, mixed: Float32Array): void {
  const stride = image.width * 3;
  mixed.fill(0);
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k]!;
    const row = (first + k) * stride;
    for (let i = 0; i < stride; i++) mixed[i]! += weight * image.data[row + i]!;
  }
}

function axisTaps(from: number, to: number): AxisTap[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, i) =>
    scale > 1 ? areaTap(i, scale, from) : linearTap(i, scale, from),
  );
}

function areaTap(index: number, scale: number, count: number): AxisTap {
  const start = index * scale;
  const end = Math.min(count, start + scale);
  const first = Math.floor(start);
  const last = Math.min(count - 1, Math.ceil(end) - 1);
  const weights = Float64Array.from(
    { length: last - first + 1 },
    (_, k) => (Math.min(end, first + k + 1) - Math.max(start, first + k)) / (end - start),
  );
  return { first, weights };
}

function linearTap(index: number, scale: number, count: number): AxisTap {
  const centre = Math.min(count - 1, Math.max(0, (index + 0.5) * scale - 0.5));
  const first = Math.min(Math.floor(centre), Math.max(0, count - 2));
  const share = centre - first;
  return count === 1
    ? { first: 0, weights: Float64Array.of(1) }
    : { first, weights: Float64Array.of(1 - share, share) };
}
