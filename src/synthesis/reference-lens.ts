// The plain statement of the lens kernel: a blur of five taps, white balance, the tone curve, saturation and a sensor's noise.

import type { Development } from '../kernels/index.ts';

/** Bytes (`H W 3`). */
export function referenceDevelopment(development: Development): Uint8Array {
  const { whiteBalance, saturation, noise, bits } = development;
  const linear = blurred(development);
  const data = new Uint8Array(linear.length);
  for (const [pixel, random] of bits.entries()) {
    const encoded = whiteBalance.map((factor, k) => encode(development, factor * linear[3 * pixel + k]!));
    const [r, g, b] = encoded as [number, number, number];
    const grey = 0.3 * r + 0.59 * g + 0.11 * b;
    // Most of a sensor's noise is of brightness; two uniform numbers make a good enough bell. One draw has
    // bits enough for a pixel.
    const shared = noise * 2.45 * (((random & 255) + ((random >>> 8) & 255)) / 255 - 1);
    for (const [k, value] of encoded.entries()) {
      const own = noise * (((random >>> (16 + 5 * k)) & 31) / 31 - 0.5);
      const noisy = grey + saturation * (value - grey) + shared + own;
      data[3 * pixel + k] = Math.min(255, Math.max(0, Math.round(noisy)));
    }
  }
  return data;
}

/** A place on the tone curve. */
function encode({ tones, tonesPerUnit }: Development, light: number): number {
  const place = Math.min(tones.length - 2, Math.sqrt(Math.max(0, light)) * tonesPerUnit);
  const step = Math.floor(place);
  return tones[step]! + (place - step) * (tones[step + 1]! - tones[step]!);
}

function blurred({ linear: sharp, width, height, blurWeights }: Development): Float32Array {
  if (blurWeights === null) return sharp;
  const linear = sharp.slice();
  const [w0, w1, w2] = blurWeights;
  const line = new Float32Array(Math.max(width, height) + 4);
  const blurLine = (start: number, stride: number, length: number): void => {
    for (let i = -2; i < length + 2; i++) {
      line[i + 2] = linear[start + stride * Math.min(length - 1, Math.max(0, i))]!;
    }
    for (let i = 0; i < length; i++) {
      linear[start + stride * i] =
        w0 * line[i + 2]! + w1 * (line[i + 1]! + line[i + 3]!) + w2 * (line[i]! + line[i + 4]!);
    }
  };
  for (let k = 0; k < 3; k++) {
    for (let y = 0; y < height; y++) blurLine(3 * y * width + k, 3, width);
    for (let x = 0; x < width; x++) blurLine(3 * x + k, 3 * width, height);
  }
  return linear;
}
