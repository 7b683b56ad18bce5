// Symmetric systems against products that are known.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotationAngle, rotationFromAxisAngle, solvePositive } from '../../src/geometry/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

for (const n of [1, 3, 17]) {
  test(`a positive system of ${n} gives back what it was made of`, () => {
    const random = createRandom(n);
    const root = Float64Array.from({ length: n * n }, () => random.normal());
    const matrix = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = i === j ? 0.5 : 0;
      for (let k = 0; k < n; k++) sum += root[i * n + k]! * root[j * n + k]!;
      return sum;
    });
    const x = Float64Array.from({ length: n }, () => random.normal());
    const right = x.map((_, i) => x.reduce((sum, value, j) => sum + matrix[i * n + j]! * value, 0));
    const before = matrix.slice();
    const solution = solvePositive(matrix, right);
    for (const [i, value] of x.entries()) assert.ok(Math.abs(solution[i]! - value) < 1e-8);
    assert.deepEqual(matrix, before);
  });
}

test('the angle between rotations is that of the turn between them', () => {
  const a = rotationFromAxisAngle([0.3, -0.2, 0.5]);
  const turned = rotationFromAxisAngle([0, 0, 0.7]);
  assert.ok(rotationAngle(a, a) < 1e-7);
  assert.ok(Math.abs(rotationAngle(rotationFromAxisAngle([0, 0, 0]), turned) - 0.7) < 1e-12);
  assert.ok(Math.abs(rotationAngle(turned, rotationFromAxisAngle([0, 0, -0.7])) - 1.4) < 1e-12);
});
