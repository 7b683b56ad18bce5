// Motion from one head to another: heads that are the same in disguise, whose truth is known, and the real FLAME.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertTrack, createHeadConverter, importHead } from '../../src/flame/index.ts';
import { rotate, rotationFromAxisAngle } from '../../src/geometry/index.ts';
import {
  createHeadPoser,
  type HeadModel,
  type HeadParameters,
  type HeadTrack,
  neutralParameters,
} from '../../src/head/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { partialFiles, partialSkip, reference } from './flame-files.ts';

const IDENTITIES = 16;
const plain: HeadModel = {
  ...reference,
  identityCount: IDENTITIES,
  identityBasis: reference.identityBasis.subarray(0, IDENTITIES * reference.template.length),
};
const ROOT_TURN = [0.1, 0.35, -0.08] as const;

/** The same head with its vertices in another order, seen from a frame that is turned and moved. */
function disguised(head: HeadModel): HeadModel {
  const random = createRandom(3);
  const count = head.template.length / 3;
  const order = Array.from({ length: count }, (_, v) => ({ v, key: random.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ v }) => v);
  const placeOf = new Uint32Array(count);
  for (const [at, v] of order.entries()) placeOf[v] = at;
  const rotation = rotationFromAxisAngle([0.06, 0, 0]);
  const rows = (data: Float32Array, isPlace: boolean): Float32Array => {
    const out = new Float32Array(data.length);
    for (let row = 0; row < data.length; row += 3 * count) {
      for (const [at, v] of order.entries()) {
        const turned = rotate(rotation, data.subarray(row + 3 * v, row + 3 * v + 3));
        if (isPlace) turned.set([turned[0]!, turned[1]! - 0.03, turned[2]! + 0.05]);
        out.set(turned, row + 3 * at);
      }
    }
    return out;
  };
  const joints = 5;
  return {
    ...head,
    name: 'disguised',
    template: rows(head.template, true),
    identityBasis: rows(head.identityBasis, false),
    expressionBasis: rows(head.expressionBasis, false),
    poseCorrectives: null,
    jointRegressor: Float32Array.from(
      { length: joints * count },
      (_, i) => head.jointRegressor[Math.floor(i / count) * count + order[i % count]!]!,
    ),
    skinningWeights: Float32Array.from(
      { length: joints * count },
      (_, i) => head.skinningWeights[order[Math.floor(i / joints)]! * joints + (i % joints)]!,
    ),
    triangles: head.triangles.map((v) => placeOf[v]!),
  };
}

/** A person with an expression, turned head, open jaw and a look aside. */
function someone(head: HeadModel, seed: number): HeadParameters {
  const random = createRandom(seed);
  const jointRotations = new Float32Array(15);
  jointRotations.set(ROOT_TURN, 0);
  jointRotations.set([0.15, 0.02, 0], 6);
  for (const eye of [9, 12]) jointRotations.set([0.1, 0.2, 0], eye);
  const units: Record<string, number> = {
    mouthSmileLeft: 0.7,
    mouthSmileRight: 0.6,
    eyeBlinkLeft: 0.9,
    browInnerUp: 0.5,
  };
  return {
    identity: Float32Array.from({ length: head.identityCount }, () => 0.7 * random.normal()),
    expression: Float32Array.from(head.expressionNames, (name) => units[name] ?? 0),
    jointRotations,
    translation: Float32Array.of(0.03, -0.02, -0.7),
  };
}

function rmsGap(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / (a.length / 3));
}

test('a head on the same mesh with its components shuffled gets the same people back', () => {
  const length = plain.template.length;
  const target: HeadModel = {
    ...plain,
    name: 'shuffled',
    identityBasis: Float32Array.from(
      { length: plain.identityBasis.length },
      (_, i) => plain.identityBasis[(IDENTITIES - 1 - Math.floor(i / length)) * length + (i % length)]!,
    ),
  };
  const person = someone(plain, 1);
  const converter = createHeadConverter(plain, target, person.identity);
  assert.ok(converter.identityRmsMetres < 2e-4, `${converter.identityRmsMetres} m`);
  for (const [k, value] of person.identity.entries()) {
    assert.ok(
      Math.abs(converter.identity[IDENTITIES - 1 - k]! - value) < 0.1,
      `component ${k}: ${converter.identity[IDENTITIES - 1 - k]} for ${value}`,
    );
  }
  const { parameters, rmsMetres } = converter.convert(person);
  assert.ok(rmsMetres < 2e-4, `${rmsMetres}`);
  for (const name of ['mouthSmileLeft', 'eyeBlinkLeft', 'browInnerUp']) {
    const k = plain.expressionNames.indexOf(name);
    assert.ok(Math.abs(parameters.expression[k]! - person.expression[k]!) < 0.1, name);
  }
  const [given, posed] = [createHeadPoser(plain).pose(person), createHeadPoser(target).pose(parameters)];
  assert.ok(rmsGap(given, posed) < 5e-4);
});

