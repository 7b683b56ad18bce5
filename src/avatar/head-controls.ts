// What people move a head by: the expressions of its model by name, and a few names for its joints. All values are
// changes from the portrait's own face and pose: 0 leaves it as it is, 1 is an expression at its full strength.

import { axisAngleFromRotation, multiplyRotations, rotationFromAxisAngle } from '../geometry/index.ts';
import {
  type HeadModel,
  type HeadParameters,
  JOINT_NAMES,
  neutralParameters,
  type TurnAngles,
} from '../head/index.ts';
import { hasUnits } from './driver-rest.ts';

/** Values by name: angles in degrees, displacements in centimetres, expressions as shares of their full strength. */
export type HeadControls = Readonly<Record<string, number>>;

/** How far a control may go to either side. */
export type ControlLimits = { readonly low: number; readonly high: number; readonly unit: 'deg' | 'cm' | '' };

const DEGREES: Readonly<Record<string, number>> = {
  headYaw: 90,
  headPitch: 60,
  headRoll: 60,
  gazeYaw: 40,
  gazePitch: 30,
};
const CENTIMETRES: readonly string[] = ['headX', 'headY', 'headZ'];
const CENTIMETRE_LIMIT = 20;
const JAW = 'jawOpen';
/** What the unit jawOpen turns the lower teeth by on the embedded head. */
const JAW_RADIANS = (20.7 * Math.PI) / 180;
/** FLAME's coefficients have unit variance. */
const COEFFICIENT_LIMIT = 4;
/** Lids go along with the eyes. */
const LID_DEGREES = 20;
const LID_SHARE = 0.8;

/** All controls of a head by name. An expression that has two sides answers to its name without the side too. */
export function controlLimits(head: HeadModel): ReadonlyMap<string, ControlLimits> {
  const bound = (limit: number, unit: ControlLimits['unit']): ControlLimits => ({
    ...{ low: -limit, high: limit },
    unit,
  });
  const strength = bound(hasUnits(head) ? 1 : COEFFICIENT_LIMIT, '');
  // Both of mouthLeft and mouthRight would be none: these are directions, not sides.
  const sided = head.expressionNames
    .filter((name) => /.+[a-z]Left$/.test(name) && !/^(jaw|mouth)Left$/.test(name))
    .map((name) => name.slice(0, -4));
  const pairs = sided.filter((name) => head.expressionNames.includes(`${name}Right`));
  return new Map<string, ControlLimits>([
    ...Object.entries(DEGREES).map(([name, limit]) => [name, bound(limit, 'deg')] as const),
    ...CENTIMETRES.map((name) => [name, bound(CENTIMETRE_LIMIT, 'cm')] as const),
    [JAW, bound(1, '')],
    ...head.expressionNames.filter((name) => name !== JAW).map((name) => [name, strength] as const),
    ...pairs.map((name) => [name, strength] as const),
  ]);
}

/** A head that is moved by controls from rest; names must be among `controlLimits`. */
export function controlledHead(head: HeadModel, controls: HeadControls): HeadParameters {
  const { identity, expression, jointRotations, translation } = neutralParameters(head);
  const value = (name: string): number => controls[name] ?? 0;
  const radians = (name: string): number => (value(name) * Math.PI) / 180;
  for (const [name, amount] of Object.entries(controls)) {
    for (const unit of [name, `${name}Left`, `${name}Right`]) {
      const k = head.expressionNames.indexOf(unit);
      if (k >= 0 && unit !== JAW) expression[k]! += amount;
    }
  }
  const pitch = value('gazePitch');
  for (const side of ['Left', 'Right']) {
    const lid = head.expressionNames.indexOf(`eyeLook${pitch > 0 ? 'Down' : 'Up'}${side}`);
    if (lid >= 0) expression[lid]! += LID_SHARE * Math.min(1, Math.abs(pitch) / LID_DEGREES);
  }
  const turn = (joint: (typeof JOINT_NAMES)[number], angles: TurnAngles): void =>
    jointRotations.set(turnVector(angles), 3 * JOINT_NAMES.indexOf(joint));
  turn('root', { yaw: radians('headYaw'), pitch: radians('headPitch'), roll: radians('headRoll') });
  turn('jaw', { yaw: 0, pitch: JAW_RADIANS * value(JAW), roll: 0 });
  for (const eye of ['leftEye', 'rightEye'] as const)
    turn(eye, { yaw: radians('gazeYaw'), pitch: radians('gazePitch'), roll: 0 });
  for (const [axis, name] of CENTIMETRES.entries()) translation[axis] = value(name) / 100;
  return { identity, expression, jointRotations, translation };
}

/** The axis-angle vector of a turn, as `jointAngles` reads it: Ry(yaw) Rx(pitch) Rz(roll). */
export function turnVector({ yaw, pitch, roll }: TurnAngles): Float64Array {
  const tilted = multiplyRotations(rotationFromAxisAngle([pitch, 0, 0]), rotationFromAxisAngle([0, 0, roll]));
  return axisAngleFromRotation(multiplyRotations(rotationFromAxisAngle([0, yaw, 0]), tilted));
}
