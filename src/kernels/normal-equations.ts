// The kernel of least-squares steps: the columns of a Jacobian in one memory, and the products of chosen ones.

import { instantiateKernel } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/normal-equations.wasm.ts';

type NormalEquationsExports = {
  products(table: number, count: number, rows: number, out: number): void;
};

/** A Jacobian A, column by column, and its normal equations. */
export type NormalEquationsKernel = {
  /** `P` columns of `rows`: views of the kernel's memory, valid as long as it lives. */
  readonly columns: readonly Float64Array[];
  /**
   * `A^T A` over the chosen columns, in rising order, written to their rows and columns of `matrix` (`P P`, both
   * halves); the rest of it is left as it was.
   */
  products(chosen: readonly number[], matrix: Float64Array): void;
};

/** Zeroed columns; an odd row at the end stays zero. */
export function createNormalEquationsKernel(columnCount: number, rows: number): NormalEquationsKernel {
  const { exports, heap } = instantiateKernel<NormalEquationsExports>(wasmBase64);
  const padded = rows + (rows % 2);
  const bytes = 8 * padded;
  const first = heap.reserve(bytes * columnCount);
  const table = heap.reserve(4 * columnCount);
  const out = heap.reserve(8 * columnCount ** 2);
  const pointers = heap.uints(table, columnCount);
  const found = heap.doubles(out, columnCount ** 2);
  return {
    columns: Array.from({ length: columnCount }, (_, i) => heap.doubles(first + i * bytes, rows)),
    products(chosen, matrix) {
      const count = chosen.length;
      for (const [i, column] of chosen.entries()) pointers[i] = first + column * bytes;
      if (count > 0) exports.products(table, count, padded, out);
      for (let i = 0; i < count; i++) {
        const row = chosen[i]!;
        for (let j = i; j < count; j++) {
          const column = chosen[j]!;
          const value = found[i * count + j]!;
          matrix[row * columnCount + column] = value;
          matrix[column * columnCount + row] = value;
        }
      }
    },
  };
}
