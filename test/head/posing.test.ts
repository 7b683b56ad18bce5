// Identity, expression and pose to vertices: known values, laws, and the kernel against its reference.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotate, rotationFromAxisAngle } from '../../src/geometry/index.ts';
import {
  createHeadPoser,
  JOINT_NAMES,
  type PartName,
  poseHeadReference,
  verticesOfParts,
} from '../../src/head/index.ts';
import { expression, head, parameters, randomParameters, turned } from './embedded-head.ts';

const poser = createHeadPoser(head);
const [ROOT, NECK, JAW, LEFT_EYE] = [0, 1, 2, 3] as const;

const verticesOf = (...parts: PartName[]): number[] => [...verticesOfParts(head, ...parts)];

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let gap = 0;
  for (let i = 0; i < a.length; i++) gap = Math.max(gap, Math.abs(a[i]! - b[i]!));
  return gap;
}

/** For each vertex of the template the one at the mirrored place. */
function mirrorMap(): Uint32Array {
  const key = (x: number, y: number, z: number): string =>
    [x, y, z].map((value) => Math.round(value * 2e4)).join(' ');
  const at = (v: number, axis: number): number => head.template[3 * v + axis]!;
  const cells = new Map<string, number[]>();
  const count = head.template.length / 3;
  for (let v = 0; v < count; v++) {
    const cell = key(at(v, 0), at(v, 1), at(v, 2));
    cells.set(cell, [...(cells.get(cell) ?? []), v]);
  }
  return Uint32Array.from({ length: count }, (_, v) => {
    const distance = (o: number): number =>
      Math.hypot(at(o, 0) + at(v, 0), at(o, 1) - at(v, 1), at(o, 2) - at(v, 2));
    const steps = [-5e-5, 0, 5e-5];
    const near = steps.flatMap((x) =>
      steps.flatMap((y) =>
        steps.flatMap((z) => cells.get(key(x - at(v, 0), y + at(v, 1), z + at(v, 2))) ?? []),
      ),
    );
    return near.reduce((best, o) => (distance(o) < distance(best) ? o : best), near[0] ?? v);
  });
}

function mirrored(points: Float32Array, mirror: Uint32Array): Float32Array {
  const out = new Float32Array(points.length);
  for (const [v, other] of mirror.entries()) {
    out.set([-points[3 * other]!, points[3 * other + 1]!, points[3 * other + 2]!], 3 * v);
  }
  return out;
}

test('the mean head at rest is the template', () => {
  assert.ok(largestGap(poser.pose(parameters()), head.template) < 1e-7);
});

test('the kernel agrees with the reference to a micrometre', () => {
  for (const seed of [1, 2, 3]) {
    const random = randomParameters(seed);
    assert.ok(largestGap(poser.pose(random), poseHeadReference(head, random)) <= 1e-6);
  }
});

test('a cached identity gives what a new poser gives', () => {
  const [first, second] = [randomParameters(4), randomParameters(5)];
  poser.pose(first);
  const mixed = { ...first, identity: second.identity };
  assert.deepEqual(poser.pose(mixed), createHeadPoser(head).pose(mixed));
  first.identity[0]! += 1;
  assert.deepEqual(poser.pose(first), createHeadPoser(head).pose(first));
});

test('rotating the root is a rigid motion about the root joint', () => {
  const axisAngle = [0.2, 0.6, -0.1] as const;
  const still = randomParameters(6);
  still.jointRotations.fill(0, 0, 3);
  const moved = { ...still, jointRotations: Float32Array.from(still.jointRotations) };
  moved.jointRotations.set(axisAngle, 3 * ROOT);
  const pivot = poser.joints(still).subarray(0, 3);
  const rotation = rotationFromAxisAngle(axisAngle);
  const before = poser.pose(still);
  const expected = new Float32Array(before.length);
  for (let i = 0; i < before.length; i += 3) {
    const arm = [0, 1, 2].map((axis) => before[i + axis]! - pivot[axis]!);
    expected.set(
      rotate(rotation, arm).map((value, axis) => value + pivot[axis]!),
      i,
    );
  }
  assert.ok(largestGap(poser.pose(moved), expected) < 2e-6);
});

test('the origin lies between the eyes and translation moves everything alike', () => {
  const joints = poser.joints(parameters());
  for (let axis = 0; axis < 3; axis++) {
    assert.ok(Math.abs((joints[9 + axis]! + joints[12 + axis]!) / 2) < 1e-5);
  }
  assert.ok(joints[9]! > 0.025, "the subject's left eye is at +x");
  const moved = poser.pose(parameters({ translation: Float32Array.of(0.3, -0.2, -1) }));
  assert.ok(
    largestGap(
      moved,
      head.template.map((value, i) => value + [0.3, -0.2, -1][i % 3]!),
    ) < 1e-6,
  );
});

