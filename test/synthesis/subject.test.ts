// Synthetic subjects: the same seed gives the same person, the truth that comes with a picture is true.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { projectPoint } from '../../src/geometry/index.ts';
import { decodeHead, JOINT_NAMES } from '../../src/head/index.ts';
import {
  createRenderTools,
  createSubject,
  makeSyntheticPair,
  placeSubject,
  type RenderedSubject,
  renderSubject,
  sampleMotion,
} from '../../src/synthesis/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

const HEAD = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);
const tools = createRenderTools(HEAD);
const SIZE = 64;

const atRest = {
  expression: new Float32Array(HEAD.expressionNames.length),
  jointRotations: new Float32Array(3 * JOINT_NAMES.length),
};

function portrait(seed: number): RenderedSubject {
  const subject = createSubject(seed, tools);
  return renderSubject(tools, subject, placeSubject(subject.traits, atRest, SIZE));
}

test('a seed always gives the same picture, another seed another one', () => {
  const first = portrait(7);
  assert.deepEqual(portrait(7).image.data, first.image.data);
  const other = portrait(8);
  const difference = first.image.data.reduce(
    (sum, value, i) => sum + Math.abs(value - other.image.data[i]!),
    0,
  );
  assert.ok(difference / first.image.data.length > 10);
});

test('the head lies within the person, neither is empty, and the eyes lie on the head', () => {
  for (const seed of [1, 2, 3, 4]) {
    const { masks, parameters, camera } = portrait(seed);
    const [headMask, personMask] = [masks.head, masks.person];
    assert.ok(
      headMask.every((value, pixel) => value <= personMask[pixel]!),
      `seed ${seed}`,
    );
    const share = headMask.filter((value) => value > 127).length / headMask.length;
    assert.ok(share > 0.08 && share < 0.7, `seed ${seed}: the head covers ${share}`);
    const joints = tools.poser.joints(parameters);
    for (const joint of [3, 4]) {
      const [x, y] = projectPoint(camera, joints.subarray(3 * joint, 3 * joint + 3));
      assert.ok(headMask[Math.floor(y) * SIZE + Math.floor(x)]! > 200, `seed ${seed}, joint ${joint}`);
    }
  }
});

test('pupils are darker than the whites beside them', () => {
  let darker = 0;
  const seeds = [11, 12, 13, 14, 15, 16];
  for (const seed of seeds) {
    const subject = createSubject(seed, tools);
    const placed = placeSubject(subject.traits, atRest, 256);
    const { image } = renderSubject(tools, subject, placed);
    const joints = tools.poser.joints(placed.parameters);
    const luma = (dx: number): number => {
      const [x, y] = projectPoint(placed.camera, [joints[9]! + dx, joints[10]!, joints[11]! + 0.012]);
      const at = 3 * (Math.floor(y) * 256 + Math.floor(x));
      return image.data[at]! + image.data[at + 1]! + image.data[at + 2]!;
    };
    if (luma(0) < Math.max(luma(0.009), luma(-0.009))) darker++;
  }
  assert.ok(darker >= seeds.length - 1, `${darker} of ${seeds.length}`);
});

test('motions stay within their ranges and leave the neck alone', () => {
  const random = createRandom(5);
  for (let i = 0; i < 300; i++) {
    const { expression, jointRotations } = sampleMotion(random, HEAD, { yawDegrees: 30 });
    assert.ok(expression.every((value) => value >= 0 && value <= 1));
    assert.deepEqual([...jointRotations.subarray(3, 6)], [0, 0, 0]);
    assert.ok(jointRotations[6]! >= 0 && jointRotations[6]! < 0.36);
    assert.ok(Math.hypot(...jointRotations.subarray(0, 3)) < 0.65);
  }
});

test('a pair lifts its reference nearer to its target than copying does, and repeats itself', () => {
  let [lifting, copying] = [0, 0];
  for (const seed of [21, 22, 23]) {
    const subject = createSubject(seed, tools);
    const pair = makeSyntheticPair(tools, subject, { sizePx: 96, index: 0, fitNoise: 0 });
    for (const [pixel, mask] of pair.headMask.entries()) {
      if (mask < 128) continue;
      for (let i = 3 * pixel; i < 3 * pixel + 3; i++) {
        lifting += (pair.lifted[i]! - pair.target[i]!) ** 2;
        copying += (pair.reference[i]! - pair.target[i]!) ** 2;
      }
    }
    if (seed > 21) continue;
    const again = makeSyntheticPair(tools, subject, { sizePx: 96, index: 0, fitNoise: 0 });
    assert.deepEqual(again.lifted, pair.lifted);
    assert.deepEqual(again.target, pair.target);
  }
  assert.ok(lifting < copying / 1.5, `squared error ${lifting}, copying ${copying}`);
});
