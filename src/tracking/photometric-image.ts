// The face of a frame as the photometric refinement sees it: a small grey crop, kept while the clip is read,
// and blurred logarithms of it, looked up with their gradient at places of the whole picture.

import type { RgbImage } from '../media/index.ts';

/** A square piece of a picture in grey; pixel (0, 0) has its corner at `leftPx`, `topPx` of the picture. */
export type FaceCrop = {
  readonly sizePx: number;
  readonly leftPx: number;
  readonly topPx: number;
  /** Pixels of the picture for one of the crop, at least 1. */
  readonly step: number;
  /** `sizePx sizePx`, luminance. */
  readonly grey: Uint8Array;
};

/** A crop's logarithm, blurred. */
export type PhotometricLevel = {
  readonly crop: FaceCrop;
  /** `sizePx sizePx`. */
  readonly values: Float32Array;
};

/** Larger faces are shrunk to this. */
const LARGEST_CROP_PX = 192;
/** The crop's side over the longer side of the landmarks' box. */
const EXPANSION = 1.3;
/** Added to grey levels before the logarithm: dark noise counts for little. */
const DARK_LEVELS = 12;

/** Cuts the face around its landmarks (`L 2`, pixels) out of a picture; the border repeats. */
export function cropFace(image: RgbImage, landmarksPx: Float32Array): FaceCrop {
  let [minX, maxX, minY, maxY] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < landmarksPx.length; i += 2) {
    minX = Math.min(minX, landmarksPx[i]!);
    maxX = Math.max(maxX, landmarksPx[i]!);
    minY = Math.min(minY, landmarksPx[i + 1]!);
    maxY = Math.max(maxY, landmarksPx[i + 1]!);
  }
  const sidePx = EXPANSION * Math.max(maxX - minX, maxY - minY);
  const sizePx = Math.min(LARGEST_CROP_PX, Math.max(16, Math.ceil(sidePx)));
  const step = Math.max(1, sidePx / sizePx);
  const leftPx = (minX + maxX - sizePx * step) / 2;
  const topPx = (minY + maxY - sizePx * step) / 2;
  const samples = Math.ceil(step);
  const grey = new Uint8Array(sizePx * sizePx);
  for (let y = 0; y < sizePx; y++) {
    for (let x = 0; x < sizePx; x++) {
      let sum = 0;
      for (let j = 0; j < samples; j++) {
        for (let i = 0; i < samples; i++) {
          const px = leftPx + step * (x + (i + 0.5) / samples);
          const py = topPx + step * (y + (j + 0.5) / samples);
          sum += luminanceAt(image, px - 0.5, py - 0.5);
        }
      }
      grey[y * sizePx + x] = sum / (samples * samples) + 0.5;
    }
  }
  return { sizePx, leftPx, topPx, step, grey };
}

function luminanceAt({ width, height, data }: RgbImage, x: number, y: number): number {
  const xc = Math.min(width - 1, Math.max(0, x));
  const yc = Math.min(height - 1, Math.max(0, y));
  const [x0, y0] = [Math.floor(xc), Math.floor(yc)];
  const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)];
  const [u, v] = [xc - x0, yc - y0];
  const at = (column: number, row: number): number => {
    const i = 3 * (row * width + column);
    return 0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!;
  };
  return (1 - v) * ((1 - u) * at(x0, y0) + u * at(x1, y0)) + v * ((1 - u) * at(x0, y1) + u * at(x1, y1));
}

/** The logarithm of a crop, blurred by a Gaussian of `blurPx` pixels of the crop. */
export function photometricLevel(crop: FaceCrop, blurPx: number): PhotometricLevel {
  const { sizePx } = crop;
  const logarithms = Float32Array.from(crop.grey, (level) => Math.log(level + DARK_LEVELS));
  const radius = Math.ceil(2.5 * blurPx);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-(((i - radius) / blurPx) ** 2) / 2),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  const along = (source: Float32Array, stepX: number, stepY: number): Float32Array => {
    const last = sizePx - 1;
    const target = new Float32Array(source.length);
    for (let y = 0; y < sizePx; y++) {
      for (let x = 0; x < sizePx; x++) {
        let value = 0;
        for (let i = -radius; i <= radius; i++) {
          const row = Math.min(last, Math.max(0, y + i * stepY));
          const column = Math.min(last, Math.max(0, x + i * stepX));
          value += weights[i + radius]! * source[row * sizePx + column]!;
        }
        target[y * sizePx + x] = value / sum;
      }
    }
    return target;
  };
  return { crop, values: along(along(logarithms, 1, 0), 0, 1) };
}

/**
 * The value at a place of the whole picture, and its gradient by that place, into `out`.
 * Bilinear, with the exact derivative of that. @returns false outside the crop
 */
export function sampleLevel(
  { crop, values }: PhotometricLevel,
  xPx: number,
  yPx: number,
  out: Float64Array,
): boolean {
  const { sizePx, step } = crop;
  const x = (xPx - crop.leftPx) / step - 0.5;
  const y = (yPx - crop.topPx) / step - 0.5;
  if (!(x >= 0 && y >= 0 && x < sizePx - 1 && y < sizePx - 1)) return false;
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [x - x0, y - y0];
  const at = y0 * sizePx + x0;
  const [a, b, c, d] = [values[at]!, values[at + 1]!, values[at + sizePx]!, values[at + sizePx + 1]!];
  out[0] = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * c + u * d);
  out[1] = ((1 - v) * (b - a) + v * (d - c)) / step;
  out[2] = ((1 - u) * (c - a) + u * (d - b)) / step;
  return true;
}
