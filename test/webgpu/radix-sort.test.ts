// The radix sort against the language's own sort, which is stable.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../src/tensor/index.ts';
import { sortOnGpu } from '../../src/webgpu/index.ts';
import { openTestDevice } from './test-device.ts';

const { skip, context } = await openTestDevice();

/** Keys below `most`, and the order in which they came as values. */
function pairs(
  count: number,
  most: number,
): { keys: Uint32Array<ArrayBuffer>; values: Uint32Array<ArrayBuffer> } {
  const random = createRandom(count + 1);
  return {
    keys: Uint32Array.from({ length: count }, () => Math.floor(random.uniform(0, most))),
    values: Uint32Array.from({ length: count }, (_, i) => i),
  };
}

async function check(count: number, most: number, bits: number): Promise<void> {
  const unsorted = pairs(count, most);
  const mask = 2 ** bits - 1;
  const expected = unsorted.values.toSorted(
    (a, b) => ((unsorted.keys[a]! & mask) >>> 0) - ((unsorted.keys[b]! & mask) >>> 0) || a - b,
  );
  const sorted = await sortOnGpu(context(), { ...unsorted, bits });
  assert.deepEqual(sorted.values, expected);
  assert.deepEqual(
    sorted.keys,
    expected.map((i) => unsorted.keys[i]!),
  );
}

for (const count of [0, 1, 2, 255, 256, 257, 2047, 2048, 2049, 100_000]) {
  test(`${count} pairs are sorted by all 32 bits`, { skip }, () => check(count, 2 ** 32, 32));
}

test('equal keys keep their order', { skip }, async () => {
  await check(10_000, 7, 8);
  await check(5000, 1, 32);
});

test('bits above those asked for do not count', { skip }, () => check(5000, 2 ** 32, 16));
