// What a JPEG does to a picture. The kernel does the work; the plain statement of it is `reference-compression.ts`.
// The quantisation tables are those of the standard's Annex K (ITU-T T.81), scaled as libjpeg scales them. No
// bytes are written: only the loss matters here.

import { type CompressionSteps, createCompressionKernel } from '../kernels/index.ts';
import type { RgbImage } from '../media/index.ts';

// biome-ignore format: a table
const LUMA = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
// biome-ignore format: a table
const CHROMA = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

let kernel: ReturnType<typeof createCompressionKernel> | null = null;

/** A picture as it comes back from a JPEG of a quality (1 to 100), changed in place. */
export function compress(image: RgbImage, quality: number): void {
  kernel ??= createCompressionKernel();
  kernel(image, compressionSteps(quality));
}

/** The steps of a quality. */
export function compressionSteps(quality: number): CompressionSteps {
  const scale = quality < 50 ? 50 / quality : 2 - quality / 50;
  const steps = (table: readonly number[]): Float32Array =>
    Float32Array.from(table, (step) => Math.max(1, Math.round(step * scale)));
  return { luma: steps(LUMA), chroma: steps(CHROMA) };
}
