// FLAME's parameter files out and in, in the layout of other projects.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import {
  decodeFlameParameters,
  encodeFlameFolder,
  encodeFlameParameters,
  importHead,
  type SourceFile,
} from '../../src/flame/index.ts';
import {
  composeTransforms,
  invertTransform,
  rotationFromAxisAngle,
  transformPoint,
} from '../../src/geometry/index.ts';
import { createHeadPoser, type HeadModel, type HeadTrack, parametersAt } from '../../src/head/index.ts';
import { decodeNpz, encodeNpz, type NumpyArray } from '../../src/numpy/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { golden, plainReference } from './flame-files.ts';

const head: HeadModel = importHead(['model.pkl', 'l_eyelid.npy', 'r_eyelid.npy'].map(golden), {
  name: 'small',
  reference: plainReference,
}).head;
const FRAMES = 4;
const random = createRandom(9);
const values = (length: number, size: number): Float32Array =>
  Float32Array.from({ length }, () => size * random.normal());
const track: HeadTrack = {
  headName: 'small',
  width: 800,
  height: 600,
  focalPx: 900,
  timestampsSeconds: Float64Array.from({ length: FRAMES }, (_, t) => t * 0.04),
  identity: values(300, 0.5),
  expression: values(FRAMES * 102, 0.3),
  jointRotations: values(FRAMES * 15, 0.3),
  translation: values(FRAMES * 3, 0.1),
  confidence: Float32Array.of(1, 0.5, 0, 0.75),
  landmarksPx: new Float32Array(FRAMES * 478 * 2),
  provenance: {},
};

function near(a: ArrayLike<number>, b: ArrayLike<number>, limit: number, what: string): void {
  assert.equal(a.length, b.length, what);
  for (let i = 0; i < a.length; i++)
    assert.ok(Math.abs(a[i]! - b[i]!) <= limit, `${what} ${i}: ${a[i]} ${b[i]}`);
}

function sameMotion(read: HeadTrack, limit = 0): void {
  for (const key of ['identity', 'expression', 'jointRotations', 'translation'] as const) {
    near(read[key], track[key], limit, key);
  }
}

test('a clip’s npz has FLAME’s names and shapes, and is read back exactly', () => {
  const bytes = encodeFlameParameters(track, head);
  const arrays = decodeNpz(bytes);
  const shapes = Object.fromEntries(
    [...arrays].map(([name, array]) => [name, [...(array as NumpyArray).shape]]),
  );
  assert.deepEqual(shapes, {
    shape: [300],
    expr: [FRAMES, 100],
    rotation: [FRAMES, 3],
    neck_pose: [FRAMES, 3],
    jaw_pose: [FRAMES, 3],
    eyes_pose: [FRAMES, 6],
    translation: [FRAMES, 3],
    eyelids: [FRAMES, 2],
    timestamps_seconds: [FRAMES],
    confidence: [FRAMES],
    focal_px: [1],
    image_size: [2],
  });
  const { track: read, notes } = decodeFlameParameters([{ name: 'clip.npz', bytes }], head);
  sameMotion(read);
  assert.deepEqual(read.timestampsSeconds, track.timestampsSeconds);
  assert.deepEqual(read.confidence, track.confidence);
  assert.deepEqual([read.width, read.height, read.focalPx], [800, 600, 900]);
  assert.deepEqual(notes, []);
});

test('a folder has a file for each frame, a canonical pose and the cameras, and is read back exactly', () => {
  const files = encodeFlameFolder(track, head);
  assert.deepEqual(
    files.map(({ name }) => name),
    [
      ...['00000', '00001', '00002', '00003'].map((frame) => `flame_param/${frame}.npz`),
      'canonical_flame_param.npz',
      'transforms.json',
    ],
  );
  const frame = decodeNpz(files[2]!.bytes);
  assert.deepEqual((frame.get('expr') as NumpyArray).shape, [1, 100]);
  assert.deepEqual((frame.get('shape') as NumpyArray).shape, [300]);
  const canonical = decodeNpz(files[4]!.bytes).get('jaw_pose') as NumpyArray;
  assert.ok(Math.abs(canonical.data[0]! - 0.3) < 1e-6);
  const shuffled = files.toReversed().map((file) => ({ ...file, name: `export/person/${file.name}` }));
  const { track: read, notes } = decodeFlameParameters(shuffled, head);
  sameMotion(read, 1e-6);
  assert.deepEqual(read.timestampsSeconds, track.timestampsSeconds);
  assert.deepEqual([read.width, read.height, read.focalPx], [800, 600, 900]);
  assert.deepEqual(notes, []);
});

