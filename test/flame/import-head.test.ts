// FLAME's files to a head: parity with the smplx package, what completes a model, and files that cannot be used.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import { type ImportedHead, importHead, type SourceFile } from '../../src/flame/index.ts';
import {
  createHeadPoser,
  decodeHead,
  encodeHead,
  type HeadModel,
  neutralParameters,
  PART_NAMES,
  poseHeadReference,
} from '../../src/head/index.ts';
import { decodeNpy, decodePickle, encodeNpy, encodeNpz, type NumpyArray } from '../../src/numpy/index.ts';
import {
  golden,
  goldens,
  parametersOf,
  partialFiles,
  partialSkip,
  plainReference,
  reference,
} from './flame-files.ts';

const OPTIONS = { name: 'test', reference: plainReference };
const small = importHead(['model.pkl', 'static-embedding.pkl'].map(golden), OPTIONS).head;

function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

function surfacePoint(head: HeadModel, vertices: ArrayLike<number>, landmark: number): number[] {
  const { triangles, barycentrics } = head.landmarks!;
  return [0, 1, 2].map((k) =>
    [0, 1, 2].reduce((sum, c) => {
      const v = head.triangles[3 * triangles[landmark]! + c]!;
      return sum + barycentrics[3 * landmark + c]! * vertices[3 * v + k]!;
    }, 0),
  );
}

function refused(files: readonly SourceFile[], code: string, pattern: RegExp): void {
  assert.throws(
    () => importHead(files, OPTIONS),
    (error: unknown) => {
      assert.ok(error instanceof BadInputError, String(error));
      assert.match(error.message, pattern);
      assert.equal(error.code, code);
      return true;
    },
  );
}

test('shapes, expressions, pose correctives, joints and skinning agree with smplx to 1e-5', () => {
  const poser = createHeadPoser(small);
  assert.equal(goldens.samples.length, 4);
  for (const sample of goldens.samples) {
    const parameters = parametersOf(sample);
    assert.ok(gap(poser.pose(parameters), sample.vertices) < 1e-5);
    assert.ok(gap(poser.joints(parameters), sample.joints) < 1e-5);
    assert.ok(gap(poseHeadReference(small, parameters), sample.vertices) < 1e-6);
  }
});

test('a head survives its file to 1e-5 of smplx, because its bases stay in fp32', () => {
  const again = decodeHead(encodeHead(small, { basisPrecision: 'float32' }));
  const sample = goldens.samples[0]!;
  assert.ok(gap(createHeadPoser(again).pose(parametersOf(sample)), sample.vertices) < 1e-5);
  assert.deepEqual(again.provenance, small.provenance);
  assert.equal(again.licence, small.licence);
});

test('the 51 fixed landmarks lie where smplx has them', () => {
  const sample = goldens.samples[1]!;
  const vertices = createHeadPoser(small).pose(parametersOf(sample));
  // Nose tip (30), outer corners of the eyes (36, 45), of the mouth (48, 54) in the scheme of 68.
  for (const [of68, mesh] of [
    [30, 4],
    [36, 33],
    [45, 263],
    [48, 61],
    [54, 291],
  ] as const) {
    const at = 3 * (of68 - 17);
    const miss = gap(surfacePoint(small, vertices, mesh), sample.landmarks.slice(at, at + 3));
    assert.ok(miss < 1e-5, `landmark ${mesh}: ${miss}`);
  }
});

test('the contour and MediaPipe’s embedding add their points; MediaPipe’s own count before the 68', () => {
  const names = ['model.pkl', 'static-embedding.pkl', 'dynamic-embedding.npy', 'mediapipe-embedding.npz'];
  const imported = importHead(names.map(golden), OPTIONS);
  // 51 + 17 of the 68, and 20 of which some are among them.
  const only = importHead(['model.pkl', 'mediapipe-embedding.npz'].map(golden), OPTIONS);
  assert.equal(only.landmarks.fromFiles, 20);
  assert.ok(imported.landmarks.fromFiles > 80 && imported.landmarks.fromFiles <= 88);
  const place = (l: number): number => only.head.landmarks!.triangles[l]!;
  for (let l = 100; l < 120; l++) assert.equal(imported.head.landmarks!.triangles[l], place(l));
});

