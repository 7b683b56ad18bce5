// The camera's part of a picture: softness, exposure, contrast and tint, the sensor's noise, a JPEG's loss.
// From linear light to 8-bit sRGB.

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

/** Develops linear light (`H W 3`, blurred in place) to a picture; `seed` varies the noise. */
export function develop(
  linear: Float32Array,
  { width, height }: { readonly width: number; readonly height: number },
  lens: LensTraits,
  seed: number,
): RgbImage {
  blur(linear, width, height, (lens.softness * width) / 256);
  const random = createRandom(deriveSeed(seed, 77));
  const tones = toneCurve(lens.contrast);
  const { whiteBalance, saturation, noise } = lens;
  const data = new Uint8Array(linear.length);
  const encoded = [0, 0, 0];
  for (let i = 0; i < linear.length; i += 3) {
    for (let k = 0; k < 3; k++) {
      const light = Math.max(0, linear[i + k]! * whiteBalance[k]!);
      const place = Math.min(TONE_STEPS - 1, Math.sqrt(light) * TONE_SCALE);
      const step = Math.floor(place);
      encoded[k] = tones[step]! + (place - step) * (tones[step + 1]! - tones[step]!);
    }
    const grey = 0.3 * encoded[0]! + 0.59 * encoded[1]! + 0.11 * encoded[2]!;
    // Most of a sensor's noise is of brightness; two uniform numbers make a good enough bell. One draw has
    // bytes enough for a pixel.
    const bits = Math.floor(random.uniform() * 4294967296);
    const shared = noise * 2.45 * (((bits & 255) + ((bits >>> 8) & 255)) / 255 - 1);
    for (let k = 0; k < 3; k++) {
      const own = noise * (((bits >>> (16 + 5 * k)) & 31) / 31 - 0.5);
      const value = grey + saturation * (encoded[k]! - grey) + shared + own;
      data[i + k] = Math.min(255, Math.max(0, Math.round(value)));
    }
  }
  const image = { width, height, data };
  if (lens.jpegQuality !== null) compress(image, lens.jpegQuality);
  return image;
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

/** A Gaussian blur of five taps. */
function blur(picture: Float32Array, width: number, height: number, sigmaPx: number): void {
  if (sigmaPx < 0.2) return;
  const near = Math.exp(-0.5 / sigmaPx ** 2);
  const far = Math.exp(-2 / sigmaPx ** 2);
  const total = 1 + 2 * (near + far);
  const [w0, w1, w2] = [1 / total, near / total, far / total];
  const line = new Float32Array(Math.max(width, height) + 4);
  const blurLine = (start: number, stride: number, length: number): void => {
    for (let i = -2; i < length + 2; i++) {
      line[i + 2] = picture[start + stride * Math.min(length - 1, Math.max(0, i))]!;
    }
    for (let i = 0; i < length; i++) {
      picture[start + stride * i] =
        w0 * line[i + 2]! + w1 * (line[i + 1]! + line[i + 3]!) + w2 * (line[i]! + line[i + 4]!);
    }
  };
  for (let k = 0; k < 3; k++) {
    for (let y = 0; y < height; y++) blurLine(3 * y * width + k, 3, width);
    for (let x = 0; x < width; x++) blurLine(3 * x + k, 3 * width, height);
  }
}
