// Frames as most decoders give them, to RGB. Plain reference: `referenceImageFromYuv` of `src/media/yuv.ts`, which takes
// every layout.

import { instantiateKernel } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/yuv.wasm.ts';

type YuvExports = {
  rgbFromI420(
    out: number,
    width: number,
    height: number,
    luma: number,
    strideY: number,
    u: number,
    v: number,
    strideC: number,
    factors: number,
  ): void;
};

/** Where a plane begins in the buffer, and how far apart its rows lie; bytes. */
type Plane = { readonly offset: number; readonly stride: number };

/** A frame of luma and of chroma with half the samples along both axes. */
export type I420Frame = {
  readonly buffer: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly y: Plane;
  /** Of one stride. */
  readonly u: Plane;
  readonly v: Plane;
  /** 16.16 fixed point: luma's zero (an integer) and scale, red's of v, green's of u and of v, blue's of u. */
  readonly factors: Int32Array;
};

/** Bytes past the planes, and past the picture, that the kernel touches. */
const PADDING = 32;

/** Makes a converter with a memory of its own, as large as the largest frame that it saw; results are copies. */
export function createYuvKernel(): (frame: I420Frame) => Uint8Array<ArrayBuffer> {
  const { exports, heap } = instantiateKernel<YuvExports>(wasmBase64);
  return ({ buffer, width, height, y, u, v, factors }) => {
    heap.reset();
    const chromaRows = Math.ceil(height / 2);
    const plane = ({ offset, stride }: Plane, rows: number): number => {
      const pointer = heap.put(buffer.subarray(offset, offset + stride * rows));
      heap.reserve(PADDING);
      return pointer;
    };
    const [luma, first, second] = [plane(y, height), plane(u, chromaRows), plane(v, chromaRows)];
    const table = heap.put(factors);
    const length = 3 * width * height;
    const out = heap.reserve(length + PADDING);
    exports.rgbFromI420(out, width, height, luma, y.stride, first, second, u.stride, table);
    return heap.bytes(out, length).slice();
  };
}
