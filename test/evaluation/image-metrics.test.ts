import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import { bootstrapMean, compareImages, correlation } from '../../src/evaluation/index.ts';
import type { RgbImage } from '../../src/media/index.ts';

const SIZE = 24;

function picture(value: (index: number) => number): RgbImage {
  return {
    width: SIZE,
    height: SIZE,
    data: Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => value(i)),
  };
}
const texture = picture((i) => (i * 37) % 251);

test('a picture compared with itself has SSIM 1, L1 0 and infinite PSNR', () => {
  const { psnr, ssim, l1 } = compareImages(texture, texture);
  assert.equal(psnr, Number.POSITIVE_INFINITY);
  assert.ok(Math.abs(ssim - 1) < 1e-12);
  assert.equal(l1, 0);
});

test('a constant difference of 16 grey levels has the PSNR of its formula', () => {
  const { psnr, l1 } = compareImages(
    picture(() => 100),
    picture(() => 116),
  );
  assert.ok(Math.abs(psnr - 20 * Math.log10(255 / 16)) < 1e-9);
  assert.ok(Math.abs(l1 - 16 / 255) < 1e-12);
});

test('SSIM of two constant pictures is its luminance term', () => {
  const { ssim } = compareImages(
    picture(() => 100),
    picture(() => 116),
  );
  const c1 = 2.55 ** 2;
  assert.ok(Math.abs(ssim - (2 * 100 * 116 + c1) / (100 ** 2 + 116 ** 2 + c1)) < 1e-9);
});

test('pixels outside the region do not count', () => {
  const changed = picture((i) => (i < SIZE * 3 ? 255 - texture.data[i]! : texture.data[i]!));
  const belowFirstRow = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (i >= SIZE ? 1 : 0));
  assert.equal(compareImages(changed, texture, belowFirstRow).l1, 0);
  assert.ok(compareImages(changed, texture).l1 > 0);
});

test('pictures of two sizes and empty regions are refused', () => {
  const small: RgbImage = { width: 1, height: 1, data: new Uint8Array(3) };
  assert.throws(() => compareImages(small, texture), BadInputError);
  assert.throws(() => compareImages(texture, texture, new Uint8Array(SIZE * SIZE)), BadInputError);
});

test('a bootstrap interval holds the mean and shrinks with more values', () => {
  const few = bootstrapMean([1, 2, 3, 4]);
  const many = bootstrapMean(Array.from({ length: 400 }, (_, i) => 1 + (i % 4)));
  assert.ok(few.low <= few.mean && few.mean <= few.high);
  assert.ok(many.high - many.low < few.high - few.low);
});

test('correlation is 1 for a rising line, -1 for a falling one', () => {
  assert.ok(Math.abs(correlation([1, 2, 3], [10, 20, 30]) - 1) < 1e-12);
  assert.ok(Math.abs(correlation([1, 2, 3], [3, 2, 1]) + 1) < 1e-12);
});
