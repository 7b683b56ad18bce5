import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  absentFace,
  expressionDistance,
  type FoundFace,
  faceMap,
  flickerOf,
  luminance,
  motionCorrelations,
  multiViewSpread,
  opticalFlow,
  orbitYaws,
  poseDistance,
  turnedTo,
} from '../../src/evaluation/index.ts';
import { frontCamera, projectPoint } from '../../src/geometry/index.ts';
import { createHeadPoser, type HeadParameters, neutralParameters } from '../../src/head/index.ts';
import type { RgbImage } from '../../src/media/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { head } from '../head/embedded-head.ts';

const SIZE = 64;

/** A smooth picture, moved to the right and down. */
function pattern(right: number, down: number): RgbImage {
  const data = new Uint8Array(3 * SIZE * SIZE);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const [x, y] = [(i % SIZE) - right, Math.floor(i / SIZE) - down];
    const value = 128 + 50 * Math.sin(x / 5 + 1) * Math.cos(y / 7) + 40 * Math.sin((x + y) / 9);
    data.fill(value, 3 * i, 3 * i + 3);
  }
  return { width: SIZE, height: SIZE, data };
}
// What comes in over the border was in no frame before.
const inside = Uint8Array.from({ length: SIZE * SIZE }, (_, i) =>
  Math.min(i % SIZE, SIZE - 1 - (i % SIZE), Math.floor(i / SIZE), SIZE - 1 - Math.floor(i / SIZE)) < 6
    ? 0
    : 1,
);

test('optical flow finds a shift of several pixels to within a quarter of one', () => {
  const { x, y } = opticalFlow(luminance(pattern(0, 0)), luminance(pattern(3, -2)));
  let [meanX, meanY, count] = [0, 0, 0];
  for (let row = 12; row < SIZE - 12; row++) {
    for (let column = 12; column < SIZE - 12; column++) {
      meanX += x[row * SIZE + column]!;
      meanY += y[row * SIZE + column]!;
      count++;
    }
  }
  assert.ok(Math.abs(meanX / count + 3) < 0.25, `${meanX / count}`);
  assert.ok(Math.abs(meanY / count - 2) < 0.25, `${meanY / count}`);
});

test('a moving picture flickers little, one whose brightness jumps a lot, a still one not at all', () => {
  const brighter = (image: RgbImage): RgbImage => ({ ...image, data: image.data.map((value) => value + 20) });
  const regions = [inside, inside];
  const moving = flickerOf([pattern(0, 0), pattern(2, 1)], regions);
  const jumping = flickerOf([pattern(0, 0), brighter(pattern(2, 1))], regions);
  assert.ok(moving < 1, `${moving}`);
  assert.ok(jumping > 5, `${jumping}`);
  assert.equal(flickerOf([pattern(0, 0), pattern(0, 0)], regions), 0);
  assert.ok(Number.isNaN(flickerOf([pattern(0, 0)], [inside])));
});

const neutral = neutralParameters(head);

test('AED is the mean change of expression and jaw, APD that of the rotation vector', () => {
  const expression = neutral.expression.map((_, i) => (i === 4 ? 0.55 : 0));
  const turned = { ...turnedTo(neutral, 0.3), expression };
  assert.ok(Math.abs(expressionDistance(turned, neutral) - 0.55 / (expression.length + 3)) < 1e-7);
  assert.ok(Math.abs(poseDistance(turned, neutral) - 0.1) < 1e-7);
  assert.equal(expressionDistance(absentFace(head), neutral), 0);
});

test('correlations follow the driver, ignore frames without a face, and say nothing of too few', () => {
  const faceAt = (t: number): FoundFace => {
    const landmarksPx = new Float32Array(956);
    landmarksPx.set([0, 0], 2 * 33);
    landmarksPx.set([100, 0], 2 * 263);
    landmarksPx.set([50, 10 + 10 * Math.sin(t)], 2 * 14);
    return { parameters: turnedTo(neutral, 0.2 * Math.sin(t)), landmarksPx };
  };
  const driver = Array.from({ length: 20 }, (_, t) => faceAt(t));
  const found = driver.map((face, t) => (t === 5 ? null : face));
  const { yaw, mouth } = motionCorrelations(found, driver);
  assert.ok(Math.abs(yaw - 1) < 1e-6);
  assert.ok(Math.abs(mouth - 1) < 1e-6);
  assert.ok(Number.isNaN(motionCorrelations(driver.slice(0, 4), driver.slice(0, 4)).yaw));
});

const poser = createHeadPoser(head);
const camera = frontCamera(256, 256, 700);
const placed: HeadParameters = { ...neutral, translation: Float32Array.of(0.01, 0.02, -1.1) };

/** Landmarks of the posed head, as a perfect network would see them. */
function landmarksOf(parameters: HeadParameters): Float32Array {
  const vertices = poser.pose(parameters);
  const { triangles, barycentrics } = head.landmarks!;
  const points = new Float32Array(2 * triangles.length);
  for (const [l, triangle] of triangles.entries()) {
    const point = [0, 0, 0];
    for (let corner = 0; corner < 3; corner++) {
      const vertex = 3 * head.triangles[3 * triangle + corner]!;
      for (let axis = 0; axis < 3; axis++)
        point[axis]! += barycentrics[3 * l + corner]! * vertices[vertex + axis]!;
    }
    points.set(projectPoint(camera, point).slice(0, 2), 2 * l);
  }
  return points;
}

test('landmarks of one rigid head meet in points; a pixel of noise and another face in one view spread them', () => {
  const heads = orbitYaws(5).map((yaw) => turnedTo(placed, yaw));
  const views = heads.map((parameters) => ({ parameters, landmarksPx: landmarksOf(parameters) }));
  assert.ok(multiViewSpread(head, poser, camera, views) < 0.01);
  const random = createRandom(3);
  const noisy = views.map(({ parameters, landmarksPx }) => ({
    parameters,
    landmarksPx: landmarksPx.map((value) => value + random.normal()),
  }));
  // A pixel is 1.6 mm at this distance; what meets best takes up a part of it.
  const spread = multiViewSpread(head, poser, camera, noisy);
  assert.ok(spread > 1 && spread < 2.5, `${spread}`);
  const other = { ...heads[0]!, identity: neutral.identity.map(() => 1) };
  const changed = [{ parameters: heads[0]!, landmarksPx: landmarksOf(other) }, ...views.slice(1)];
  assert.ok(multiViewSpread(head, poser, camera, changed) > 1);
});

test('a turned, moved and enlarged face is brought back to the places that recognisers expect', () => {
  const places = [38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041];
  const landmarksPx = new Float32Array(956);
  const [cosine, sine] = [2 * Math.cos(0.4), 2 * Math.sin(0.4)];
  for (const [i, index] of [468, 473, 1, 61, 291].entries()) {
    const [u, v] = [places[2 * i]!, places[2 * i + 1]!];
    landmarksPx.set([cosine * u - sine * v + 30, sine * u + cosine * v - 7], 2 * index);
  }
  const expected = [cosine, -sine, 30, sine, cosine, -7];
  for (const [i, value] of faceMap(landmarksPx).entries()) assert.ok(Math.abs(value - expected[i]!) < 1e-3);
});
