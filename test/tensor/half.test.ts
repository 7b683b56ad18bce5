// Halves in files: every half is its own value, and floats round to the nearest half, ties to even.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, fromHalf, toHalf } from '../../src/tensor/index.ts';

const everyHalf = Uint16Array.from({ length: 65_536 }, (_, half) => half);
const values = fromHalf(everyHalf);

test('every half comes back from its value, alone or among many', () => {
  const back = toHalf(values);
  for (let half = 0; half < 65_536; half++) {
    assert.equal(Object.is(values[half], fromHalf(Uint16Array.of(half))[0]), true);
    if (Number.isNaN(values[half])) assert.ok(Number.isNaN(fromHalf(back.subarray(half, half + 1))[0]));
    else assert.equal(back[half], half);
  }
});

test('a float becomes the nearest half; in the middle, the even one', () => {
  const finite = everyHalf.subarray(0, 0x7bff);
  for (const half of finite) {
    const [low, high] = [values[half]!, values[half + 1]!];
    const middle = (low + high) / 2;
    const step = (high - low) / 8;
    const [even, below, above] = toHalf(Float32Array.of(middle, middle - step, middle + step));
    assert.deepEqual([even, below, above], [half + (half & 1), half, half + 1]);
  }
  const random = createRandom(1);
  const floats = Float32Array.from({ length: 1000 }, () => random.normal() * 2 ** (random.integer(40) - 28));
  for (const [i, half] of fromHalf(toHalf(floats)).entries()) {
    const error = Math.abs(half - floats[i]!);
    assert.ok(error <= Math.max(Math.abs(floats[i]!) * 2 ** -11, 2 ** -25), `${floats[i]}`);
  }
});
