// The fit on landmarks whose truth is known: projected from the embedded head, with and without noise.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type HeadModel, type HeadParameters, neutralParameters } from '../../src/head/index.ts';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { fitClip } from '../../src/tracking/fit-clip.ts';
import { fitPortrait } from '../../src/tracking/fit-portrait.ts';
import { createLandmarkModel, type LandmarkModel } from '../../src/tracking/landmark-model.ts';
import { seeLandmarks } from './seen-landmarks.ts';

const SIZE = { width: 512, height: 512 };
const FOCAL_PX = 768;
const DEGREES = 180 / Math.PI;
let head: HeadModel;
let model: LandmarkModel;

before(async () => {
  head = await loadEmbeddedHead();
  model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
});

/** A head as a person moves one: turned, speaking, looking about. */
function someone(seed: number, identity: Float32Array): HeadParameters {
  const random = createRandom(seed);
  const parameters = neutralParameters(head);
  parameters.identity.set(identity);
  parameters.jointRotations.set([0.15 * random.normal(), random.uniform(-0.5, 0.5), 0.1 * random.normal()]);
  parameters.jointRotations[6] = random.uniform(0, 0.25);
  const [pitch, yaw] = [random.uniform(-0.2, 0.2), random.uniform(-0.35, 0.35)];
  for (const eye of [9, 12]) parameters.jointRotations.set([pitch, yaw], eye);
  const unit = (name: string): number => head.expressionNames.indexOf(name);
  for (const side of ['Left', 'Right'])
    parameters.expression[unit(`mouthSmile${side}`)] = random.uniform(0, 0.8);
  parameters.translation.set([0.02 * random.normal(), 0.02 * random.normal(), -0.7]);
  return parameters;
}

/** What a perfect landmark network with noise of some pixels would see. */
const see = (parameters: HeadParameters, noisePx: number, seed: number): Float32Array =>
  seeLandmarks(head, parameters, { ...SIZE, focalPx: FOCAL_PX, noisePx, seed });

const faceAt = (landmarksPx: Float32Array) => ({ landmarksPx, presence: 1, facesDetected: 1 });

const randomIdentity = (seed: number, scale: number): Float32Array =>
  createRandom(seed)
    .fillNormal(new Float32Array(head.identityCount))
    .map((value) => scale * value);

test('the pose of the mean head comes back from its own landmarks', () => {
  for (let seed = 1; seed <= 4; seed++) {
    const truth = someone(seed, new Float32Array(head.identityCount));
    const { parameters, landmarkError } = fitPortrait(model, faceAt(see(truth, 0, seed)), SIZE, {
      focalPx: FOCAL_PX,
    });
    for (const axis of [0, 1, 2]) {
      const error = Math.abs(parameters.jointRotations[axis]! - truth.jointRotations[axis]!) * DEGREES;
      assert.ok(error < 1.5, `seed ${seed}: rotation about axis ${axis} is off by ${error} degrees`);
    }
    assert.ok(landmarkError < 0.01, `landmark error ${landmarkError}`);
  }
});

test('a clip of a stranger with noise gives turn, jaw and gaze of every frame', () => {
  const identity = randomIdentity(5, 0.8);
  const truths = Array.from({ length: 12 }, (_, i) => {
    const truth = someone(100, identity);
    const phase = (2 * Math.PI * i) / 12;
    truth.jointRotations[1] = 0.45 * Math.sin(phase);
    truth.jointRotations[6] = 0.12 + 0.12 * Math.cos(phase);
    for (const eye of [10, 13]) truth.jointRotations[eye] = 0.3 * Math.cos(phase);
    return truth;
  });
  const seen = truths.map((truth, i) => ({
    timestampSeconds: i / 25,
    face: { landmarksPx: see(truth, 0.5, i), presence: 1, facesDetected: 0 },
  }));
  const { track, framesTracked } = fitClip(model, seen, { ...SIZE, focalPx: FOCAL_PX, onEvent: () => {} });
  assert.equal(framesTracked, 12);
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
  const errorsOf = (component: number): number[] =>
    truths.map(
      ({ jointRotations }, i) =>
        Math.abs(track.jointRotations[15 * i + component]! - jointRotations[component]!) * DEGREES,
    );
  assert.ok(median(errorsOf(1)) < 4, `yaw ${median(errorsOf(1))}`);
  assert.ok(median(errorsOf(6)) < 4, `jaw ${median(errorsOf(6))}`);
  assert.ok(median(errorsOf(10)) < 6, `gaze ${median(errorsOf(10))}`);
});

test('frames without a face carry the nearest head and say so by confidence 0', () => {
  const identity = randomIdentity(9, 0.5);
  const landmarksPx = see(someone(3, identity), 0, 1);
  const face = { landmarksPx, presence: 1, facesDetected: 1 };
  const seen = [null, face, face, null, null, face].map((f, i) => ({ timestampSeconds: i / 25, face: f }));
  const { track, framesTracked, landmarkErrors } = fitClip(model, seen, { ...SIZE, onEvent: () => {} });
  assert.equal(framesTracked, 3);
  assert.deepEqual(
    Array.from(track.confidence, (value) => value > 0),
    [false, true, true, false, false, true],
  );
  assert.ok(Number.isNaN(landmarkErrors[0]!));
  const row = (frame: number) => Array.from(track.translation.subarray(3 * frame, 3 * frame + 3));
  // Neighbours are smoothed, what is carried is not: a hair's breadth apart.
  for (const [carried, from] of [
    [0, 1],
    [3, 2],
    [4, 5],
  ] as const) {
    for (const axis of [0, 1, 2]) assert.ok(Math.abs(row(carried)[axis]! - row(from)[axis]!) < 1e-4);
  }
});

test('a smile, a blink and an open jaw are told apart', () => {
  const unit = (name: string): number => head.expressionNames.indexOf(name);
  const fitted = (change: (parameters: HeadParameters) => void): HeadParameters => {
    const truth = neutralParameters(head);
    truth.translation[2] = -0.7;
    change(truth);
    return fitPortrait(model, faceAt(see(truth, 0, 1)), SIZE, { focalPx: FOCAL_PX }).parameters;
  };
  const smile = fitted(({ expression }) => {
    expression[unit('mouthSmileLeft')] = 0.8;
    expression[unit('mouthSmileRight')] = 0.8;
  });
  const blink = fitted(({ expression }) => {
    expression[unit('eyeBlinkLeft')] = 1;
    expression[unit('eyeBlinkRight')] = 1;
  });
  const open = fitted(({ jointRotations }) => {
    jointRotations[6] = 0.25;
  });
  assert.ok(smile.expression[unit('mouthSmileLeft')]! > 0.4 && smile.jointRotations[6]! < 0.05);
  assert.ok(blink.expression[unit('eyeBlinkLeft')]! > 0.7 && blink.expression[unit('mouthSmileLeft')]! < 0.1);
  assert.ok(open.jointRotations[6]! > 0.18 && open.expression[unit('eyeBlinkLeft')]! < 0.2);
});