test('a head in another order of vertices and another frame is found by its surface', () => {
  const target = disguised(plain);
  const person = someone(plain, 2);
  const converter = createHeadConverter(plain, target, person.identity);
  assert.ok(converter.pointCount > 1000);
  assert.ok(converter.identityRmsMetres < 7e-4, `${converter.identityRmsMetres}`);
  const { parameters, rmsMetres } = converter.convert(person);
  assert.ok(rmsMetres < 1e-3, `${rmsMetres}`);
  const joints = [createHeadPoser(plain).joints(person), createHeadPoser(target).joints(parameters)] as const;
  for (let i = 9; i < 15; i++)
    assert.ok(Math.abs(joints[0][i]! - joints[1][i]!) < 1e-3, 'the eyes stay where they are');
  const unit = (name: string): number => parameters.expression[plain.expressionNames.indexOf(name)]!;
  assert.ok(unit('mouthSmileLeft') > 0.5 && unit('eyeBlinkLeft') > 0.7 && unit('eyeBlinkRight') < 0.15);
});

test('the eyes of both heads look the same way in the world', () => {
  const target = disguised(plain);
  const person = someone(plain, 4);
  const { parameters } = createHeadConverter(plain, target, person.identity).convert(person);
  const gaze = ({ jointRotations: j }: HeadParameters): Float64Array => {
    const turn = (at: number, direction: Float64Array): Float64Array =>
      rotate(rotationFromAxisAngle(j.subarray(at, at + 3)), direction);
    return turn(0, turn(3, turn(9, Float64Array.of(0, 0, 1))));
  };
  const [from, to] = [gaze(person), gaze(parameters)];
  for (let k = 0; k < 3; k++) assert.ok(Math.abs(from[k]! - to[k]!) < 1e-5);
});

const imported = partialSkip
  ? null
  : importHead(partialFiles(), { name: 'flame-open-partial', reference }).head;

test('FLAME and the embedded head carry people both ways within 3 mm', { skip: partialSkip }, () => {
  for (const [from, to] of [
    [reference, imported!],
    [imported!, reference],
  ] as const) {
    const person = { ...someone(from, 5), identity: someone(from, 5).identity.map((value) => 0.7 * value) };
    const converter = createHeadConverter(from, to, person.identity);
    assert.ok(converter.identityRmsMetres < 0.003, `${from.name}: ${converter.identityRmsMetres}`);
    const { parameters } = converter.convert(person);
    const [a, b] = [createHeadPoser(from).joints(person), createHeadPoser(to).joints(parameters)];
    for (const eye of [9, 12]) {
      const gap = Math.hypot(a[eye]! - b[eye]!, a[eye + 1]! - b[eye + 1]!, a[eye + 2]! - b[eye + 2]!);
      assert.ok(gap < 0.006, `${from.name}: an eye moved by ${gap} m`);
    }
    const yawGap = Math.abs(parameters.jointRotations[1]! - ROOT_TURN[1]);
    assert.ok(yawGap < 0.06, `${from.name}: yaw is off by ${yawGap} radians`);
  }
});

test('a whole track keeps its clock, camera, landmarks and confidence, and reports how well it fits', () => {
  const frames = 3;
  const person = someone(plain, 6);
  const repeated = (values: Float32Array): Float32Array =>
    Float32Array.from({ length: frames * values.length }, (_, i) => values[i % values.length]!);
  const track: HeadTrack = {
    headName: plain.name,
    width: 640,
    height: 360,
    focalPx: 700,
    timestampsSeconds: Float64Array.of(0, 0.04, 0.09),
    identity: person.identity,
    expression: repeated(person.expression),
    jointRotations: repeated(person.jointRotations),
    translation: repeated(person.translation),
    confidence: Float32Array.of(1, 0, 0.5),
    landmarksPx: new Float32Array(frames * 478 * 2).fill(7),
    provenance: { source: 'clip.mp4' },
  };
  const { track: carried, frameRmsMetres } = convertTrack(track, plain, { ...plain, name: 'twin' });
  assert.equal(carried.headName, 'twin');
  for (const key of ['width', 'focalPx', 'timestampsSeconds', 'confidence', 'landmarksPx'] as const) {
    assert.deepEqual(carried[key], track[key], key);
  }
  assert.equal(carried.provenance.convertedFrom, plain.name);
  assert.equal(frameRmsMetres.length, frames);
  assert.ok(frameRmsMetres.every((rms) => rms < 2e-4));
  assert.deepEqual(carried.identity.length, neutralParameters(plain).identity.length);
});
