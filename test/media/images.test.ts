// Picture operations: known values and laws.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  cropImage,
  imageFromPlanar,
  orientImage,
  pasteImage,
  planarFromImage,
  type RgbImage,
  resampleWindow,
  resizeImage,
  sideBySide,
  sizeToFit,
  solidImage,
} from '../../src/media/index.ts';

/** A picture whose pixel (x, y) is (x, y, 100). */
function coordinateImage(width: number, height: number): RgbImage {
  const image = solidImage(width, height, [0, 0, 100]);
  for (let i = 0; i < width * height; i++) {
    image.data[i * 3] = i % width;
    image.data[i * 3 + 1] = Math.floor(i / width);
  }
  return image;
}

const pixel = (image: RgbImage, x: number, y: number): number[] => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
];

const anyImage: fc.Arbitrary<RgbImage> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((data) => ({ width, height, data })),
  );

test('halving a picture averages its 2 x 2 blocks', () => {
  const image: RgbImage = {
    width: 4,
    height: 2,
    data: Uint8Array.from([0, 10, 20, 30, 100, 100, 100, 100].flatMap((v) => [v, v, v])),
  };
  // Blocks: {0, 10, 100, 100} and {20, 30, 100, 100}.
  assert.deepEqual(pixel(resizeImage(image, 2, 1), 0, 0), [53, 53, 53]);
  assert.deepEqual(pixel(resizeImage(image, 2, 1), 1, 0), [63, 63, 63]);
});

test('doubling a picture interpolates between pixel centres', () => {
  const image: RgbImage = { width: 2, height: 1, data: Uint8Array.from([0, 0, 0, 100, 100, 100]) };
  const doubled = resizeImage(image, 4, 1);
  assert.deepEqual(
    [0, 1, 2, 3].map((x) => doubled.data[x * 3]),
    [0, 25, 75, 100],
  );
});

test('resizing keeps one colour one colour, whatever the sizes', () => {
  const size = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(size, size, size, size, (w, h, toW, toH) => {
      const resized = resizeImage(solidImage(w, h, [12, 200, 77]), toW, toH);
      assert.deepEqual(resized, solidImage(toW, toH, [12, 200, 77]));
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('a crop inside the picture is exact, and outside it repeats the nearest edge', () => {
  const image = coordinateImage(5, 4);
  const crop = cropImage(image, { left: 3, top: -2, width: 4, height: 5 });
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 4; x++) {
      assert.deepEqual(pixel(crop, x, y), [Math.min(4, x + 3), Math.max(0, y - 2), 100]);
    }
  }
});

test('a crop that misses the picture altogether is filled with the border', () => {
  const image = coordinateImage(5, 4);
  assert.deepEqual(
    cropImage(image, { left: 50, top: 50, width: 2, height: 2 }, [1, 2, 3]),
    solidImage(2, 2, [1, 2, 3]),
  );
  assert.deepEqual(pixel(cropImage(image, { left: -50, top: 1, width: 2, height: 1 }), 1, 0), [0, 1, 100]);
});

test('pasting a crop back restores the picture, also where the crop reached outside', () => {
  const offset = fc.integer({ min: -12, max: 12 });
  fc.assert(
    fc.property(anyImage, offset, offset, (image, left, top) => {
      const crop = cropImage(image, { left, top, width: 6, height: 5 });
      const canvas = { ...image, data: image.data.slice() };
      pasteImage(canvas, crop, left, top);
      assert.deepEqual(canvas, image);
    }),
    { seed: 2, numRuns: 100 },
  );
});

test('a quarter turn clockwise brings the lower left corner to the upper left', () => {
  const turned = orientImage(coordinateImage(5, 3), { clockwiseDegrees: 90 });
  assert.deepEqual([turned.width, turned.height], [3, 5]);
  assert.deepEqual(pixel(turned, 0, 0), [0, 2, 100]);
  assert.deepEqual(pixel(turned, 2, 4), [4, 0, 100]);
});

test('four quarter turns, two half turns and a turn with its opposite give the picture back', () => {
  fc.assert(
    fc.property(anyImage, (image) => {
      const turn = (from: RgbImage, clockwiseDegrees: 90 | 180 | 270): RgbImage =>
        orientImage(from, { clockwiseDegrees });
      const four = [1, 2, 3, 4].reduce((from) => turn(from, 90), image);
      assert.deepEqual(four, image);
      assert.deepEqual(turn(turn(image, 180), 180), image);
      assert.deepEqual(turn(turn(image, 90), 270), image);
    }),
    { seed: 3, numRuns: 40 },
  );
});

test('pictures side by side share one height and keep their shapes', () => {
  const row = sideBySide([solidImage(10, 20, [1, 1, 1]), solidImage(40, 40, [9, 9, 9])]);
  assert.deepEqual([row.width, row.height], [30, 20]);
  assert.deepEqual(pixel(row, 9, 19), [1, 1, 1]);
  assert.deepEqual(pixel(row, 10, 0), [9, 9, 9]);
});

test('to planar floats and back changes no pixel', () => {
  fc.assert(
    fc.property(anyImage, (image) => {
      assert.deepEqual(imageFromPlanar(planarFromImage(image)), image);
    }),
    { seed: 4, numRuns: 60 },
  );
});

test('planar values are in [-1, 1], channel by channel, and are clamped on the way back', () => {
  const planar = planarFromImage({ width: 2, height: 1, data: Uint8Array.from([0, 255, 51, 255, 0, 51]) });
  assert.deepEqual([...planar.shape], [3, 1, 2]);
  assert.deepEqual([...planar.data.subarray(0, 4)], [-1, 1, 1, -1]);
  const wild = { ...planar, data: Float32Array.of(-7, 7, 0, 0, 0, 0) };
  assert.deepEqual([...imageFromPlanar(wild).data.subarray(0, 4)], [0, 128, 128, 255]);
});

test('the size that fits a box keeps the shape and never exceeds the box', () => {
  assert.deepEqual(sizeToFit({ width: 720, height: 1280 }, { width: 512, height: 512 }), {
    width: 288,
    height: 512,
  });
  assert.deepEqual(sizeToFit({ width: 1, height: 1000 }, { width: 10, height: 10 }), {
    width: 1,
    height: 10,
  });
});

test('a window between pixels is read where it lies, and repeats the edge outside', () => {
  const image = coordinateImage(8, 8);
  const shifted = resampleWindow(image, { leftPx: 2.5, topPx: 1, widthPx: 4, heightPx: 4 }, 4, 4);
  // Halfway between columns 2 and 3, rounded up; rows exact.
  assert.deepEqual(pixel(shifted, 0, 0), [3, 1, 100]);
  const outside = resampleWindow(image, { leftPx: -6, topPx: -6, widthPx: 8, heightPx: 8 }, 4, 4);
  assert.deepEqual(pixel(outside, 0, 0), [0, 0, 100]);
  assert.deepEqual(pixel(outside, 3, 3), [1, 1, 100]);
});

test('a window with whole edges at its own size is a crop', () => {
  const image = coordinateImage(9, 7);
  const window = { leftPx: -2, topPx: 3, widthPx: 6, heightPx: 6 };
  assert.deepEqual(
    resampleWindow(image, window, 6, 6),
    cropImage(image, { left: -2, top: 3, width: 6, height: 6 }),
  );
});
