import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMotionTransfer } from '../../src/avatar/index.ts';
import { createLidClosure, type HeadParameters, jointAngles, parametersAt } from '../../src/head/index.ts';
import { type FrameValues, head, parametersOf, trackOf, unitOf } from './tracks.ts';

const near = (value: number, expected: number, tolerance = 1e-5): void =>
  assert.ok(Math.abs(value - expected) < tolerance, `${value} is not ${expected}`);
const rest: FrameValues = { units: { mouthFrownLeft: 0.2 }, root: [0, 0.1, 0], jaw: 0.05 };
const moving: FrameValues = {
  units: { mouthFrownLeft: 0.2, mouthSmileLeft: 0.5, eyeBlinkLeft: 1 },
  root: [0, 0.4, 0],
  jaw: 0.3,
  translation: [0.02, 0, -0.5],
};
const driver = trackOf([rest, rest, rest, moving]);
const portrait = parametersOf({
  units: { mouthSmileLeft: 0.4, eyeBlinkLeft: 0.3 },
  root: [0, -0.2, 0],
  translation: [0, 0.1, -0.7],
});
const BLINK_LEFT = head.expressionNames.indexOf('eyeBlinkLeft');
/** The left blink at which the lids of a moved head meet. */
const closed = ({ identity, expression }: HeadParameters): number =>
  createLidClosure(head, identity)!(expression)[0]!;
const yawOf = (parameters: HeadParameters): number => jointAngles(parameters, 'root').yaw;

test('relative: where the driver rests, the portrait is as in its picture', () => {
  const still = createMotionTransfer(head, portrait, driver)(0);
  for (const key of ['expression', 'jointRotations', 'translation'] as const) {
    still[key].forEach((value, k) => {
      near(value, portrait[key][k]!);
    });
  }
});

test('relative: the change of the driver is added, and a full blink closes the eye', () => {
  const moved = createMotionTransfer(head, portrait, driver)(3);
  near(yawOf(moved), -0.2 + 0.3);
  near(unitOf(moved, 'mouthSmileLeft'), 0.4 + 0.5 * 0.6);
  near(unitOf(moved, 'mouthFrownLeft'), 0);
  near(unitOf(moved, 'eyeBlinkLeft'), closed(moved));
  near(moved.translation[0]!, 0.02);
  near(moved.translation[2]!, -0.7);
  near(moved.jointRotations[6]!, (0.25 * 0.5) / 0.45);
});

test('lips are rounded once: pucker and funnel add up to one of them', () => {
  const rounded = { units: { mouthPucker: 0.9, mouthFunnel: 0.6 } };
  const moved = createMotionTransfer(head, portrait, trackOf([rest, rest, rest, rounded]))(3);
  near(unitOf(moved, 'mouthPucker'), 0.9 / 1.5);
  near(unitOf(moved, 'mouthFunnel'), 0.6 / 1.5);
});

test('absolute: expression and pose are those of the driver, the place is that of the portrait', () => {
  const moved = createMotionTransfer(head, portrait, driver, { motion: 'absolute' })(3);
  const wanted = parametersAt(driver, 3);
  wanted.expression.set([closed(moved)], BLINK_LEFT);
  moved.expression.forEach((value, k) => {
    near(value, wanted.expression[k]!);
  });
  moved.jointRotations.forEach((value, k) => {
    near(value, wanted.jointRotations[k]!);
  });
  near(moved.translation[1]!, 0.1);
});

test('a driver of one frame has no change of its own, so it is taken as it is', () => {
  const moved = createMotionTransfer(head, portrait, trackOf([moving]))(0);
  near(unitOf(moved, 'mouthSmileLeft'), 0.5);
  near(yawOf(moved), 0.4);
});

test('expression alone leaves the head where it is; pose alone leaves the face as it is', () => {
  const expression = createMotionTransfer(head, portrait, driver, { drives: 'expression' })(3);
  near(yawOf(expression), -0.2);
  near(expression.translation[0]!, 0);
  near(unitOf(expression, 'eyeBlinkLeft'), closed(expression));
  assert.ok(expression.jointRotations[6]! > 0.2);
  const pose = createMotionTransfer(head, portrait, driver, { drives: 'pose' })(3);
  near(yawOf(pose), 0.1);
  near(pose.translation[0]!, 0.02);
  near(unitOf(pose, 'eyeBlinkLeft'), 0.3);
  near(pose.jointRotations[6]!, 0);
});

test('intensity scales the change: none at 0, half of the turn at a half, never beyond a unit of 1', () => {
  const at = (intensity: number) => createMotionTransfer(head, portrait, driver, { intensity })(3);
  near(yawOf(at(0)), -0.2);
  near(unitOf(at(0), 'mouthSmileLeft'), 0.4);
  near(yawOf(at(0.5)), -0.05);
  near(at(0.5).translation[0]!, 0.01);
  near(unitOf(at(3), 'mouthSmileLeft'), 1);
  for (const value of at(3).expression) assert.ok(value >= 0 && value <= 1);
});

test('the rest of a driver ignores frames without a face, and what is done now and then', () => {
  const lost: FrameValues = { units: { browInnerUp: 1 }, root: [0, 1, 0] };
  const track = trackOf([rest, lost, lost, lost, lost, moving, rest], [1, 0, 0, 0, 0, 1, 1]);
  const moved = createMotionTransfer(head, portrait, track)(5);
  near(yawOf(moved), 0.1);
  near(unitOf(moved, 'browInnerUp'), 0);
});

test('retargeted eyes close where the driver closes them, and are open as the portrait has them', () => {
  const frames = [{}, {}, {}, {}, {}, {}, {}, {}, { units: { eyeBlinkLeft: 0.5, eyeBlinkRight: 0.5 } }];
  const track = trackOf([...frames, { units: { eyeBlinkLeft: 1, eyeBlinkRight: 1 } }]);
  const narrow = parametersOf({ units: { eyeBlinkLeft: 0.3, eyeBlinkRight: 0.3, eyeSquintLeft: 0.5 } });
  const transfer = createMotionTransfer(head, narrow, track, { motion: 'absolute', retargetEyes: true });
  near(unitOf(transfer(0), 'eyeBlinkRight'), 0.3, 0.02);
  const blink = unitOf(transfer(9), 'eyeBlinkRight');
  near(blink, createLidClosure(head, narrow.identity)!(transfer(9).expression)[1]!, 0.04);
  const half = unitOf(transfer(8), 'eyeBlinkRight');
  assert.ok(half > 0.4 && half < blink - 0.05, `${half}`);
});

test('retargeted lips close where the driver closes them, though the portrait smiles with open lips', () => {
  const track = trackOf([{}, {}, {}, { jaw: 0.25 }]);
  const open = parametersOf({ units: { mouthUpperUpLeft: 0.5, mouthUpperUpRight: 0.5 }, jaw: 0.15 });
  const transfer = createMotionTransfer(head, open, track, { retargetLips: true });
  near(transfer(0).jointRotations[6]!, 0);
  near(unitOf(transfer(0), 'mouthUpperUpLeft'), 0, 0.05);
  const wide = transfer(3);
  assert.ok(wide.jointRotations[6]! > 0.15 && wide.jointRotations[6]! < 0.3, `${wide.jointRotations[6]}`);
  const same = createMotionTransfer(head, parametersOf({}), track, { retargetLips: true });
  near(same(3).jointRotations[6]!, 0.25, 0.005);
});
