// Distances between two pictures inside a region: PSNR, L1 and SSIM.
// SSIM follows Wang et al. 2004 in scikit-image's default form: a uniform 7 x 7 window, sample
// covariance, each colour channel by itself, then the mean.

import { BadInputError } from '../errors/index.ts';
import type { RgbImage } from '../media/index.ts';

/** Which pixels count, `H W`: those above 0. */
export type Region = Uint8Array;

/** How far a picture is from the truth inside a region. */
export type ImageMetrics = {
  /** Decibels; infinite for equal pictures. */
  readonly psnr: number;
  /** -1 to 1, higher is better. */
  readonly ssim: number;
  /** Mean absolute difference as a fraction of the full range. */
  readonly l1: number;
};

/**
 * Compares two pictures of one size; without a region the whole picture counts.
 * @throws BadInputError if the sizes differ or the region is empty.
 */
export function compareImages(image: RgbImage, truth: RgbImage, region?: Region): ImageMetrics {
  if (image.width !== truth.width || image.height !== truth.height) {
    throw new BadInputError({
      code: 'metric-size',
      message: `expected a picture of ${truth.width}x${truth.height}, got ${image.width}x${image.height}`,
      hint: 'compare pictures of one size',
    });
  }
  const counts = (pixel: number): boolean => region === undefined || region[pixel]! > 0;
  const { squared, absolute, pixels } = differences(image, truth, counts);
  if (pixels === 0) {
    throw new BadInputError({
      code: 'metric-region',
      message: 'expected a region with at least one pixel, got an empty one',
      hint: 'check the mask of the head',
    });
  }
  return {
    psnr: 10 * Math.log10(255 ** 2 / (squared / (3 * pixels))),
    ssim: meanSsim(image, truth, counts),
    l1: absolute / (3 * pixels * 255),
  };
}

function differences(
  image: RgbImage,
  truth: RgbImage,
  counts: (pixel: number) => boolean,
): { squared: number; absolute: number; pixels: number } {
  let squared = 0;
  let absolute = 0;
  let pixels = 0;
  for (let pixel = 0; pixel < image.width * image.height; pixel++) {
    if (!counts(pixel)) continue;
    pixels++;
    for (let c = 3 * pixel; c < 3 * pixel + 3; c++) {
      const difference = image.data[c]! - truth.data[c]!;
      squared += difference * difference;
      absolute += Math.abs(difference);
    }
  }
  return { squared, absolute, pixels };
}

const WINDOW = 7;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

// Windows that reach over the border have no value; a region that lies there alone gives NaN.
function meanSsim(image: RgbImage, truth: RgbImage, counts: (pixel: number) => boolean): number {
  const { width, height } = image;
  const reach = (WINDOW - 1) / 2;
  let total = 0;
  let values = 0;
  for (let channel = 0; channel < 3; channel++) {
    const x = (pixel: number): number => image.data[3 * pixel + channel]!;
    const y = (pixel: number): number => truth.data[3 * pixel + channel]!;
    const sumX = summedArea(width, height, x);
    const sumY = summedArea(width, height, y);
    const sumXX = summedArea(width, height, (p) => x(p) * x(p));
    const sumYY = summedArea(width, height, (p) => y(p) * y(p));
    const sumXY = summedArea(width, height, (p) => x(p) * y(p));
    for (let row = reach; row < height - reach; row++) {
      for (let column = reach; column < width - reach; column++) {
        if (!counts(row * width + column)) continue;
        const window = (area: Float64Array): number => windowSum(area, width, row - reach, column - reach);
        total += ssimOfSums(window(sumX), window(sumY), window(sumXX), window(sumYY), window(sumXY));
        values++;
      }
    }
  }
  return total / values;
}

function ssimOfSums(x: number, y: number, xx: number, yy: number, xy: number): number {
  const n = WINDOW * WINDOW;
  const [meanX, meanY] = [x / n, y / n];
  const varianceX = (xx - n * meanX * meanX) / (n - 1);
  const varianceY = (yy - n * meanY * meanY) / (n - 1);
  const covariance = (xy - n * meanX * meanY) / (n - 1);
  return (
    ((2 * meanX * meanY + C1) * (2 * covariance + C2)) /
    ((meanX * meanX + meanY * meanY + C1) * (varianceX + varianceY + C2))
  );
}

// Entry (row, column) holds the sum over all pixels above and to the left of it, both exclusive.
function summedArea(width: number, height: number, value: (pixel: number) => number): Float64Array {
  const area = new Float64Array((width + 1) * (height + 1));
  for (let row = 0; row < height; row++) {
    let rowSum = 0;
    for (let column = 0; column < width; column++) {
      rowSum += value(row * width + column);
      area[(row + 1) * (width + 1) + column + 1] = area[row * (width + 1) + column + 1]! + rowSum;
    }
  }
  return area;
}

function windowSum(area: Float64Array, width: number, top: number, left: number): number {
  const at = (row: number, column: number): number => area[row * (width + 1) + column]!;
  const [bottom, right] = [top + WINDOW, left + WINDOW];
  return at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
}
