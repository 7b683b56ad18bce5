// Colours spread from the pixels that have one over the whole picture, smoothly: down a pyramid, where each
// level's pixel is the mean of what is known of the four below, and back up, where what is not known is taken
// from the level above (Gortler et al., The Lumigraph, 1996: pull and push).

import type { RgbImage } from '../media/index.ts';

type Level = {
  readonly width: number;
  readonly height: number;
  /** `H W 4`: colour times weight, and the weight, 0 to 1. */
  readonly values: Float32Array;
};

/** The picture where `known` (`H W`, 0 to 255) says so, and a smooth filling elsewhere; a picture of its own. */
export function spreadColours({ width, height, data }: RgbImage, known: Uint8Array): RgbImage {
  const values = new Float32Array(width * height * 4);
  for (let pixel = 0; pixel < known.length; pixel++) {
    const weight = known[pixel]! / 255;
    if (weight === 0) continue;
    for (let k = 0; k < 3; k++) values[4 * pixel + k] = weight * data[3 * pixel + k]!;
    values[4 * pixel + 3] = weight;
  }
  const levels: Level[] = [{ width, height, values }];
  for (let level = levels[0]!; level.width > 1 || level.height > 1; level = levels.at(-1)!) {
    levels.push(pull(level));
  }
  for (let i = levels.length - 2; i >= 0; i--) push(levels[i]!, levels[i + 1]!);
  const spread = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < known.length; pixel++) {
    for (let k = 0; k < 3; k++) spread[3 * pixel + k] = values[4 * pixel + k]! + 0.5;
  }
  return { width, height, data: spread };
}

function pull({ width, height, values }: Level): Level {
  const [halfWidth, halfHeight] = [(width + 1) >> 1, (height + 1) >> 1];
  const half = new Float32Array(halfWidth * halfHeight * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [from, to] = [4 * (y * width + x), 4 * ((y >> 1) * halfWidth + (x >> 1))];
      for (let k = 0; k < 4; k++) half[to + k]! += values[from + k]!;
    }
  }
  // What four known pixels say is known, no more.
  for (let at = 0; at < half.length; at += 4) {
    const weight = half[at + 3]!;
    if (weight <= 1) continue;
    for (let k = 0; k < 4; k++) half[at + k]! /= weight;
  }
  return { width: halfWidth, height: halfHeight, values: half };
}

/** Completes a level, in place, from the complete one above it. */
function push(
  { width, height, values }: Level,
  { width: halfWidth, height: halfHeight, values: half }: Level,
): void {
  for (let y = 0; y < height; y++) {
    const v = Math.min(halfHeight - 1, Math.max(0, y / 2 - 0.25));
    const [v0, fy] = [Math.floor(v), v - Math.floor(v)];
    const row0 = v0 * halfWidth;
    const row1 = Math.min(halfHeight - 1, v0 + 1) * halfWidth;
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const missing = 1 - values[at + 3]!;
      if (missing <= 0) continue;
      const u = Math.min(halfWidth - 1, Math.max(0, x / 2 - 0.25));
      const u0 = Math.floor(u);
      const fx = u - u0;
      const u1 = Math.min(halfWidth - 1, u0 + 1);
      for (let k = 0; k < 3; k++) {
        const upper = half[4 * (row0 + u0) + k]! * (1 - fx) + half[4 * (row0 + u1) + k]! * fx;
        const lower = half[4 * (row1 + u0) + k]! * (1 - fx) + half[4 * (row1 + u1) + k]! * fx;
        values[at + k]! += missing * (upper + fy * (lower - upper));
      }
      values[at + 3] = 1;
    }
  }
}
