// What the fit may believe of landmarks: those that the picture shows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotationFromAxisAngle } from '../../src/geometry/index.ts';
import { neutralParameters } from '../../src/head/index.ts';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { createLandmarkModel } from '../../src/tracking/landmark-model.ts';
import { observeLandmarks } from '../../src/tracking/observe.ts';
import { seeLandmarks } from './seen-landmarks.ts';

const SIZE = { width: 256, height: 256 };
const CENTRE = { xPx: 128, yPx: 128 };
const head = await loadEmbeddedHead();
const model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);

/** The weights of a face that stands so high in the picture, and turned so. */
function weightsOf(upMetres: number, yaw = 0): { weights: Float64Array; landmarksPx: Float32Array } {
  const parameters = neutralParameters(head);
  parameters.translation.set([0, upMetres, -1]);
  parameters.jointRotations.set([0, yaw, 0]);
  const landmarksPx = seeLandmarks(head, parameters, { ...SIZE, focalPx: 600, noisePx: 0, seed: 1 });
  const rotation = Float64Array.from(rotationFromAxisAngle([0, yaw, 0]));
  return { weights: observeLandmarks(model, landmarksPx, CENTRE, rotation).weights, landmarksPx };
}

test('landmarks beyond the border count a tenth of those within it', () => {
  const [whole, cut] = [weightsOf(0), weightsOf(-0.16)];
  let beyond = 0;
  for (const [l, weight] of cut.weights.entries()) {
    const isBeyond = cut.landmarksPx[2 * l + 1]! > SIZE.height;
    beyond += isBeyond ? 1 : 0;
    const expected = (isBeyond ? 0.1 : 1) * whole.weights[l]!;
    assert.ok(Math.abs(weight - expected) < 1e-9, `landmark ${l}: ${weight} instead of ${expected}`);
  }
  assert.ok(beyond > 50 && beyond < 400, `${beyond} landmarks lie beyond the border`);
});

test('the cheek that a turned head hides counts less than the other', () => {
  const [rightCheek, leftCheek] = [234, 454];
  const { weights } = weightsOf(0, 0.7);
  // Turned to their own left: the left cheek lies behind.
  assert.ok(
    weights[leftCheek]! < 0.5 * weights[rightCheek]!,
    `${weights[leftCheek]}, ${weights[rightCheek]}`,
  );
});
