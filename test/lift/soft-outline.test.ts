// Pixels at a head's rim take their share of what is beside it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { softenOutline } from '../../src/lift/soft-outline.ts';

const SIZE = 7;

/** A head of 200 with a straight edge before a background of 20: columns from `first` on. */
function edged(first: number) {
  const isHead = new Uint8Array(SIZE * SIZE).map((_, i) => (i % SIZE >= first ? 1 : 0));
  const data = new Uint8Array(3 * SIZE * SIZE).map((_, i) => (Math.floor(i / 3) % SIZE >= first ? 200 : 20));
  const mask = new Uint8Array(SIZE * SIZE).map((_, i) => (i % SIZE >= first ? 255 : 0));
  return { isHead, picture: { width: SIZE, height: SIZE, data, mask } };
}

test('the rim mixes a third of what is beside it, and nothing else changes', () => {
  const { isHead, picture } = edged(3);
  softenOutline(isHead, picture);
  const row = SIZE * 3;
  assert.deepEqual([...picture.mask.subarray(row, row + SIZE)], [0, 0, 0, 170, 255, 255, 255]);
  assert.deepEqual(
    Array.from({ length: SIZE }, (_, x) => picture.data[3 * (row + x)]),
    [20, 20, 20, 140, 200, 200, 200],
  );
});

test('a picture that is head alone, and one without a mask, stay sound', () => {
  const { isHead, picture } = edged(0);
  const before = picture.data.slice();
  softenOutline(isHead, { ...picture, mask: null });
  assert.deepEqual(picture.data, before);
});
