// A camera's blur, and linear light to bytes. Plain reference: `src/synthesis/reference-lens.ts`.

import { instantiateKernel } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/lens.wasm.ts';

type LensExports = {
  blur(
    ...pointersAndSizes: [
      ...picture: [picture: number, width: number, height: number],
      ...weights: [w0: number, w1: number, w2: number],
      ...scratch: [line: number, middle: number],
    ]
  ): void;
  develop(
    ...pointersAndSizes: [
      ...light: [linear: number, pixels: number, red: number, green: number, blue: number],
      ...curve: [tones: number, steps: number, scale: number, saturation: number],
      ...noise: [noise: number, bits: number, out: number],
    ]
  ): void;
};

/** Linear light and how it becomes a picture. */
export type Development = {
  readonly width: number;
  readonly height: number;
  /** `H W 3`. */
  readonly linear: Float32Array;
  /** Of the pixel, its neighbours and theirs, along both axes; null: sharp. */
  readonly blurWeights: readonly [number, number, number] | null;
  /** What light is multiplied by, for red, green and blue. */
  readonly whiteBalance: readonly [number, number, number];
  /** Encoded values (0 to 255) by the square root of light, `tonesPerUnit` of them up to 1; the last is never passed. */
  readonly tones: Float32Array;
  readonly tonesPerUnit: number;
  /** 1 leaves colours as they are. */
  readonly saturation: number;
  /** About the standard deviation of the noise, in 8-bit steps. */
  readonly noise: number;
  /** `H W`, 32 random bits each, that the noise is made of. */
  readonly bits: Uint32Array;
};

/** Past a picture's and a line's end, as far as vectors reach. */
const PADDING = 16;

/** Makes a lens with a memory of its own; gives bytes (`H W 3`) that the caller keeps. */
export function createLensKernel(): (development: Development) => Uint8Array<ArrayBuffer> {
  const { exports, heap } = instantiateKernel<LensExports>(wasmBase64);
  return ({ width, height, linear, blurWeights, whiteBalance, tones, tonesPerUnit, ...rest }) => {
    heap.reset();
    const picture = heap.put(linear);
    heap.reserve(PADDING);
    const [curve, bits] = [heap.put(tones), heap.put(rest.bits)];
    const out = heap.reserve(linear.length);
    if (blurWeights !== null) {
      const line = heap.reserve(12 * (width + 4) + PADDING);
      const middle = heap.reserve(linear.byteLength + PADDING);
      exports.blur(picture, width, height, ...blurWeights, line, middle);
    }
    const tone = [curve, tones.length - 1, tonesPerUnit, rest.saturation] as const;
    exports.develop(picture, width * height, ...whiteBalance, ...tone, rest.noise, bits, out);
    return heap.bytes(out, linear.length).slice();
  };
}
