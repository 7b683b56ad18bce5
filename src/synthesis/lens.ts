// The camera's part of a picture: softness, exposure, contrast and tint, the sensor's noise, a JPEG's loss.
// From linear light to 8-bit sRGB.

import { createLensKernel, type Development } from '../kernels/index.ts';
import type { RgbImage } from '../media/index.ts';
import { createRandom, deriveSeed, type Random } from '../tensor/index.ts';
import { compress } from './compression.ts';

/** How a subject's camera sees. */
export type LensTraits = {
  /** Standard deviation of its blur, in 256ths of the picture's width. */
  readonly softness: number;
  /** What light is multiplied by, for red, green and blue. */
  readonly whiteBalance: readonly [number, number, number];
  /** How much steeper than a straight line the middle of the tone curve is, 0 to 1. */
  readonly contrast: number;
  /** 1 leaves colours as they are. */
  readonly saturation: number;
  /** Standard deviation of the noise in 8-bit steps. */
  readonly noise: number;
  /** Quality of a JPEG that the picture has been through; null: none. */
  readonly jpegQuality: number | null;
};

/** A random camera. */
export function sampleLens(random: Random): LensTraits {
  const warmth = 0.06 * random.normal();
  const isCompressed = random.uniform() < 0.55;
  return {
    softness: 0.25 + 0.55 * random.uniform() ** 2,
    whiteBalance: [1 + warmth, 1, 1 - warmth],
    contrast: random.uniform(0.1, 0.75),
    saturation: random.uniform(0.95, 1.3),
    noise: 0.5 + 3 * random.uniform() ** 3,
    jpegQuality: isCompressed ? random.uniform(45, 95) : null,
  };
}

/** Develops linear light (`H W 3`) to a picture; `seed` varies the noise. */
export function develop(
  linear: Float32Array,
  size: { readonly width: number; readonly height: number },
  lens: LensTraits,
  seed: number,
): RgbImage {
  kernel ??= createLensKernel();
  const { width, height } = size;
  const image = { width, height, data: kernel(developmentOf(linear, size, lens, seed)) };
  if (lens.jpegQuality !== null) compress(image, lens.jpegQuality);
  return image;
}

let kernel: ReturnType<typeof createLensKernel> | null = null;

/** How a camera develops light (`H W 3`). */
export function developmentOf(
  linear: Float32Array,
  { width, height }: { readonly width: number; readonly height: number },
  { softness, contrast, whiteBalance, saturation, noise }: LensTraits,
  seed: number,
): Development {
  const random = createRandom(deriveSeed(seed, 77));
  const bits = new Uint32Array(width * height);
  for (let i = 0; i < bits.length; i++) bits[i] = random.uniform() * 4294967296;
  return {
    ...{ width, height, linear, whiteBalance, saturation, noise, bits },
    blurWeights: blurWeights((softness * width) / 256),
    tones: toneCurve(contrast),
    tonesPerUnit: TONE_SCALE,
  };
}

const TONE_STEPS = 2048;
/** Steps per square root of light; the last step stands for 9 times white and more. */
const TONE_SCALE = TONE_STEPS / 3;

/** Encoded values (0 to 255) by the square root of linear light: a soft shoulder, and an S about the middle. */
function toneCurve(contrast: number): Float32Array {
  return Float32Array.from({ length: TONE_STEPS + 1 }, (_, step) => {
    const light = (step / TONE_SCALE) ** 2;
    const mapped = light < 0.5 ? light : 0.5 + 0.5 * (1 - Math.exp(-(light - 0.5) / 0.5));
    const value = mapped <= 0.0031308 ? 12.92 * mapped : 1.055 * mapped ** (1 / 2.4) - 0.055;
    const curved = value * value * (3 - 2 * value);
    return 255 * (value + contrast * (curved - value));
  });
}

/** A Gaussian of five taps, of the middle one outwards; null where it would change nothing. */
function blurWeights(sigmaPx: number): Development['blurWeights'] {
  if (sigmaPx < 0.2) return null;
  const near = Math.exp(-0.5 / sigmaPx ** 2);
  const far = Math.exp(-2 / sigmaPx ** 2);
  const total = 1 + 2 * (near + far);
  return [1 / total, near / total, far / total];
}
