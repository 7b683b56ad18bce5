// Cuts of a clip's picture, and what stays on its side of one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RgbImage } from '../../src/media/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import type { FrameState } from '../../src/tracking/head-state.ts';
import { createShotDetector } from '../../src/tracking/shot-detector.ts';
import { smoothFrames } from '../../src/tracking/smooth-frames.ts';

/** A picture of coarse random blocks, shifted to the right. */
function scene(seed: number, shiftPx = 0, brightness = 1): RgbImage {
  const random = createRandom(seed);
  const colours = Array.from({ length: 64 }, () => [0, 1, 2].map(() => random.uniform(0, 255)));
  const [width, height] = [96, 54];
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const block = ((y / 12) | 0) * 9 + (((x + shiftPx) / 12) | 0);
      const colour = colours[block % 64]!;
      for (let k = 0; k < 3; k++) data[3 * (y * width + x) + k] = Math.min(255, brightness * colour[k]!);
    }
  }
  return { width, height, data };
}

const cutsOf = (images: readonly RgbImage[]): boolean[] => {
  const detector = createShotDetector();
  return images.map((image) => detector.isCut(image));
};

test('a cut is found where the picture becomes another, and only there', () => {
  const images = [scene(1), scene(1, 1), scene(1, 2), scene(2), scene(2, 1), scene(3)];
  assert.deepEqual(cutsOf(images), [false, false, false, true, false, true]);
});

test('a pan and a slow fade are no cuts', () => {
  const pan = Array.from({ length: 8 }, (_, i) => scene(4, 3 * i));
  const fade = Array.from({ length: 8 }, (_, i) => scene(5, 0, 1 - 0.1 * i));
  assert.ok(!cutsOf(pan).includes(true));
  assert.ok(!cutsOf(fade).includes(true));
});

test('smoothing and filling stay within a shot', () => {
  const frame = (x: number): FrameState => ({
    rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    translation: Float64Array.of(x, 0, -1),
    hinges: new Float64Array(6),
    expression: Float64Array.of(x),
  });
  const frames = [frame(0), frame(0), null, null, frame(1), frame(1)];
  const cut = [false, false, false, true, false, false];
  const places = smoothFrames(frames, cut).map(({ translation }) => translation[0]);
  assert.deepEqual(places, [0, 0, 0, 1, 1, 1]);
  const apart = smoothFrames([frame(0), frame(1)], [false, true]).map(({ expression }) => expression[0]);
  assert.deepEqual(apart, [0, 1]);
});
