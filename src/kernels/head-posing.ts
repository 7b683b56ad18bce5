// The kernel that poses a head: weighted sums of blend shapes, then linear blend skinning.
// `src/head` lays the data out once and calls this per frame; its plain reference stands there too.

import { instantiateKernel, type KernelHeap } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/head-posing.wasm.ts';

/** How many values of one blend shape lie side by side in the kernel's layout. */
export const POSING_BLOCK = 16;

/** The exports of `head-posing.kernel.ts`; every argument is a pointer or a count. */
export type HeadPosingKernel = {
  combine(
    out: number,
    base: number,
    basis: number,
    rowCount: number,
    rows: number,
    coefficients: number,
    count: number,
    blocks: number,
  ): void;
  skin(out: number, points: number, weights: number, columns: number, joints: number, vertices: number): void;
};

/** A fresh instance with a heap of its own: each poser keeps its head in one. */
export function createHeadPosingKernel(): { exports: HeadPosingKernel; heap: KernelHeap } {
  return instantiateKernel<HeadPosingKernel>(wasmBase64);
}

/**
 * Reorders blend shapes (`rows x length`, row-major) to the kernel's blocks: block b holds values
 * 16 b to 16 b + 15 of every row, row after row; the tail is filled with zeros.
 */
export function toPosingBlocks(basis: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const length = rows === 0 ? 0 : basis.length / rows;
  const blocks = Math.ceil(length / POSING_BLOCK);
  const blocked = new Float32Array(blocks * POSING_BLOCK * rows);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < length; i++) {
      const block = Math.floor(i / POSING_BLOCK);
      blocked[(block * rows + row) * POSING_BLOCK + (i % POSING_BLOCK)] = basis[row * length + i]!;
    }
  }
  return blocked;
}