test('DECA’s one file of landmarks says the same as RingNet’s two', () => {
  const fixed = decodePickle(golden('static-embedding.pkl').bytes) as ReadonlyMap<string, NumpyArray>;
  const contour = decodeNpy(golden('dynamic-embedding.npy').bytes) as ReadonlyMap<string, NumpyArray>;
  const deca = encodeNpz({
    static_lmk_faces_idx: fixed.get('lmk_face_idx')!,
    static_lmk_bary_coords: fixed.get('lmk_b_coords')!,
    dynamic_lmk_faces_idx: contour.get('lmk_face_idx')!,
    dynamic_lmk_bary_coords: contour.get('lmk_b_coords')!,
  });
  const model = golden('model.pkl');
  const one = importHead([model, { name: 'landmark_embedding.npz', bytes: deca }], OPTIONS);
  const two = importHead([model, ...['static-embedding.pkl', 'dynamic-embedding.npy'].map(golden)], OPTIONS);
  assert.equal(one.landmarks.fromFiles, 68);
  assert.deepEqual(one.fromFiles, two.fromFiles);
  assert.deepEqual(one.head.landmarks, two.head.landmarks);
});

test('a mask of lips says which triangles are lips', () => {
  const lips = { shape: [3], data: Int32Array.from(small.triangles.subarray(0, 3)) };
  const masks = { name: 'FLAME_masks.npz', bytes: encodeNpz({ lips }) };
  const { head } = importHead([golden('model.pkl'), masks], OPTIONS);
  const isLips = (part: number): boolean => part === PART_NAMES.indexOf('lips');
  assert.deepEqual(
    [...head.triangleParts.keys()].filter((t) => isLips(head.triangleParts[t]!)),
    [0],
  );
});

test('eyelids become expressions that close one lid each', () => {
  const { head } = importHead(['model.pkl', 'l_eyelid.npy', 'r_eyelid.npy'].map(golden), OPTIONS);
  assert.deepEqual(
    head.eyelidExpressions.map((k) => head.expressionNames[k]),
    ['eyeBlinkLeft', 'eyeBlinkRight'],
  );
  assert.deepEqual(small.eyelidExpressions, []);
  assert.equal(head.expressionNames.length, 102);
});

test('the template gives texture coordinates, whatever the order of its triangles and corners', () => {
  const { head, texture } = importHead(['model.pkl', 'template.obj'].map(golden), OPTIONS);
  assert.equal(texture, 'template');
  const lines = new TextDecoder().decode(golden('template.obj').bytes).split('\n');
  const uvs = lines
    .filter((line) => line.startsWith('vt '))
    .map((line) => line.split(' ').slice(1).map(Number));
  let checked = 0;
  for (const line of lines.filter((text) => text.startsWith('f '))) {
    const corners = line
      .split(' ')
      .slice(1)
      .map((word) => word.split('/').map((n) => Number(n) - 1));
    for (let t = 0; t < head.triangles.length; t += 3) {
      const own = [...head.triangles.subarray(t, t + 3)];
      const turn = own.indexOf(corners[0]![0]!);
      if (turn < 0 || ![0, 1, 2].every((k) => own[(turn + k) % 3] === corners[k]![0])) continue;
      for (let k = 0; k < 3; k++) {
        const at = head.uvTriangles[t + ((turn + k) % 3)]!;
        const [u, v] = uvs[corners[k]![1]!]!;
        assert.ok(gap(head.uvs.subarray(2 * at, 2 * at + 2), [u!, 1 - v!]) < 1e-6);
        checked++;
      }
    }
  }
  assert.equal(checked, head.triangles.length);
});

test('as many components are kept as are asked for, FLAME’s first 300 columns being identity', () => {
  assert.equal(small.identityCount, 300);
  assert.equal(small.expressionNames.length, 100);
  const { head } = importHead([golden('model.pkl')], { ...OPTIONS, identities: 10, expressions: 5 });
  assert.equal(head.identityCount, 10);
  const length = head.template.length;
  assert.deepEqual(head.identityBasis, small.identityBasis.subarray(0, 10 * length));
  assert.deepEqual(head.expressionBasis, small.expressionBasis.subarray(0, 5 * length));
});

test('the licence that is given is carried, and the head says which file gave what', () => {
  const { head } = importHead([golden('model.pkl')], { ...OPTIONS, licence: 'CC-BY-4.0' });
  assert.equal(head.licence, 'CC-BY-4.0');
  assert.match(head.provenance?.['model.pkl'] ?? '', /v_template.*shapedirs/);
});

