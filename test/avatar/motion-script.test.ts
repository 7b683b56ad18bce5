import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  controlsAt,
  createMotionTransfer,
  neutralRest,
  orbitAngles,
  orbitTrack,
  PRESET_NAMES,
  parseMotionScript,
  presetScript,
  scriptTrack,
} from '../../src/avatar/index.ts';
import { BadInputError } from '../../src/errors/index.ts';
import { frameCount, jointAngles, parametersAt } from '../../src/head/index.ts';
import { head, parametersOf, trackOf, unitOf } from './tracks.ts';

const DEGREES = Math.PI / 180;
const near = (value: number, expected: number, tolerance = 1e-5): void =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} is not ${expected}`);
const parse = (keyframes: unknown, rest: object = {}) =>
  parseMotionScript(head, { keyframes, ...rest }, 'a.json');
const refused = (value: unknown, code: string, message: RegExp): void =>
  assert.throws(
    () => parseMotionScript(head, value, 'a.json'),
    (error) => error instanceof BadInputError && error.code === code && message.test(error.message),
  );

test('a control goes from key to key of its own, by the easing of the later one', () => {
  const script = parse([
    { at: 1, set: { headYaw: 10 }, easing: 'linear' },
    { at: 2, set: { jawOpen: 1 } },
    { at: 3, set: { headYaw: 30 }, easing: 'hold' },
  ]);
  assert.deepEqual(controlsAt(script, 0), { headYaw: 0, jawOpen: 0 });
  near(controlsAt(script, 0.5).headYaw!, 5);
  near(controlsAt(script, 1).jawOpen!, 0.5);
  near(controlsAt(script, 2.9).headYaw!, 10);
  assert.deepEqual(controlsAt(script, 9), { headYaw: 30, jawOpen: 1 });
});

test('a script becomes a track whose angles are those that were written', () => {
  const script = parse([{ at: 0, set: { headYaw: 20, headPitch: -10, mouthSmile: 0.5, gazeYaw: 8 } }], {
    seconds: 0.2,
    framesPerSecond: 10,
  });
  const track = scriptTrack(head, script, 'test');
  assert.equal(frameCount(track), 2);
  const frame = parametersAt(track, 1);
  near(jointAngles(frame, 'root').yaw, 20 * DEGREES);
  near(jointAngles(frame, 'root').pitch, -10 * DEGREES);
  near(jointAngles(frame, 'leftEye').yaw, 8 * DEGREES);
  near(unitOf(frame, 'mouthSmileLeft'), 0.5);
  near(unitOf(frame, 'mouthSmileRight'), 0.5);
});

test('a script moves a portrait from its own pose and face, also in a single frame', () => {
  const track = scriptTrack(head, parse([{ at: 0, set: { headYaw: 20, mouthSmile: 0.5 } }]), 'test');
  const portrait = parametersOf({ units: { mouthSmileLeft: 0.5 }, root: [0, 0.1, 0] });
  const moved = createMotionTransfer(head, portrait, track, { rest: neutralRest(head) })(0);
  near(jointAngles(moved, 'root').yaw, 0.1 + 20 * DEGREES);
  near(unitOf(moved, 'mouthSmileLeft'), 0.75);
  assert.deepEqual([...moved.translation], [...portrait.translation]);
});

test('keyframes that go backwards, unknown names and values out of range are refused', () => {
  refused(
    { keyframes: [{ at: 2 }, { at: 1 }] },
    'keyframes-backwards',
    /keyframe 2 is at 1 s, before .* 2 s/,
  );
  refused({ keyframes: [] }, 'bad-keyframes', /keyframes/);
  refused({}, 'bad-keyframes', /a\.json: keyframes/);
  refused({ keyframes: [{ at: 0, set: { headYaw: '20' } }] }, 'bad-keyframes', /keyframes\.0\.set\.headYaw/);
  refused({ keyframes: [{ at: 0, easing: 'bounce' }] }, 'bad-keyframes', /easing/);
  refused(
    { keyframes: [{ at: 0, set: { headYaw: 200 } }] },
    'control-range',
    /headYaw .* -90 to 90 deg, got 200/,
  );
  refused({ keyframes: [{ at: 0, set: { smile: 1 } }] }, 'unknown-control', /named smile/);
  refused({ keyframes: [{ at: 0, set: { mouth: 1 } }] }, 'unknown-control', /named mouth/);
});

test('every preset is a motion of the embedded head that ends as it begins', () => {
  for (const name of PRESET_NAMES) {
    const script = parseMotionScript(head, presetScript(name), name);
    for (const value of Object.values(controlsAt(script, 1e3))) near(value, 0);
    const track = scriptTrack(head, script, name);
    const largest = track.expression.reduce((most, value) => Math.max(most, value), 0);
    const turned = track.jointRotations.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(largest <= 1 && turned < 0.5 && Math.max(largest, turned) > 0.1, name);
  }
  assert.notDeepEqual(presetScript('speak', { seed: 1 }), presetScript('speak', { seed: 2 }));
});

test('an orbit stays in its ranges, reaches both ends and closes', () => {
  const ranges = { yaw: { low: -0.2, high: 0.6 }, pitch: { low: -0.1, high: 0.1 } };
  for (const path of ['sweep', 'circle', 'spiral'] as const) {
    const angles = Array.from({ length: 401 }, (_, i) => orbitAngles({ ...ranges, path }, i / 400));
    const yaws = angles.map(({ yaw }) => yaw);
    near(Math.min(...yaws), -0.2, 0.03);
    near(Math.max(...yaws), 0.6, 0.03);
    near(Math.max(...angles.map(({ pitch }) => pitch)), 0.1, 0.02);
    near(yaws[0]!, yaws[400]!);
  }
});

test('an orbit with expressions has their length and clock, and keeps the path of the head', () => {
  const face = trackOf([{ root: [0, 0.5, 0] }, { units: { mouthPucker: 0.5 } }, {}, {}]);
  const range = { low: -0.3, high: 0.3 };
  const { track, rest } = orbitTrack(head, {
    ...{ yaw: range, pitch: { low: 0, high: 0 }, path: 'sweep', seconds: 9, framesPerSecond: 25 },
    expression: face,
  });
  assert.equal(frameCount(track), 4);
  const transfer = createMotionTransfer(head, parametersOf({}), track, { rest });
  near(jointAngles(transfer(1), 'root').yaw, 0.3);
  near(unitOf(transfer(1), 'mouthPucker'), 0.5);
});