test('positive yaw turns the face towards the subject’s left, and the neck leaves the shoulders', () => {
  const nose = verticesOf('skin').reduce((a, b) =>
    head.template[3 * b + 2]! > head.template[3 * a + 2]! ? b : a,
  );
  const lowest = verticesOf('skin').reduce((a, b) =>
    head.template[3 * b + 1]! < head.template[3 * a + 1]! ? b : a,
  );
  for (const joint of [ROOT, NECK]) {
    assert.ok(poser.pose(parameters({ jointRotations: turned(joint, [0, 0.4, 0]) }))[3 * nose]! > 0.03);
  }
  const turnedNeck = poser.pose(parameters({ jointRotations: turned(NECK, [0, 0.4, 0]) }));
  const row = [3 * lowest, 3 * lowest + 3] as const;
  assert.ok(largestGap(turnedNeck.subarray(...row), head.template.subarray(...row)) < 1e-4);
});

test('a blink brings the upper lid down on that side alone', () => {
  const closed = poser.pose(parameters({ expression: expression({ eyeBlinkLeft: 1 }) }));
  let [left, right] = [0, 0];
  for (let v = 0; v < head.template.length / 3; v++) {
    const drop = head.template[3 * v + 1]! - closed[3 * v + 1]!;
    if (head.template[3 * v]! > 0.005) left = Math.max(left, drop);
    if (head.template[3 * v]! < -0.005) right = Math.max(right, drop);
  }
  assert.ok(left > 0.006, `the lid came down by ${left} m`);
  assert.ok(right < 5e-4, `the other side moved by ${right} m`);
});

test('units of the left are mirror images of those of the right', () => {
  const mirror = mirrorMap();
  for (const [index, name] of head.expressionNames.entries()) {
    const other = name.replace(/(Left|Right)$/, (side) => (side === 'Left' ? 'Right' : 'Left'));
    assert.ok(head.expressionNames.includes(other), other);
    const length = head.template.length;
    const own = head.expressionBasis.subarray(index * length, (index + 1) * length);
    const at = head.expressionNames.indexOf(other);
    const counterpart = head.expressionBasis.subarray(at * length, (at + 1) * length);
    assert.ok(largestGap(mirrored(own, mirror), counterpart) < 1e-4, name);
  }
});

test('the eyes turn by their joints alone', () => {
  const eye = verticesOf('leftEyeball');
  const looking = poser.pose(parameters({ jointRotations: turned(LEFT_EYE, [0, 0.3, 0]) }));
  const pupil = eye.reduce((a, b) => (head.template[3 * b + 2]! > head.template[3 * a + 2]! ? b : a));
  assert.ok(looking[3 * pupil]! - head.template[3 * pupil]! > 0.003);
  const units = expression({ eyeLookOutLeft: 1, eyeLookDownLeft: 1, eyeBlinkLeft: 1 });
  const lidsOnly = poser.pose(parameters({ expression: units }));
  for (const v of eye) {
    assert.deepEqual(lidsOnly.subarray(3 * v, 3 * v + 3), head.template.subarray(3 * v, 3 * v + 3));
  }
});

test('some angle of the jaw joint equals the unit jawOpen', () => {
  const open = poser.pose(parameters({ expression: expression({ jawOpen: 1 }) }));
  const gap = (angle: number): number =>
    largestGap(open, poser.pose(parameters({ jointRotations: turned(JAW, [angle, 0, 0]) })));
  let best = 0.2;
  for (const step of [0.02, 0.002, 0.0002]) {
    for (const angle of Array.from({ length: 41 }, (_, i) => best + (i - 20) * step)) {
      if (gap(angle) < gap(best)) best = angle;
    }
  }
  assert.ok(gap(best) < 2e-4, `at ${best} rad the joint misses by ${gap(best)} m`);
  assert.ok(best > 0.25 && best < 0.5);
});

test('parameters of another head are refused in one line', () => {
  const wrong = parameters({ identity: new Float32Array(3) });
  assert.throws(() => poser.pose(wrong), /expected identity of \d+ values, got 3/);
  assert.throws(() => poser.pose(parameters(), new Float32Array(7)), /expected out of \d+ values, got 7/);
  assert.equal(poser.joints(parameters()).length, 3 * JOINT_NAMES.length);
});