test('a camera that stands elsewhere is undone: the head is seen as it was', () => {
  const worldFromCamera = { rotation: rotationFromAxisAngle([0.2, -0.5, 0.1]), translation: [0.3, 0.1, 1.2] };
  const files = encodeFlameFolder(track, head).map((file): SourceFile => {
    if (file.name !== 'transforms.json') return file;
    const content = JSON.parse(new TextDecoder().decode(file.bytes));
    const r = worldFromCamera.rotation;
    for (const frame of content.frames) {
      frame.transform_matrix = [
        ...[0, 1, 2].map((k) => [r[3 * k], r[3 * k + 1], r[3 * k + 2], worldFromCamera.translation[k]]),
        [0, 0, 0, 1],
      ];
    }
    return { ...file, bytes: new TextEncoder().encode(JSON.stringify(content)) };
  });
  const { track: read } = decodeFlameParameters(files, head);
  const poser = createHeadPoser(head);
  const cameraFromWorld = invertTransform(worldFromCamera);
  for (let t = 0; t < FRAMES; t++) {
    const inWorld = poser.pose(parametersAt(track, t)).slice();
    const seen = poser.pose(parametersAt(read, t));
    for (let i = 0; i < inWorld.length; i += 3) {
      near(
        transformPoint(cameraFromWorld, inWorld.subarray(i, i + 3)),
        seen.subarray(i, i + 3),
        1e-5,
        'vertex',
      );
    }
  }
  near(
    composeTransforms(cameraFromWorld, worldFromCamera).rotation,
    [1, 0, 0, 0, 1, 0, 0, 0, 1],
    1e-12,
    'inverse',
  );
});

test('files of one frame without cameras are ordered by their numbers; other names and lengths are taken', () => {
  const frame = (jaw: number): Uint8Array =>
    encodeNpz({
      betas: { shape: [1, 10], data: new Float32Array(10).fill(0.1) },
      exp: { shape: [50], data: new Float32Array(50).fill(jaw) },
      global_orient: { shape: [1, 3], data: Float32Array.of(0, 0.1, 0) },
      jaw_pose: { shape: [1, 3], data: Float64Array.of(jaw, 0, 0) },
      static_offset: { shape: [1, 30, 3], data: new Float32Array(90).fill(0.001) },
    });
  const files = [10, 9, 8].map((n) => ({ name: `p/${n}.npz`, bytes: frame(n / 100) }));
  const { track: read, notes } = decodeFlameParameters(files, head, { framesPerSecond: 30 });
  near(
    [0, 1, 2].map((t) => read.jointRotations[15 * t + 6]!),
    [0.08, 0.09, 0.1],
    1e-6,
    'jaw',
  );
  near(read.identity.subarray(0, 11), [...new Array(10).fill(0.1), 0], 1e-6, 'identity');
  near(read.timestampsSeconds, [0, 1 / 30, 2 / 30], 1e-12, 'time');
  assert.ok(notes.some((note) => /static_offset/.test(note)) && notes.some((note) => /no camera/.test(note)));
});

test('coefficients beyond the head’s are left out with a note', () => {
  const few = importHead([golden('model.pkl')], {
    name: 'few',
    reference: plainReference,
    identities: 10,
    expressions: 5,
  }).head;
  const { track: read, notes } = decodeFlameParameters(
    [{ name: 'clip.npz', bytes: encodeFlameParameters(track, head) }],
    few,
  );
  assert.equal(read.identity.length, 10);
  assert.equal(read.expression.length, 5 * FRAMES);
  assert.equal(notes.filter((note) => /more .* coefficients than the head's/.test(note)).length, 2);
});

test('heads with units of their own, files without parameters and wrong shapes are refused', () => {
  const refused = (act: () => unknown, code: string, pattern: RegExp): void => {
    assert.throws(act, (error: unknown) => {
      assert.ok(error instanceof BadInputError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, pattern);
      return true;
    });
  };
  refused(() => encodeFlameParameters(track, plainReference), 'head-not-flame', /embedded-2/);
  refused(() => decodeFlameParameters([], head), 'no-flame-parameters', /0 files hold none/);
  const other = { name: 'x.npz', bytes: encodeNpz({ colours: { shape: [1], data: Float32Array.of(1) } }) };
  refused(() => decodeFlameParameters([other], head), 'no-flame-parameters', /1 files hold none/);
  const wrong = (changes: Record<string, NumpyArray>): SourceFile => ({
    name: 'w.npz',
    bytes: encodeNpz({ rotation: { shape: [2, 3], data: new Float32Array(6) }, ...changes }),
  });
  const jaw = { shape: [2, 9], data: new Float32Array(18) };
  refused(
    () => decodeFlameParameters([wrong({ jaw_pose: jaw })], head),
    'flame-parameter-shape',
    /"jaw_pose"/,
  );
  const nan = { shape: [2, 3], data: new Float32Array(6).fill(Number.NaN) };
  refused(
    () => decodeFlameParameters([wrong({ translation: nan })], head),
    'flame-parameter-shape',
    /not finite/,
  );
  const broken = { name: 'transforms.json', bytes: new TextEncoder().encode('{"frames": 3}') };
  refused(() => decodeFlameParameters([broken], head), 'bad-transforms', /no list of frames/);
});
