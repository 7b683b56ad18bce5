// Frame after frame, without looking ahead: the filter, what is learned on the way, and the whole road.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import { rotationFromAxisAngle } from '../../src/geometry/index.ts';
import { type HeadModel, type HeadParameters, neutralParameters } from '../../src/head/index.ts';
import { solidImage } from '../../src/media/index.ts';
import { createDevice, loadEmbeddedHead, loadTracker } from '../../src/node/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { createCausalFilter } from '../../src/tracking/causal-filter.ts';
import type { FrameState } from '../../src/tracking/head-state.ts';
import { createLandmarkModel, type LandmarkModel } from '../../src/tracking/landmark-model.ts';
import { createOnlineFit } from '../../src/tracking/online-fit.ts';
import { type OnlineState, trackOfStates } from '../../src/tracking/online-tracker.ts';
import { createRunningNeutral } from '../../src/tracking/running-neutral.ts';
import { drivingFrames } from '../cli/sample-inputs.ts';
import { seeLandmarks } from './seen-landmarks.ts';

const SIZE = { width: 512, height: 512 };
const FOCAL_PX = 1100;
let head: HeadModel;
let model: LandmarkModel;

before(async () => {
  head = await loadEmbeddedHead();
  model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
});

const stateOf = (yaw: number, unit: number): FrameState => ({
  rotation: rotationFromAxisAngle([0, yaw, 0]),
  translation: Float64Array.of(0, 0, -0.7),
  hinges: new Float64Array(6),
  expression: Float64Array.of(unit),
});
const yawOf = ({ rotation }: FrameState): number => Math.atan2(rotation[2]!, rotation[8]!);

test('the filter takes most of the trembling off a still head', () => {
  const random = createRandom(1);
  const filter = createCausalFilter();
  const [raw, smooth] = [0, 0].map(() => [] as number[]) as [number[], number[]];
  for (let i = 0; i < 200; i++) {
    const frame = stateOf(0.003 * random.normal(), 0);
    raw.push(yawOf(frame));
    smooth.push(yawOf(filter.next(frame, 0.04)));
  }
  const spread = (values: readonly number[]): number => Math.hypot(...values.slice(20));
  assert.ok(spread(smooth) < 0.65 * spread(raw), `${spread(smooth)} of ${spread(raw)}`);
});

test('a turning head and a blink pass the filter with less than half a frame of delay', () => {
  const filter = createCausalFilter();
  const degreesASecond = 60;
  const speed = (degreesASecond * Math.PI) / 180;
  let last = stateOf(0, 0);
  for (let i = 0; i < 25; i++) last = filter.next(stateOf(speed * 0.04 * i, 0), 0.04);
  const delay = (speed * 0.04 * 24 - yawOf(last)) / speed;
  assert.ok(delay > 0 && delay < 0.02, `${delay} s`);
  const blink = [0, 0.5, 1, 0.6, 0];
  const shown = blink.map((unit) => filter.next(stateOf(speed * 0.96, unit), 0.04).expression[0]!);
  assert.ok(Math.max(...shown) > 0.85, `a blink of 1 shows as ${Math.max(...shown)}`);
});

test('after a reset the filter starts anew', () => {
  const filter = createCausalFilter();
  filter.next(stateOf(0.5, 0), 0.04);
  filter.reset();
  const frame = stateOf(-0.5, 1);
  assert.equal(filter.next(frame, 0.04), frame);
});

test('the running median keeps a bounded number of rows and glides to where most of them are', () => {
  const neutral = createRunningNeutral();
  const random = createRandom(2);
  for (let i = 0; i < 400; i++) {
    const isSpeaking = random.uniform() < 0.3;
    neutral.learn(Float32Array.of(isSpeaking ? 5 : 1 + 0.1 * random.normal()));
  }
  assert.ok(Math.abs(neutral.median![0]! - 1) < 0.15, `${neutral.median![0]}`);
});

