// The splatting kernel with its memory: numbers in, images out, and the way back.
// Knows arrays only; scenes, shapes and their checks are in `gaussians`.

import type { KernelInstance } from './kernel-instance.ts';
import { canRunKernel, instantiateKernel } from './kernel-instance.ts';
import { BLOCK_SIZE } from './splatting-constants.ts';
import { wasmBase64 } from './wasm/splatting.wasm.ts';
import { wasmBase64 as fusedWasmBase64 } from './wasm/splatting-fused.wasm.ts';

/** What a scene is to the kernel; letters: N Gaussians, C channels. */
export type SplattingInput = {
  readonly width: number;
  readonly height: number;
  /** Rotation (9, row-major) and translation (3) to camera axes, focal lengths x y, centre x y (pixels). */
  readonly camera: Float64Array;
  readonly channels: number;
  /** `N 3`. */
  readonly means: Float32Array;
  /** `N`, at least 0; `N 3` with rotations. */
  readonly scales: Float32Array;
  /** `N 4`, quaternions w x y z; null where all Gaussians are balls. */
  readonly rotations: Float32Array | null;
  /** `N`, 0 to 1. */
  readonly opacities: Float32Array;
  /** `N C`. */
  readonly features: Float32Array;
};

/** Where the kernel's answers are written: `C H W` and `H W`. */
export type SplattingImages = { readonly features: Float32Array; readonly alpha: Float32Array };

/** Where the kernel's gradients are written: shaped like the scene's arrays. */
export type SplattingGradients = {
  readonly means: Float32Array;
  readonly scales: Float32Array;
  /** Of scenes with rotations. */
  readonly rotations?: Float32Array | undefined;
  readonly opacities: Float32Array;
  readonly features: Float32Array;
};

type Exports = {
  setScene(...numbersThenPointers: number[]): void;
  setBuffers(...pointers: number[]): void;
  project(): void;
  startTiles(): number;
  startBlocks(): number;
  fillLists(tileEntries: number, entries: number): void;
  blend(): void;
  blendBackward(...pointers: number[]): void;
  projectBackward(gradMeans: number, gradScales: number, gradRotations: number, gradOpacities: number): void;
};

type Layout = {
  readonly width: number;
  readonly height: number;
  /** Floats in a row of an image plane in the kernel, and from one plane to the next. */
  readonly stride: number;
  readonly plane: number;
  readonly count: number;
  readonly isTurned: boolean;
  readonly channels: number;
  /** Channels in the kernel: a multiple of 4, the rest zero. */
  readonly lanes: number;
  gradients: GradientLayout | null;
};

type GradientLayout = {
  readonly image: number;
  readonly alpha: number;
  readonly scratch: number;
  readonly sums: number;
  readonly means: number;
  readonly scales: number;
  readonly rotations: number;
  readonly opacities: number;
  readonly features: number;
};

const RECORD_BYTES = 64;
const SUMS_BYTES = 32;
const HISTOGRAM_BYTES = 3 * 2048 * 4;
/** Floats between image planes. Without them rows of all planes would compete for few lines of the cache. */
const PLANE_GAP = 48;
/** Side of the tiles that Gaussians are first listed by, pixels. */
const TILE_SIZE = 16 * BLOCK_SIZE;

/** Does this host have the instructions of the kernel's faster form, which fuses products and sums? */
export function canFuseSplatting(): boolean {
  return canRunKernel(fusedWasmBase64);
}

/** One instance of the kernel. It keeps its last scene for `backward`, and its memory for the next one. */
export class SplattingKernel {
  readonly #kernel: KernelInstance<Exports>;
  #layout: Layout | null = null;

  /** @param options `isFused` chooses the form; by default the faster one where the host can run it */
  constructor({ isFused = canFuseSplatting() }: { readonly isFused?: boolean } = {}) {
    this.#kernel = instantiateKernel<Exports>(isFused ? fusedWasmBase64 : wasmBase64);
  }

  /** Splats a scene; writes every element of `images`. */
  forward(input: SplattingInput, images: SplattingImages): void {
    const { exports, heap } = this.#kernel;
    const { width, height, channels } = input;
    const count = input.opacities.length;
    const lanes = roundUp(channels, 4);
    const stride = roundUp(width, BLOCK_SIZE);
    const rows = roundUp(height, BLOCK_SIZE);
    const blocks = (stride * rows) / BLOCK_SIZE ** 2;
    const tiles = (roundUp(width, TILE_SIZE) * roundUp(height, TILE_SIZE)) / TILE_SIZE ** 2;
    const plane = stride * rows + PLANE_GAP;

    heap.reset();
    const camera = heap.put(input.camera);
    const means = heap.put(input.means);
    const scales = heap.put(input.scales);
    const isTurned = input.rotations !== null;
    const rotations = input.rotations === null ? 0 : heap.put(input.rotations);
    const opacities = heap.put(input.opacities);
    const features = this.#putRows(input.features, count, channels, lanes);
    const records = heap.reserve(count * RECORD_BYTES);
    const sort = heap.reserve(count * 16 + HISTOGRAM_BYTES);
    const starts = heap.reserve((blocks * 2 + stride + 4) * 4);
    const tileStarts = heap.reserve((tiles + 1) * 4);
    const image = heap.reserve(plane * 4 * lanes);
    const transmittance = heap.reserve(plane * 4);
    const alpha = heap.reserve(plane * 4);
    exports.setScene(width, height, count, lanes, camera, means, scales, rotations, opacities, features);
    exports.setBuffers(records, sort, starts, tileStarts, image, plane * 4, transmittance, alpha);
    exports.project();
    const tileEntries = heap.reserve(exports.startTiles() * 4);
    exports.fillLists(tileEntries, heap.reserve(exports.startBlocks() * 4));
    exports.blend();

    this.#layout = { width, height, stride, plane, count, isTurned, channels, lanes, gradients: null };
    this.#readPlanes(image, channels, images.features);
    this.#readPlanes(alpha, 1, images.alpha);
  }

