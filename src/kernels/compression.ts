// What a JPEG loses. Plain reference: `src/synthesis/reference-compression.ts`.

import { instantiateKernel } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/compression.wasm.ts';

type CompressionExports = {
  compress(
    ...pointersAndSizes: [
      ...picture: [rgb: number, width: number, height: number],
      ...tables: [cosines: number, lumaSteps: number, chromaSteps: number],
      ...scratch: [luma: number, blue: number, red: number, block: number],
    ]
  ): void;
};

/** How coarsely cosine coefficients are rounded: `8 8` each, frequencies down by frequencies across. */
export type CompressionSteps = { readonly luma: Float32Array; readonly chroma: Float32Array };

const BLOCK_BYTES = 256;

/** `COSINES[8 k + x]`: the orthonormal cosine transform of eight samples. */
export const COSINES: Float32Array = Float32Array.from({ length: 64 }, (_, i) => {
  const [k, x] = [i >> 3, i & 7];
  return Math.cos(((2 * x + 1) * k * Math.PI) / 16) * (k === 0 ? Math.SQRT1_2 : 1) * 0.5;
});

/** Makes the kernel with a memory of its own; it changes a picture (`H W 3` bytes) in place. */
export function createCompressionKernel(): (
  picture: { readonly width: number; readonly height: number; readonly data: Uint8Array },
  steps: CompressionSteps,
) => void {
  const { exports, heap } = instantiateKernel<CompressionExports>(wasmBase64);
  return ({ width, height, data }, { luma, chroma }) => {
    heap.reset();
    const rgb = heap.put(data);
    const tables = [heap.put(COSINES), heap.put(luma), heap.put(chroma)] as const;
    const half = 4 * Math.ceil(width / 2) * Math.ceil(height / 2);
    const planes = [heap.reserve(4 * width * height), heap.reserve(half), heap.reserve(half)] as const;
    exports.compress(rgb, width, height, ...tables, ...planes, heap.reserve(2 * BLOCK_BYTES));
    data.set(heap.bytes(rgb, data.length));
  };
}
