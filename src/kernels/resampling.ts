// Bilinear samples of a part of a picture, in one pass. Plain reference: `src/media/reference-warp.ts`.

import { instantiateKernel } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/resampling.wasm.ts';

type ResamplingExports = {
  resample(
    out: number,
    targetWidth: number,
    targetHeight: number,
    source: number,
    width: number,
    height: number,
    place: number,
    offsets: number,
    weights: number,
    black: number,
    scale: number,
    isBlack: number,
  ): void;
};

/** What is resampled, and how. */
export type Resampling = {
  /** Rows of RGB bytes. */
  readonly source: { readonly width: number; readonly height: number; readonly data: Uint8Array };
  /** From target to source: `x' = a x + b y + c`, `y' = d x + e y + f`, pixel centres at +0.5. */
  readonly sourceFromTarget: readonly [number, number, number, number, number, number];
  /** Of the target. */
  readonly width: number;
  readonly height: number;
  /** Along each axis of a target pixel. */
  readonly samples: number;
  /** A byte becomes `offset + scale byte`. */
  readonly offset: number;
  readonly scale: number;
  /** The shares of red, green and blue in the one plane that is wanted; without them, three planes are. */
  readonly weights?: readonly [red: number, green: number, blue: number];
  readonly border: 'nearest' | 'black';
};

/** Bytes past the last pixel and the row below it that are read with them. */
const PADDING = 16;

/** Makes a resampler with a memory of its own, as large as the largest part that it saw; results are copies. */
export function createResamplingKernel(): (resampling: Resampling) => Float32Array<ArrayBuffer> {
  const { exports, heap } = instantiateKernel<ResamplingExports>(wasmBase64);
  return (resampling) => {
    const { source, width, height, samples, offset, scale, weights, border } = resampling;
    const [a, b, c, d, e, f] = resampling.sourceFromTarget;
    const [top, end] = touchedRows(resampling);
    const stride = 3 * source.width;
    const length = (weights === undefined ? 3 : 1) * width * height;
    heap.reset();
    const rows = heap.put(source.data.subarray(top * stride, end * stride));
    heap.reserve(stride + PADDING);
    const halfStep = 0.5 / samples;
    const firstX = c + halfStep * (a + b) - 0.5;
    const firstY = f + halfStep * (d + e) - 0.5 - top;
    const steps = [a, d, b, e].map((step) => step / samples);
    const place = heap.put(Float64Array.of(firstX, firstY, ...steps, samples));
    const offsets = heap.reserve(16 * samples ** 2);
    const shares = weights === undefined ? 0 : heap.put(Float32Array.of(...weights, 0));
    const out = heap.reserve(4 * length);
    const isBlack = border === 'black' ? 1 : 0;
    exports.resample(
      ...([out, width, height, rows, source.width, end - top] as const),
      ...([place, offsets, shares, offset, scale, isBlack] as const),
    );
    return heap.floats(out, length).slice();
  };
}

/** Rows of the source that the map may touch; at least one, at the border that it lies beyond. */
function touchedRows({ source, sourceFromTarget, width, height }: Resampling): readonly [number, number] {
  const [, , , d, e, f] = sourceFromTarget;
  const [across, down] = [d * width, e * height];
  const within = (row: number): number => Math.min(source.height - 1, Math.max(0, row));
  const first = within(Math.floor(f + Math.min(0, across) + Math.min(0, down)) - 1);
  const last = within(Math.ceil(f + Math.max(0, across) + Math.max(0, down)) + 1);
  return [first, last + 1];
}
