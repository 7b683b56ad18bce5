// Luma and chroma: the standards' own values, and the round trip that every written frame makes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  guessYuvColour,
  i420FromImage,
  imageFromYuv,
  type RgbImage,
  referenceImageFromYuv,
  solidImage,
  type YuvColour,
  type YuvLayout,
} from '../../src/media/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

/** One plane after the other, chroma halved in both directions. */
function i420Layout(width: number, height: number): YuvLayout {
  const area = width * height;
  const chroma = (offset: number) => ({ offset, stride: width / 2, step: 1 });
  return {
    y: { offset: 0, stride: width, step: 1 },
    u: chroma(area),
    v: chroma(area + area / 4),
    chromaShiftX: 1,
    chromaShiftY: 1,
  };
}

function decode(yuv: readonly [number, number, number], colour: YuvColour): number[] {
  const buffer = Uint8Array.from([yuv[0], yuv[0], yuv[0], yuv[0], yuv[1], yuv[2]]);
  const image = imageFromYuv(buffer, { width: 2, height: 2, layout: i420Layout(2, 2), colour });
  return [...image.data.subarray(0, 3)];
}

test('limited range maps 16 to black and 235 to white, full range 0 and 255', () => {
  const limited: YuvColour = { matrix: 'bt709', isFullRange: false };
  assert.deepEqual(decode([16, 128, 128], limited), [0, 0, 0]);
  assert.deepEqual(decode([235, 128, 128], limited), [255, 255, 255]);
  assert.deepEqual(decode([255, 128, 128], { ...limited, isFullRange: true }), [255, 255, 255]);
  assert.deepEqual(decode([0, 128, 128], { ...limited, isFullRange: true }), [0, 0, 0]);
});

test('the primaries decode from the code words of BT.601 and BT.709', () => {
  const within = (yuv: readonly [number, number, number], matrix: 'bt601' | 'bt709', expected: number[]) => {
    const got = decode(yuv, { matrix, isFullRange: false });
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs(got[i]! - value) <= 2, `${matrix} ${yuv}: ${got}`);
  };
  // 8-bit code words of 100 % red, green and blue.
  within([82, 90, 240], 'bt601', [255, 0, 0]);
  within([145, 54, 34], 'bt601', [0, 255, 0]);
  within([41, 240, 110], 'bt601', [0, 0, 255]);
  within([63, 102, 240], 'bt709', [255, 0, 0]);
  within([173, 42, 26], 'bt709', [0, 255, 0]);
  within([32, 240, 118], 'bt709', [0, 0, 255]);
});

test('the two matrices differ on a skin tone by what a player would show wrongly', () => {
  const yuv = [160, 110, 155] as const;
  const [a, b] = (['bt601', 'bt709'] as const).map((matrix) => decode(yuv, { matrix, isFullRange: false }));
  assert.ok(a!.some((value, i) => Math.abs(value - b![i]!) >= 5));
});

test('a written frame comes back within 2 of 255 where colours are smooth', () => {
  const image = solidImage(32, 16, [0, 0, 0]);
  for (let i = 0; i < 32 * 16; i++)
    image.data.set([60 + (i % 32) * 4, 90 + (i >> 5) * 6, 200 - (i % 32)], i * 3);
  const { data, width, height } = i420FromImage(image);
  const colour: YuvColour = { matrix: 'bt709', isFullRange: false };
  const back = imageFromYuv(data, { width, height, layout: i420Layout(width, height), colour });
  // Neighbours in a 2 x 2 block share chroma, and the gradient is 4 and 6 a pixel.
  for (let i = 0; i < image.data.length; i++) assert.ok(Math.abs(back.data[i]! - image.data[i]!) <= 5);
  const grey = i420FromImage(solidImage(2, 2, [77, 77, 77]));
  const greyBack = imageFromYuv(grey.data, { width: 2, height: 2, layout: i420Layout(2, 2), colour });
  for (const value of greyBack.data) assert.ok(Math.abs(value - 77) <= 1);
});

test('an odd picture is extended to even sizes by its last column and row', () => {
  const image: RgbImage = { width: 3, height: 1, data: Uint8Array.from([0, 0, 0, 255, 255, 255, 0, 0, 0]) };
  const { width, height, data } = i420FromImage(image);
  assert.deepEqual([width, height], [4, 2]);
  assert.deepEqual([...data.subarray(0, 8)], [16, 235, 16, 16, 16, 235, 16, 16]);
});

test('chroma in one interleaved plane (NV12) reads like chroma in two', () => {
  const colour: YuvColour = { matrix: 'bt601', isFullRange: false };
  const planes = Uint8Array.from([50, 100, 150, 200, 90, 200]);
  const interleaved: YuvLayout = {
    y: { offset: 0, stride: 2, step: 1 },
    u: { offset: 4, stride: 2, step: 2 },
    v: { offset: 5, stride: 2, step: 2 },
    chromaShiftX: 1,
    chromaShiftY: 1,
  };
  const size = { width: 2, height: 2, colour };
  assert.deepEqual(
    imageFromYuv(planes, { ...size, layout: interleaved }),
    imageFromYuv(planes, { ...size, layout: i420Layout(2, 2) }),
  );
});

for (const [width, height, padding] of [
  [2, 2, 0],
  [30, 6, 3],
  [33, 5, 0],
  [64, 10, 16],
] as const) {
  test(`frames of ${width} x ${height}, rows padded by ${padding}, have the plain statement's pixels`, () => {
    const random = createRandom(width);
    const [stride, chromaStride] = [width + padding, Math.ceil(width / 2) + padding];
    const [area, chromaArea] = [stride * height, chromaStride * Math.ceil(height / 2)];
    const buffer = Uint8Array.from({ length: area + 2 * chromaArea }, () => random.integer(256));
    const layout: YuvLayout = {
      y: { offset: 0, stride, step: 1 },
      u: { offset: area, stride: chromaStride, step: 1 },
      v: { offset: area + chromaArea, stride: chromaStride, step: 1 },
      chromaShiftX: 1,
      chromaShiftY: 1,
    };
    for (const matrix of ['bt601', 'bt709', 'bt2020'] as const) {
      for (const isFullRange of [false, true]) {
        const frame = { width, height, layout, colour: { matrix, isFullRange } };
        assert.deepEqual(imageFromYuv(buffer, frame), referenceImageFromYuv(buffer, frame));
      }
    }
  });
}

test('untagged streams are BT.709 from high definition on, BT.601 below', () => {
  assert.equal(guessYuvColour(512, 512).matrix, 'bt601');
  assert.equal(guessYuvColour(720, 1280).matrix, 'bt709');
});
