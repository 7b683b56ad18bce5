// Builders infer shapes, and name what does not fit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  attention,
  concat,
  conv2d,
  gatherRows,
  groupNorm,
  input,
  linear,
  matmul,
  mul,
  reshape,
  slice,
  softmax,
  split,
  transpose,
  upsampleNearest,
  where,
} from '../../src/tensor/index.ts';

const x = input('x', [2, 6, 8, 8]);
const vector = input('v', [6]);

test('shapes follow from the operands', () => {
  assert.deepEqual(add(x, input('b', [6, 1, 1])).shape, [2, 6, 8, 8]);
  assert.deepEqual(conv2d(x, input('w', [4, 6, 3, 3]), { stride: 2, padding: 1 }).shape, [2, 4, 4, 4]);
  assert.deepEqual(matmul(input('a', [5, 1, 2, 3]), input('b', [4, 3, 7])).shape, [5, 4, 2, 7]);
  assert.deepEqual(reshape(x, [2, -1, 64]).shape, [2, 6, 64]);
  assert.deepEqual(upsampleNearest(x, 2).shape, [2, 6, 16, 16]);
  assert.deepEqual(slice(x, { axis: -1, start: -3, end: 8 }).shape, [2, 6, 8, 3]);
});

test('neutral elements and moves that move nothing add no node', () => {
  assert.equal(add(x, 0), x);
  assert.equal(mul(x, 1), x);
  assert.equal(reshape(x, [2, 6, 8, 8]), x);
});

test('what does not fit is refused with both shapes named', () => {
  const refused: [() => unknown, RegExp][] = [
    [() => add(x, vector), /Add expected shapes that broadcast, got \[2,6,8,8\] and \[6\]/],
    [() => add(x, input('i', [1], 'int64')), /one type, got float32 and int64/],
    [() => where(x, 1, 0), /bool condition/],
    [() => matmul(x, vector), /matmul expected shapes/],
    [() => linear(vector, input('w', [3, 5])), /linear expected x \[\.\.\., 5\]/],
    [() => conv2d(x, input('w', [4, 5, 3, 3])), /conv2d expected a weight for 6 channels/],
    [() => conv2d(x, input('w', [4, 6, 9, 9])), /at least as large as the kernel/],
    [() => conv2d(x, input('w', [4, 6, 1, 1]), { bias: vector }), /bias \[4\], got \[6\]/],
    [() => reshape(x, [5, -1]), /reshape expected 768 elements/],
    [() => transpose(x, [0, 1, 1, 2]), /permutation of the 4 axes/],
    [() => concat([x, vector], 1), /concat along axis 1/],
    [() => split(x, { axis: 1, sizes: [1, 2] }), /add up to 6/],
    [() => slice(x, { axis: 1, start: 3, end: 9 }), /range within 6, got 3 to 9/],
    [() => softmax(x, 4), /axis of shape \[2,6,8,8\], got 4/],
    [() => gatherRows(vector, vector), /gatherRows expected a table/],
    [() => groupNorm(x, { groups: 4, scale: vector, bias: vector }), /divisible by 4/],
    [() => attention({ query: x, key: x, value: x, heads: 2 }), /attention expected \[B, S, D\]/],
  ];
  for (const [build, message] of refused) assert.throws(build, { name: 'BadInputError', message });
});
