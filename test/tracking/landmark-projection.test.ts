// The fit's forward map against the head's own posing, and its Jacobian against finite differences.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frontCamera, projectPoint, rotationFromAxisAngle } from '../../src/geometry/index.ts';
import { poseHeadReference } from '../../src/head/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { type FrameState, parametersOf, stepFrame } from '../../src/tracking/head-state.ts';
import { createLandmarkModel } from '../../src/tracking/landmark-model.ts';
import {
  frameUnknowns,
  LandmarkProjection,
  shapeLandmarks,
  sharedUnknowns,
} from '../../src/tracking/landmark-projection.ts';
import { toyHead } from './toy-head.ts';

const SIZE = 512;
const CENTRE = { xPx: SIZE / 2, yPx: SIZE / 2 };

function randomCase(seed: number) {
  const { head, points, weights } = toyHead(seed);
  const model = createLandmarkModel(head, points, weights);
  const random = createRandom(seed + 1000);
  const some = (count: number, scale: number) =>
    Float64Array.from({ length: count }, () => scale * random.normal());
  const frame: FrameState = {
    rotation: rotationFromAxisAngle(some(3, 0.4)),
    translation: Float64Array.of(0.02 * random.normal(), 0.02 * random.normal(), -0.8),
    hinges: some(6, 0.2),
    expression: Float64Array.from({ length: head.expressionNames.length }, () => random.uniform()),
  };
  return { head, points, model, frame, identity: some(head.identityCount, 1), focalPx: 700 };
}

test('the reduced head puts its points where the posed head has them', () => {
  for (let seed = 0; seed < 4; seed++) {
    const { head, points, model, frame, identity, focalPx } = randomCase(seed);
    const projection = new LandmarkProjection(model);
    assert.ok(projection.project(frame, shapeLandmarks(model, identity), focalPx, CENTRE));
    const vertices = poseHeadReference(head, parametersOf(head, frame, identity));
    const camera = frontCamera(SIZE, SIZE, focalPx);
    for (const [l, triangle] of points.triangles.entries()) {
      const world = [0, 0, 0];
      for (let c = 0; c < 3; c++) {
        const vertex = head.triangles[3 * triangle + c]!;
        for (let k = 0; k < 3; k++) world[k]! += points.barycentrics[3 * l + c]! * vertices[3 * vertex + k]!;
      }
      const [x, y] = projectPoint(camera, world);
      assert.ok(Math.hypot(x - projection.pixels[2 * l]!, y - projection.pixels[2 * l + 1]!) < 1e-2);
    }
  }
});

/** Largest difference between the Jacobian and central differences, relative to the column's size. */
function jacobianError(seed: number, spoil = 0): number {
  const { model: still, frame, identity, focalPx } = randomCase(seed);
  const random = createRandom(seed + 2000);
  const slide = () => Float64Array.from({ length: 3 * still.pointCount }, () => 0.01 * random.normal());
  const model = { ...still, view: Array.from({ length: 5 }, slide) };
  const projection = new LandmarkProjection(model);
  const own = frameUnknowns(model);
  const size = own + sharedUnknowns(model);
  const columns = Array.from({ length: size }, () => new Float64Array(2 * model.pointCount));
  const scales = Float64Array.from({ length: model.pointCount }, (_, l) => 0.5 + (l % 3));
  projection.project(frame, shapeLandmarks(model, identity), focalPx, CENTRE);
  projection.differentiate(scales, columns);
  columns[0]![0]! += spoil;
  const unbounded = { lower: new Float64Array(own).fill(-9), upper: new Float64Array(own).fill(9) };
  const at = (unknown: number, delta: number): Float64Array => {
    const step = new Float64Array(size);
    step[unknown] = delta;
    const moved = stepFrame(frame, step, unbounded);
    const shape = identity.map((value, i) => value + step[own + i]!);
    const focal = focalPx * Math.exp(step[size - 1]!);
    projection.project(moved, shapeLandmarks(model, shape), focal, CENTRE);
    return projection.pixels.slice();
  };
  let worst = 0;
  const delta = 1e-5;
  for (let unknown = 0; unknown < size; unknown++) {
    const [ahead, behind] = [at(unknown, delta), at(unknown, -delta)];
    const largest = Math.max(1e-3, ...columns[unknown]!.map(Math.abs));
    for (let i = 0; i < ahead.length; i++) {
      const slope = (scales[i >> 1]! * (ahead[i]! - behind[i]!)) / (2 * delta);
      worst = Math.max(worst, Math.abs(slope - columns[unknown]![i]!) / largest);
    }
  }
  return worst;
}

test('the analytic Jacobian agrees with central differences in every unknown', () => {
  for (let seed = 0; seed < 6; seed++) assert.ok(jacobianError(seed) < 1e-6, `seed ${seed}`);
});

test('a Jacobian with one wrong entry does not pass as right', () => {
  assert.ok(jacobianError(1, 10) > 1e-3);
});
