// warpAffine and warpGrey belong to media; they are tested where they are used hardest.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AffineMap, type RgbImage, warpAffine, warpGrey } from '../../src/media/index.ts';
import { referenceWarp } from '../../src/media/reference-warp.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { regionFromLandmarks, regionMap } from '../../src/tracking/index.ts';

/** A picture whose red grows with x and green with y. */
function ramp(width: number, height: number): RgbImage {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set([x, y, 0], 3 * (y * width + x));
  }
  return { width, height, data };
}

test('a resampled ramp has at every pixel the value of the place that the map names', () => {
  const [a, b, c, d, e, f] = [0.9, -0.3, 20, 0.3, 0.9, 10] as const;
  const size = { width: 40, height: 30 };
  const { data } = warpAffine(ramp(100, 100), {
    sourceFromTarget: [a, b, c, d, e, f],
    ...size,
    range: [0, 255],
  });
  for (const [x, y] of [
    [3, 4],
    [20, 15],
    [39, 29],
  ] as const) {
    const at = y * size.width + x;
    const [u, v] = [x + 0.5, y + 0.5];
    // A pixel's value stands at its centre.
    assert.ok(Math.abs(data[at]! - (a * u + b * v + c - 0.5)) < 1e-3);
    assert.ok(Math.abs(data[at + size.width * size.height]! - (d * u + e * v + f - 0.5)) < 1e-3);
  }
});

test('a picture shrunk four times keeps its mean, and black beyond the border is black', () => {
  const image = ramp(64, 64);
  const size = { width: 16, height: 16 };
  const small = warpAffine(image, { sourceFromTarget: [4, 0, 0, 0, 4, 0], ...size, range: [0, 255] });
  const mean = small.data.subarray(0, 256).reduce((sum, value) => sum + value, 0) / 256;
  assert.ok(Math.abs(mean - 31.5) < 0.05, `mean ${mean}`);
  const outside = warpAffine(image, { sourceFromTarget: [1, 0, 100, 0, 1, 0], ...size, border: 'black' });
  assert.ok(outside.data.every((value) => value === -1));
});

/** A fiftieth of a grey level: shares across are rounded. */
const LEVEL = 0.02;

/** Within the picture, mirrored, shrunk past all borders, and wholly beyond it. */
const MAPS: readonly AffineMap[] = [
  [0.7, -0.2, 20, 0.2, 0.7, 10],
  [-2.6, 0.4, 58, 0.4, 2.6, -5],
  [5.5, 0, -30, 0, 5.5, -30],
  [1, 0, 300, 0, 1, -200],
];

for (const sourceFromTarget of MAPS) {
  const random = createRandom(3);
  const data = Uint8Array.from({ length: 3 * 61 * 47 }, () => random.integer(256));
  const image = { width: 61, height: 47, data };
  const size = { width: 24, height: 20 };
  const plane = size.width * size.height;

  for (const border of ['nearest', 'black'] as const) {
    test(`resampled by ${sourceFromTarget}, ${border} beyond the border, pixels are those of the plain statement`, () => {
      const options = { sourceFromTarget, ...size, range: [0, 255] as const, border };
      const found = warpAffine(image, options);
      const expected = referenceWarp(image, options);
      for (const [i, value] of expected.data.entries()) {
        assert.ok(Math.abs(found.data[i]! - value) < LEVEL, `${found.data[i]} and ${value} at ${i}`);
      }
    });
  }

  test(`grey resampled by ${sourceFromTarget} is the grey of resampled colours`, () => {
    const { data } = referenceWarp(image, { sourceFromTarget, ...size, range: [0, 255] });
    const grey = warpGrey(image, { sourceFromTarget, ...size });
    assert.equal(grey.length, plane);
    for (let i = 0; i < plane; i++) {
      const luma = 0.299 * data[i]! + 0.587 * data[plane + i]! + 0.114 * data[2 * plane + i]!;
      assert.ok(Math.abs(grey[i]! - luma) < LEVEL, `${grey[i]} and ${luma} at ${i}`);
    }
  });
}

test('a picture of one pixel is that pixel everywhere', () => {
  const image = { width: 1, height: 1, data: Uint8Array.of(10, 20, 30) };
  const { data } = warpAffine(image, {
    sourceFromTarget: [0.1, 0, 0, 0, 0.1, 0],
    width: 8,
    height: 8,
    range: [0, 255],
  });
  assert.ok(data.every((value, i) => Math.abs(value - [10, 20, 30][Math.floor(i / 64)]!) < 1e-4));
});

test("a face's region is turned with the eyes, and its map takes the square's centre to its own", () => {
  const landmarks = new Float32Array(2 * 478);
  const [cosine, sine] = [Math.cos(0.4), Math.sin(0.4)];
  for (let i = 0; i < 478; i++) {
    const [x, y] = [40 * Math.cos(i), 50 * Math.sin(i)];
    landmarks.set([200 + cosine * x - sine * y, 150 + sine * x + cosine * y], 2 * i);
  }
  const place = (i: number, x: number) => landmarks.set([200 + cosine * x, 150 + sine * x], 2 * i);
  place(33, -30);
  place(263, 30);
  const region = regionFromLandmarks(landmarks);
  assert.ok(Math.abs(region.rollRadians - 0.4) < 1e-5);
  assert.ok(Math.abs(region.sizePx - 150) < 1);
  const [a, b, c, d, e, f] = regionMap(region, 192);
  assert.ok(Math.abs(a * 96 + b * 96 + c - region.centreXPx) < 1e-3);
  assert.ok(Math.abs(d * 96 + e * 96 + f - region.centreYPx) < 1e-3);
});