/** A turning, speaking head; `identity` of a stranger. */
function turning(i: number, identity: Float32Array): HeadParameters {
  const parameters = neutralParameters(head);
  parameters.identity.set(identity);
  const phase = (2 * Math.PI * i) / 50;
  parameters.jointRotations.set([0.1 * Math.sin(2 * phase), 0.5 * Math.sin(phase), 0]);
  parameters.jointRotations[6] = 0.1 - 0.1 * Math.cos(3 * phase);
  parameters.translation.set([0, 0, -1.1]);
  return parameters;
}

test('identity and focal length are found on the way, and no frame sees them jump', () => {
  const identity = createRandom(5)
    .fillNormal(new Float32Array(head.identityCount))
    .map((value) => 0.8 * value);
  const fit = createOnlineFit(model, { ...SIZE, learned: null });
  const found: { readonly identity: Float32Array; readonly focalPx: number }[] = [];
  const yawErrors: number[] = [];
  for (let i = 0; i < 50; i++) {
    const truth = turning(i, identity);
    const landmarksPx = seeLandmarks(head, truth, { ...SIZE, focalPx: FOCAL_PX, noisePx: 0.4, seed: i });
    const face = { landmarksPx, presence: 1, facesDetected: 0 };
    const now = fit.next(face, i / 25, false)!;
    found.push({ identity: now.parameters.identity, focalPx: now.focalPx });
    yawErrors.push(Math.abs(now.parameters.jointRotations[1]! - truth.jointRotations[1]!));
  }
  const last = found.at(-1)!;
  const shapeError = (a: Float32Array): number => {
    const rest = model.template.map((_, i) =>
      a.reduce((sum, value, k) => sum + (value - identity[k]!) * model.identity[k]![i]!, 0),
    );
    return Math.hypot(...rest);
  };
  const [first, final] = [shapeError(found[0]!.identity), shapeError(last.identity)];
  assert.ok(final < 0.6 * first, `the stranger becomes known: ${final} of ${first}`);
  const focalError = (focalPx: number): number => Math.abs(Math.log(focalPx / FOCAL_PX));
  assert.ok(focalError(last.focalPx) < 0.5 * focalError(768), `focal length ${last.focalPx}`);
  for (let i = 10; i < found.length; i++) {
    const step = Math.log(found[i]!.focalPx / found[i - 1]!.focalPx);
    assert.ok(Math.abs(step) < 0.05, `frame ${i}: the focal length changes by ${step}`);
  }
  const late = yawErrors.slice(25).sort((a, b) => a - b);
  assert.ok(late[12]! < 0.035, `yaw is off by ${late[15]} radians`);
});

test('frames of a real picture get heads at once, and a frame without a face says so', async () => {
  await using tracker = await loadTracker(await createDevice('cpu'), head);
  const [first, second] = await drivingFrames(2);
  const grey = solidImage(first!.width, first!.height, [128, 128, 128]);
  const online = tracker.startOnline();
  const states: OnlineState[] = [];
  for (const [i, image] of [grey, first!, second!, grey, second!].entries()) {
    states.push(await online.next({ image, timestampSeconds: i / 25 }));
  }
  assert.equal(states[0]!.parameters, null);
  assert.deepEqual(
    states.map(({ confidence }) => confidence > 0.5),
    [false, true, true, false, true],
  );
  assert.deepEqual(states[3]!.parameters, states[2]!.parameters);
  assert.ok(states.every(({ latencySeconds }) => latencySeconds > 0));
  await assert.rejects(
    online.next({ image: solidImage(64, 64, [0, 0, 0]), timestampSeconds: 1 }),
    (error: unknown) => error instanceof BadInputError && error.code === 'frame-size-changed',
  );
  const { track, framesTracked } = trackOfStates(states, { headName: head.name, provenance: {} });
  assert.deepEqual([track.timestampsSeconds.length, framesTracked, track.confidence[0]], [5, 3, 0]);
  assert.deepEqual(track.identity, states[4]!.parameters!.identity);
  assert.throws(
    () => trackOfStates(states.slice(0, 1), { headName: head.name, provenance: {} }),
    BadInputError,
  );
});
