// Tracks for other programs: the columns and signs of Live Link Face, and the same numbers as JSON.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ARKIT_UNITS,
  createUnitReader,
  encodeLiveLinkCsv,
  encodeTrackJson,
  type TrackJson,
} from '../../src/exchange/index.ts';
import { axisAngleFromRotation, multiplyRotations, rotationFromAxisAngle } from '../../src/geometry/index.ts';
import { type HeadParameters, type HeadTrack, jointAngles } from '../../src/head/index.ts';
import { expression, head, parameters, turned } from '../head/embedded-head.ts';

const [JAW, LEFT_EYE, RIGHT_EYE] = [2, 3, 4] as const;
const DEGREE = Math.PI / 180;

/** A track whose frames are the given heads, 25 a second. */
function trackOf(heads: readonly HeadParameters[], confidence: readonly number[] = []): HeadTrack {
  const join = (part: 'expression' | 'jointRotations' | 'translation'): Float32Array =>
    Float32Array.from(heads.flatMap((one) => [...one[part]]));
  return {
    headName: head.name,
    width: 640,
    height: 480,
    focalPx: 900,
    timestampsSeconds: Float64Array.from(heads, (_, i) => i / 25),
    identity: heads[0]!.identity,
    expression: join('expression'),
    jointRotations: join('jointRotations'),
    translation: join('translation'),
    confidence: Float32Array.from(heads, (_, i) => confidence[i] ?? 1),
    landmarksPx: new Float32Array(heads.length * 478 * 2),
    provenance: {},
  };
}

/** The cells of a CSV by column, row by row. */
function tableOf(csv: string): Record<string, string>[] {
  const [header, ...rows] = csv.trimEnd().split('\n');
  const names = header!.split(',');
  return rows.map((row) => {
    const cells = row.split(',');
    assert.equal(cells.length, names.length);
    return Object.fromEntries(cells.map((cell, i) => [names[i]!, cell]));
  });
}

test('the CSV has the 63 columns of Live Link Face in their order', () => {
  const [header] = encodeLiveLinkCsv(head, trackOf([parameters()])).split('\n');
  const columns = header!.split(',');
  assert.equal(columns.length, 2 + 52 + 9);
  assert.deepEqual(columns.slice(0, 4), ['Timecode', 'BlendShapeCount', 'EyeBlinkLeft', 'EyeLookDownLeft']);
  assert.deepEqual(columns.slice(16, 20), ['JawForward', 'JawRight', 'JawLeft', 'JawOpen']);
  assert.deepEqual(columns.slice(53, 57), ['TongueOut', 'HeadYaw', 'HeadPitch', 'HeadRoll']);
  assert.equal(columns.at(-1), 'RightEyeRoll');
  assert.deepEqual([...ARKIT_UNITS].sort(), [...head.expressionNames].sort());
});

test('the timecode counts sixtieths of a second from the clip, and a lost frame has a count of 0', () => {
  const track = trackOf([parameters(), parameters(), parameters()], [0.9, 0, 0.8]);
  const rows = tableOf(encodeLiveLinkCsv(head, track, 3723.5));
  assert.deepEqual(
    rows.map((row) => row.Timecode),
    ['01:02:03:30.000', '01:02:03:32.400', '01:02:03:34.800'],
  );
  assert.deepEqual(
    rows.map((row) => row.BlendShapeCount),
    ['61', '0', '61'],
  );
  const [carried] = tableOf(
    encodeLiveLinkCsv(head, { ...track, timestampsSeconds: Float64Array.of(59.99999999, 60, 61) }),
  );
  assert.equal(carried!.Timecode, '00:01:00:00.000');
});

test('a joint turned by yaw, pitch and roll is written with these angles', () => {
  const about = (axis: 0 | 1 | 2, angle: number): Float64Array =>
    rotationFromAxisAngle([0, 1, 2].map((k) => (k === axis ? angle : 0)));
  const [yaw, pitch, roll] = [0.5, -0.3, 0.2];
  const rotation = multiplyRotations(multiplyRotations(about(1, yaw), about(0, pitch)), about(2, roll));
  const [x, y, z] = axisAngleFromRotation(rotation);
  const posed = parameters({ jointRotations: turned(0, [x!, y!, z!]) });
  const [row] = tableOf(encodeLiveLinkCsv(head, trackOf([posed])));
  for (const [name, angle] of [
    ['HeadYaw', yaw],
    ['HeadPitch', pitch],
    ['HeadRoll', roll],
  ] as const) {
    assert.ok(Math.abs(Number(row![name]) - angle) < 1e-6, `${name} ${row![name]}`);
  }
  const down = parameters({ jointRotations: turned(0, [Math.PI / 2, 0, 0]) });
  assert.ok(Math.abs(jointAngles(down, 'root').pitch - Math.PI / 2) < 1e-3);
});

test('the jaw joint is jawOpen, and eyes turned to the left look out on the left and in on the right', () => {
  const read = createUnitReader(head);
  const unit = (posed: HeadParameters, name: string): number => read(posed)[ARKIT_UNITS.indexOf(name)]!;
  const open = parameters({ jointRotations: turned(JAW, [12 * DEGREE, 0, 0]) });
  assert.ok(Math.abs(unit(open, 'jawOpen') - 0.5) < 1e-5);
  const both = { ...open, expression: expression({ jawOpen: 0.8, mouthSmileLeft: 0.25 }) };
  assert.equal(unit(both, 'jawOpen'), 1);
  assert.equal(unit(both, 'mouthSmileLeft'), 0.25);
  const gaze = new Float32Array(15);
  for (const eye of [LEFT_EYE, RIGHT_EYE]) gaze.set([-5 * DEGREE, 10 * DEGREE, 0], 3 * eye);
  const looking = parameters({ jointRotations: gaze, expression: expression({ eyeLookDownLeft: 0.7 }) });
  const expected = { OutLeft: 0.4, InLeft: 0, OutRight: 0, InRight: 0.4, UpLeft: 0.2, DownLeft: 0 };
  for (const [name, value] of Object.entries(expected)) {
    assert.ok(
      Math.abs(unit(looking, `eyeLook${name}`) - value) < 0.01,
      `${name} ${unit(looking, `eyeLook${name}`)}`,
    );
  }
});

test('a head with other units cannot be written as ARKit, and the line says what to do', () => {
  const other = { ...head, name: 'flame', expressionNames: ['expression0'] };
  assert.throws(() => encodeLiveLinkCsv(other, trackOf([parameters()])), {
    code: 'no-arkit-units',
    exitStatus: 2,
    message: /flame/,
  });
});

test('the JSON holds the same angles, one frame a line, and is whole', () => {
  const posed = parameters({ jointRotations: turned(LEFT_EYE, [0, 0.25, 0]) });
  const text = encodeTrackJson(head, trackOf([posed, posed], [0.5, 0]), 10);
  const read = JSON.parse(text) as TrackJson;
  assert.equal(text.trimEnd().split('\n').length, 1 + 2 + 1);
  assert.deepEqual([read.width, read.height, read.frames.length], [640, 480, 2]);
  assert.deepEqual(read.frames[1]!.leftEye, [0.25, 0]);
  assert.deepEqual([read.frames[1]!.seconds, read.frames[1]!.confidence], [10.04, 0]);
  assert.equal(read.frames[0]!.expression.length, read.expressionNames.length);
});