  /**
   * The gradient of the last `forward`; writes every element of `gradients`.
   * @param gradFeatures `C H W` @param gradAlpha `H W`, or null for zero
   */
  backward(gradFeatures: Float32Array, gradAlpha: Float32Array | null, gradients: SplattingGradients): void {
    const { exports, heap } = this.#kernel;
    const layout = this.#layout!;
    const { count, isTurned, channels, lanes } = layout;
    layout.gradients ??= this.#reserveGradients(layout);
    const at = layout.gradients;
    this.#writePlanes(at.image, channels, lanes, gradFeatures);
    this.#writePlanes(at.alpha, gradAlpha === null ? 0 : 1, 1, gradAlpha);
    exports.blendBackward(at.image, at.alpha, at.sums, at.features, at.scratch);
    exports.projectBackward(at.means, at.scales, at.rotations, at.opacities);
    gradients.means.set(heap.floats(at.means, count * 3));
    gradients.scales.set(heap.floats(at.scales, isTurned ? count * 3 : count));
    if (isTurned) gradients.rotations!.set(heap.floats(at.rotations, count * 4));
    gradients.opacities.set(heap.floats(at.opacities, count));
    const features = heap.floats(at.features, count * lanes);
    if (lanes === channels) gradients.features.set(features);
    else copyRows(features, lanes, gradients.features, channels, count, channels);
  }

  #reserveGradients({ plane, count, isTurned, lanes }: Layout): GradientLayout {
    const { heap } = this.#kernel;
    return {
      image: heap.reserve(plane * 4 * lanes),
      alpha: heap.reserve(plane * 4),
      scratch: heap.reserve(lanes * 64),
      sums: heap.reserve(count * SUMS_BYTES),
      means: heap.reserve(count * 12),
      scales: heap.reserve(isTurned ? count * 12 : count * 4),
      rotations: heap.reserve(isTurned ? count * 16 : 0),
      opacities: heap.reserve(count * 4),
      features: heap.reserve(count * lanes * 4),
    };
  }

  #putRows(rows: Float32Array, count: number, channels: number, lanes: number): number {
    const { heap } = this.#kernel;
    if (lanes === channels) return heap.put(rows);
    const pointer = heap.reserve(count * lanes * 4);
    const target = heap.floats(pointer, count * lanes).fill(0);
    copyRows(rows, channels, target, lanes, count, channels);
    return pointer;
  }

  #readPlanes(pointer: number, planes: number, target: Float32Array): void {
    const { width, height, stride, plane } = this.#layout!;
    for (let p = 0; p < planes; p++) {
      const source = this.#kernel.heap.floats(pointer + p * plane * 4, stride * height);
      const part = target.subarray(p * height * width, (p + 1) * height * width);
      if (stride === width) part.set(source);
      else copyRows(source, stride, part, width, height, width);
    }
  }

  /** Copies planes in; what lies beside, below and after them becomes zero. */
  #writePlanes(pointer: number, planes: number, allPlanes: number, source: Float32Array | null): void {
    const { width, height, stride, plane } = this.#layout!;
    for (let p = 0; p < allPlanes; p++) {
      const target = this.#kernel.heap.floats(pointer + p * plane * 4, plane);
      if (source === null || p >= planes) {
        target.fill(0);
        continue;
      }
      const part = source.subarray(p * height * width, (p + 1) * height * width);
      if (stride === width) {
        target.set(part);
        target.fill(0, part.length);
      } else {
        target.fill(0);
        copyRows(part, width, target, stride, height, width);
      }
    }
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Copies the first `width` values of each row between matrices of different row lengths. */
function copyRows(
  source: Float32Array,
  sourceStride: number,
  target: Float32Array,
  targetStride: number,
  rows: number,
  width: number,
): void {
  for (let row = 0; row < rows; row++) {
    const from = row * sourceStride;
    const to = row * targetStride;
    for (let i = 0; i < width; i++) target[to + i] = source[from + i]!;
  }
}
