// The learned prior: its file, its inputs, and what it does to a fit.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { axisAngleFromRotation } from '../../src/geometry/index.ts';
import type { HeadModel } from '../../src/head/index.ts';
import { loadEmbeddedHead, readModel } from '../../src/node/index.ts';
import { encodeSafetensors } from '../../src/tensor/index.ts';
import { EYE_PATCH, eyePatches } from '../../src/tracking/eye-patch.ts';
import { createFaceFeatures } from '../../src/tracking/face-features.ts';
import { fitPortrait } from '../../src/tracking/fit-portrait.ts';
import { plainGains } from '../../src/tracking/kept-amplitude.ts';
import { createLandmarkModel, type LandmarkModel } from '../../src/tracking/landmark-model.ts';
import { LandmarkProjection, shapeLandmarks } from '../../src/tracking/landmark-projection.ts';
import {
  decodeLearnedPrior,
  type LearnedPrior,
  medianRow,
  readingInputs,
  readingLength,
} from '../../src/tracking/learned-prior.ts';

const SIZE = { width: 256, height: 256 };
const CENTRE = { xPx: 128, yPx: 128 };
let head: HeadModel;
let model: LandmarkModel;
let neutralPx: Float32Array;

before(async () => {
  head = await loadEmbeddedHead();
  model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
  const projection = new LandmarkProjection(model);
  const frame = {
    rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    translation: Float64Array.of(0, 0, -1),
    hinges: new Float64Array(6),
    expression: new Float64Array(model.expressionCount),
  };
  projection.project(frame, shapeLandmarks(model, new Float64Array(model.identityCount)), 700, CENTRE);
  neutralPx = Float32Array.from(projection.pixels);
});

test('the prior of the package is for the embedded head, and for no other', async () => {
  const bytes = await readModel('tracking', 'expression-prior.safetensors');
  assert.notEqual(decodeLearnedPrior(bytes, head), null);
  assert.equal(decodeLearnedPrior(bytes, { ...head, name: 'another' }), null);
});

test('a file of another kind is no prior', () => {
  const bytes = encodeSafetensors({ metadata: { format: 'other' }, tensors: {} });
  assert.throws(() => decodeLearnedPrior(bytes, head), { code: 'not-a-tracking-prior' });
});

test('a face at rest in the mean shape predicts hardly any expression', async () => {
  const bytes = await readModel('tracking', 'expression-prior.safetensors');
  const features = createFaceFeatures(model).describe(neutralPx, CENTRE);
  const largest = features.residual.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(largest < 0.005, `residual ${largest}`);
  const turn = Math.hypot(...axisAngleFromRotation(features.pose.rotation));
  assert.ok(turn < 0.01, `turned by ${turn}`);
  const eyes = new Uint8Array(2 * EYE_PATCH.width * EYE_PATCH.height).fill(90);
  const prior = decodeLearnedPrior(bytes, head)!;
  const reading = new Float32Array(readingLength(head));
  const { expression, hinges } = prior.predict(features, { eyes, reading }, null);
  const mean = expression.reduce((sum, value) => sum + Math.abs(value), 0) / expression.length;
  assert.ok(mean < 0.15, `mean unit ${mean}`);
  assert.ok(Math.abs(hinges[0]!) < 0.1, `jaw ${hinges[0]}`);
});

test('a fit goes where a sure prediction says', () => {
  const smile = head.expressionNames.indexOf('mouthSmileLeft');
  const count = head.expressionNames.length;
  const sure: LearnedPrior = {
    network: {},
    response: { rest: new Float64Array(0), expression: [], identity: [], view: [] },
    gains: plainGains(count),
    predict: () => ({
      expression: new Float32Array(count).map((_, i) => (i === smile ? 0.6 : 0)),
      expressionDeviation: new Float32Array(count).fill(0.03),
      hinges: new Float32Array(3),
      hingesDeviation: new Float32Array(3).fill(0.05),
      turn: new Float32Array(2),
      turnDeviation: new Float32Array(2).fill(0.05),
      identity: new Float32Array(0),
      identityDeviation: new Float32Array(0),
      identityAgreement: new Float32Array(0),
    }),
  };
  const eyes = new Uint8Array(2 * EYE_PATCH.width * EYE_PATCH.height);
  const reading = new Float32Array(readingLength(head));
  const face = { landmarksPx: neutralPx, presence: 1, facesDetected: 1, eyes, reading };
  const without = fitPortrait(model, face, SIZE).parameters.expression[smile]!;
  const drawn = fitPortrait(model, face, SIZE, { learned: sure }).parameters.expression[smile]!;
  assert.ok(without < 0.05 && drawn > 0.2, `${without} without, ${drawn} with`);
});

test('both eyes of a symmetric picture give the same patch', () => {
  const [width, height] = [256, 256];
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data.fill(
        (7 * Math.abs(2 * x + 1 - width) + 3 * y) % 256,
        3 * (y * width + x),
        3 * (y * width + x) + 3,
      );
    }
  }
  const symmetric = neutralPx.slice();
  for (const [left, right] of [
    [263, 33],
    [362, 133],
  ] as const) {
    symmetric[2 * left] = width - symmetric[2 * right]!;
    symmetric[2 * left + 1] = symmetric[2 * right + 1]!;
  }
  const patches = eyePatches({ width, height, data }, symmetric);
  const half = patches.length / 2;
  const worst = patches
    .subarray(0, half)
    .reduce((most, v, i) => Math.max(most, Math.abs(v - patches[half + i]!)), 0);
  assert.ok(worst <= 2, `patches differ by ${worst}`);
});

test('the median row takes the middle of every column', () => {
  const rows = [Float32Array.of(1, 5), Float32Array.of(3, 0), Float32Array.of(2, 9)];
  assert.deepEqual([...medianRow(rows)], [2, 5]);
  assert.deepEqual([...medianRow(rows.slice(0, 2))], [2, 2.5]);
});

test("a reading's values enter as they stand, turns beside those of the pose; what tells faces apart, beside the neutral", () => {
  // Two that move, the turn, one of the identity; then once more those that move.
  const reading = Float32Array.of(0.5, 0.2, 0.3, -0.1, 0.8, 0.7, 0.1);
  const pose = { yaw: 0.1, pitch: 0.05 };
  const close = (found: Float32Array, expected: readonly number[]): void => {
    assert.equal(found.length, expected.length);
    for (const [i, value] of expected.entries()) assert.ok(Math.abs(found[i]! - value) < 1e-6, `${found}`);
  };
  close(readingInputs(pose, reading, null, 2), [0.5, 0, 0.2, 0, 0.2, 0, -0.15, 0, 0.8, 0]);
  const neutral = Float32Array.of(9, 9, 9, 9, 9, 0.4, 0.5);
  close(readingInputs(pose, reading, neutral, 2), [0.5, 0.3, 0.2, -0.4, 0.2, 0, -0.15, 0, 0.8, 0]);
});