test('files of other models are named as such', () => {
  const zeros = (...shape: number[]) => ({
    shape,
    data: new Float32Array(shape.reduce((product, n) => product * n, 1)),
  });
  const model = (name: string, vertices: number, joints: number): SourceFile => ({
    name,
    bytes: encodeNpz({ v_template: zeros(vertices, 3), weights: zeros(vertices, joints) }),
  });
  refused([model('SMPL_NEUTRAL.npz', 6890, 24)], 'other-model', /SMPL_NEUTRAL\.npz is SMPL .*6890 vertices/);
  refused([model('SMPLX.npz', 10475, 55)], 'other-model', /is SMPL-X/);
  refused([model('own.npz', 100, 7)], 'other-model', /is a model of 7 joints/);
});

test('arrays of wrong shapes, of missing files and with nonsense in them are named', () => {
  const arrays = {
    v_template: { shape: [4, 3], data: Float32Array.of(0, 0, 0, 0.1, 0, 0, 0, 0.1, 0, 0, 0, 0.1) },
    weights: { shape: [4, 5], data: new Float32Array(20).fill(0.2) },
    J_regressor: { shape: [5, 4], data: new Float32Array(20).fill(0.25) },
    f: { shape: [2, 3], data: Int32Array.of(0, 1, 2, 0, 2, 3) },
  };
  const file = (changes: object): SourceFile[] => [
    { name: 'm.npz', bytes: encodeNpz({ ...arrays, ...changes }) },
  ];
  assert.equal(importHead(file({}), OPTIONS).head.triangles.length, 6);
  const { weights: _, ...unweighted } = arrays;
  refused(
    [{ name: 'm.npz', bytes: encodeNpz(unweighted) }],
    'incomplete-head',
    /weights are not in the files/,
  );
  const short = { shape: [3, 5], data: new Float32Array(15) };
  refused(file({ weights: short }), 'head-array-shape', /"weights" in m\.npz .* \(4, 5\), got \(3, 5\)/);
  const flat = { shape: [4, 36], data: new Float32Array(144) };
  refused(file({ posedirs: flat }), 'head-array-shape', /"posedirs"/);
  const past = { shape: [1, 3], data: Int32Array.of(0, 1, 4) };
  refused(file({ f: past }), 'head-array-values', /points past the 4 vertices/);
  const broken = { shape: [4, 3], data: new Float32Array(12).fill(Number.NaN) };
  refused(file({ v_template: broken }), 'head-array-values', /not finite/);
  const tree = { shape: [2, 5], data: Int32Array.of(-1, 3, 1, 1, 1, 0, 1, 2, 3, 4) };
  refused(file({ kintree_table: tree }), 'head-array-values', /no tree of 5 joints/);
});

test('embeddings and templates of other meshes, damaged and foreign files are named', () => {
  const model = golden('model.pkl');
  const npz = (changes: object): SourceFile => ({
    name: 'e.npz',
    bytes: encodeNpz({
      lmk_face_idx: { shape: [1], data: Int32Array.of(0) },
      lmk_b_coords: { shape: [1, 3], data: Float32Array.of(1, 0, 0) },
      landmark_indices: { shape: [1], data: Int32Array.of(5) },
      ...changes,
    }),
  });
  const far = { shape: [1], data: Int32Array.of(9999) };
  refused([model, npz({ lmk_face_idx: far })], 'bad-landmark-embedding', /e\.npz.*triangle 9999/);
  refused([model, npz({ landmark_indices: far })], 'bad-landmark-embedding', /names landmark 9999/);
  const text = (name: string, content: string): SourceFile => ({
    name,
    bytes: new TextEncoder().encode(content),
  });
  const cube = 'v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n';
  refused([model, text('cube.obj', cube)], 'template-of-other-mesh', /3 vertices and the model 30/);
  refused([model, text('bare.obj', 'v 0 0 0\nf 1 1 1\n')], 'bad-template', /line 2 is no face/);
  refused([text('none.pkl', '')], 'bad-head-source', /none\.pkl cannot be used: it is empty/);
  const cut = { name: 'cut.pkl', bytes: model.bytes.subarray(0, 20_000) };
  refused([cut], 'bad-numpy-file', /cut\.pkl cannot be read: it is cut short/);
  const number = { name: 'n.npy', bytes: encodeNpy({ shape: [1], data: Float32Array.of(1) }) };
  refused([number], 'incomplete-head', /found: none of its arrays/);
});

