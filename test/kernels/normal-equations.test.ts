// The products of columns by the kernel, against the plain statement.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNormalEquationsKernel } from '../../src/kernels/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { normalEquations } from '../../src/tracking/small-algebra.ts';

const COLUMNS = 13;

for (const rows of [1, 8, 31, 956]) {
  for (const chosen of [
    [],
    [4],
    [0, 12],
    [1, 2, 5, 6, 7, 9, 11],
    Array.from({ length: COLUMNS }, (_, i) => i),
  ]) {
    test(`${chosen.length} of ${COLUMNS} columns of ${rows} rows give the plain products, and no others`, () => {
      const random = createRandom(rows);
      const kernel = createNormalEquationsKernel(COLUMNS, rows);
      for (const column of kernel.columns) {
        for (let r = 0; r < rows; r++) column[r] = random.normal();
      }
      const expected = new Float64Array(COLUMNS ** 2).fill(7);
      const found = expected.slice();
      normalEquations(kernel.columns, chosen, expected);
      kernel.products(chosen, found);
      for (const [i, value] of expected.entries()) {
        assert.ok(
          Math.abs(found[i]! - value) < 1e-10 * (1 + Math.abs(value)),
          `at ${i}: ${found[i]}, ${value}`,
        );
      }
    });
  }
}
