// How heads are held and faces move in portraits and talk: random expressions, jaw, gaze and pose with
// natural ranges, for heads with the 52 ARKit units by name.

import { axisAngleFromRotation, multiplyRotations, rotationFromAxisAngle } from '../geometry/index.ts';
import { type HeadModel, JOINT_NAMES } from '../head/index.ts';
import type { Random } from '../tensor/index.ts';

/** An expression with the rotations of all joints. */
export type Motion = {
  /** `E`. */
  readonly expression: Float32Array;
  /** `J 3`, axis-angle, radians: root, jaw and eyes; the neck is left alone, as the tracker leaves it. */
  readonly jointRotations: Float32Array;
};

const degrees = (value: number): number => (value * Math.PI) / 180;
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Units that move together, with the range of each at full strength. */
export type Gesture = Readonly<Record<string, readonly [low: number, high: number]>>;

// A unit without a side stands for both, `...Left` and `...Right` alike but for a little asymmetry.
export const GESTURES: readonly Gesture[] = [
  { mouthSmile: [0.3, 1], cheekSquint: [0, 0.6], eyeSquint: [0, 0.4], mouthDimple: [0, 0.3] },
  { mouthSmile: [0.5, 1], mouthUpperUp: [0.2, 0.6], mouthLowerDown: [0.1, 0.5], cheekSquint: [0.2, 0.8] },
  { mouthFrown: [0.3, 0.9], browInnerUp: [0, 0.6], mouthShrugLower: [0, 0.6] },
  { browDown: [0.3, 1], eyeSquint: [0, 0.5], mouthPress: [0, 0.5] },
  { browInnerUp: [0.3, 1], browOuterUp: [0.3, 1], eyeWide: [0, 0.6] },
  { mouthPucker: [0.3, 0.9], mouthFunnel: [0, 0.5] },
  { mouthFunnel: [0.2, 0.8], mouthUpperUp: [0, 0.3] },
  { noseSneer: [0.2, 0.8], mouthUpperUp: [0.1, 0.6] },
  { mouthRollLower: [0.1, 0.7], mouthRollUpper: [0.1, 0.6], mouthPress: [0, 0.6] },
  { mouthStretch: [0.2, 0.8], mouthLowerDown: [0.1, 0.6] },
  { cheekPuff: [0.2, 0.7], mouthPress: [0, 0.4] },
];
const ONE_SIDED = ['mouthLeft', 'mouthRight', 'jawLeft', 'jawRight', 'jawForward'];

/** A random expression: often nearly none, else one or two gestures, speech, blinks, gaze. */
export function sampleMotion(
  random: Random,
  head: HeadModel,
  {
    yawDegrees = 30,
    pitchDegrees = 13,
    calm = 0.25,
  }: {
    /** Spread of the yaw (two thirds lie within 0.6 of it, none beyond). */
    readonly yawDegrees?: number;
    readonly pitchDegrees?: number;
    /** Probability of a face nearly at rest. */
    readonly calm?: number;
  } = {},
): Motion {
  const expression = new Float32Array(head.expressionNames.length);
  const add = (name: string, value: number): void => {
    const index = head.expressionNames.indexOf(name);
    if (index >= 0) expression[index] = clamp(expression[index]! + value, 0, 1);
  };
  const isCalm = random.uniform() < calm;
  const gestures = isCalm ? 0 : 1 + random.integer(2);
  for (let i = 0; i < gestures; i++) {
    const strength = random.uniform(0.3, 1);
    for (const [name, [low, high]] of Object.entries(random.choose(GESTURES))) {
      const value = strength * random.uniform(low, high);
      if (head.expressionNames.includes(name)) add(name, value);
      else for (const side of ['Left', 'Right']) add(name + side, value * random.uniform(0.8, 1.1));
    }
  }
  for (let unit = 0; unit < expression.length; unit++) {
    if (
      random.uniform() < 0.15 &&
      !/Blink|Look|jawOpen|tongue|mouthClose/.test(head.expressionNames[unit]!)
    ) {
      expression[unit] = clamp(expression[unit]! + 0.08 * Math.abs(random.normal()), 0, 1);
    }
  }
  if (!isCalm && random.uniform() < 0.2) add(random.choose(ONE_SIDED), random.uniform(0.1, 0.5));
  const isOpen = random.uniform() < (isCalm ? 0.2 : 0.65);
  const jawPitch = isOpen ? degrees(20) * random.uniform() ** 1.6 : degrees(0.6) * random.uniform();

  const gazeYaw = degrees(clamp(7 * random.normal(), -25, 25));
  const gazePitch = degrees(clamp(5 * random.normal(), -15, 18));
  for (const side of ['Left', 'Right']) {
    add(`eyeLookDown${side}`, clamp(gazePitch / degrees(20), 0, 1) * 0.8);
    add(`eyeLookUp${side}`, clamp(-gazePitch / degrees(20), 0, 1) * 0.8);
  }
  closeLids(random, head, expression);
  const jointRotations = new Float32Array(3 * JOINT_NAMES.length);
  const spread = (limit: number): number => limit * clamp(0.55 * random.normal(), -1, 1);
  jointRotations.set(
    rotationVector(degrees(spread(yawDegrees)), degrees(spread(pitchDegrees)), degrees(spread(9))),
    0,
  );
  jointRotations[6] = jawPitch;
  for (const joint of [3, 4]) jointRotations.set(rotationVector(gazeYaw, gazePitch, 0), 3 * joint);
  return { expression, jointRotations };
}

/** Yaw after pitch after roll, as an axis-angle vector. */
export function rotationVector(yaw: number, pitch: number, roll: number): Float64Array {
  const turned = multiplyRotations(
    rotationFromAxisAngle([0, yaw, 0]),
    multiplyRotations(rotationFromAxisAngle([pitch, 0, 0]), rotationFromAxisAngle([0, 0, roll])),
  );
  return axisAngleFromRotation(turned);
}

function closeLids(random: Random, head: HeadModel, expression: Float32Array): void {
  const kind = random.uniform();
  const both =
    kind < 0.1 ? random.uniform(0.8, 1) : kind < 0.25 ? random.uniform(0.15, 0.8) : 0.1 * random.uniform();
  const isWink = random.uniform() < 0.02;
  head.eyelidExpressions.forEach((unit, side) => {
    expression[unit] = isWink && side === 0 ? 0.95 : both;
  });
}