let partial: ImportedHead;
before(() => {
  if (!partialSkip) partial = importHead(partialFiles(), { name: 'flame-open-partial', reference });
});

test('the real numbers of FLAME 2023 Open pose as smplx poses them', { skip: partialSkip }, () => {
  const poser = createHeadPoser(partial.head);
  assert.equal(goldens.partial.length, 3);
  for (const sample of goldens.partial) {
    const vertices = poser.pose(parametersOf(sample));
    for (const [p, expected] of sample.probes.entries()) {
      let sum = 0;
      for (let i = 0; i < vertices.length; i++) sum += (vertices[i]! * Math.sin((p + 1) * i * 0.37)) / 100;
      assert.ok(Math.abs(sum - expected) < 1e-5, `probe ${p}: ${sum} ${expected}`);
    }
    const known = [...partial.head.landmarkWeights!.keys()].filter((l) => partial.fromFiles.has(l));
    const mean = [0, 1, 2].map(
      (k) => known.reduce((sum, l) => sum + surfacePoint(partial.head, vertices, l)[k]!, 0) / known.length,
    );
    assert.ok(gap(mean, sample.landmarkMean) < 1e-5);
  }
});

test('a real model without template, expressions and most landmarks is completed and says so', {
  skip: partialSkip,
}, () => {
  const { head, notes, landmarks, registration } = partial;
  assert.deepEqual([landmarks.fromFiles, landmarks.carried], [105, 373]);
  assert.ok(registration.rmsMetres < 0.003 && registration.coverage > 0.9);
  assert.ok(notes.some((note) => /no expression basis/.test(note)));
  assert.ok(notes.some((note) => /no template OBJ/.test(note)));
  assert.equal(head.landmarkWeights!.filter((weight) => weight > 0).length, 478);
  const count = (name: (typeof PART_NAMES)[number]): number =>
    head.triangleParts.filter((part) => part === PART_NAMES.indexOf(name)).length;
  assert.ok(count('leftEyeball') > 500 && count('leftEyeball') === count('rightEyeball'));
  assert.ok(count('lips') > 100);
});

test('carried landmarks lie where they should on a real head', { skip: partialSkip }, () => {
  const vertices = createHeadPoser(partial.head).pose(neutralParameters(partial.head));
  const at = (l: number): number[] => surfacePoint(partial.head, vertices, l);
  const [iris, rightIris, chin, forehead] = [473, 468, 152, 10].map(at);
  const joints = createHeadPoser(partial.head).joints(neutralParameters(partial.head));
  assert.ok(Math.hypot(iris![0]! - joints[9]!, iris![1]! - joints[10]!) < 0.004);
  assert.ok(Math.hypot(rightIris![0]! - joints[12]!, rightIris![1]! - joints[13]!) < 0.004);
  assert.ok(iris![2]! > joints[11]! + 0.009);
  assert.ok(Math.abs(chin![0]!) < 0.004 && Math.abs(forehead![0]!) < 0.004);
  assert.ok(forehead![1]! - chin![1]! > 0.1);
});

test('a carried texture puts the same places of both faces into the same texels', {
  skip: partialSkip,
}, () => {
  const uvOf = (head: HeadModel, l: number): number[] => {
    const t = head.landmarks!.triangles[l]!;
    return [0, 1].map((k) =>
      [0, 1, 2].reduce(
        (sum, c) =>
          sum + head.landmarks!.barycentrics[3 * l + c]! * head.uvs[2 * head.uvTriangles[3 * t + c]! + k]!,
        0,
      ),
    );
  };
  const gaps = Array.from({ length: 468 }, (_, l) => {
    const [a, b] = [uvOf(partial.head, l), uvOf(reference, l)];
    return Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!);
  }).sort((a, b) => a - b);
  // The face is 0.7 of the texture wide: the median stays within a hundredth of it, nearly all within a tenth.
  assert.ok(gaps[234]! < 0.01, `median ${gaps[234]}`);
  assert.ok(gaps[445]! < 0.07, `95 % ${gaps[445]}`);
});
