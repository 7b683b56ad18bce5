// The unknowns of a fit as flat vectors: what belongs to one frame, and what a clip shares. Hinges are held
// as yaw and pitch, the root as a rotation matrix that is turned a little in every step.

import { axisAngleFromRotation, multiplyRotations, rotationFromAxisAngle } from '../geometry/index.ts';
import { type HeadModel, type HeadParameters, JOINT_NAMES } from '../head/index.ts';

/** Places in a frame's vector of unknowns. */
export const FRAME_LAYOUT = {
  /** 3: a small rotation of the whole head about its root joint, world axes, radians. */
  turn: 0,
  /** 3, metres. */
  translation: 3,
  /** Yaw and pitch of jaw, left eye, right eye, radians; pitch is positive downwards (the jaw opens). */
  hinges: 6,
  /** `E`. */
  expression: 12,
} as const;

/** One frame's pose and expression. */
export type FrameState = {
  /** 3 x 3. */
  readonly rotation: Float64Array;
  readonly translation: Float64Array;
  /** Yaw and pitch of each of `HINGES`, 6. */
  readonly hinges: Float64Array;
  /** `E`. */
  readonly expression: Float64Array;
};

/** What all frames of a clip share. */
export type SharedState = {
  /** `I`. */
  readonly identity: Float64Array;
  readonly focalPx: number;
};

/** The rotation of a hinge: yaw about y after pitch about x. */
export function hingeRotation(yaw: number, pitch: number): Float64Array {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return Float64Array.of(cy, sy * sp, sy * cp, 0, cp, -sp, -sy, cy * sp, cy * cp);
}

/** The direction of a face, 3 x 3, as yaw about y after pitch about x, radians: `hingeRotation` but for a roll. */
export function yawAndPitch(rotation: Float64Array): readonly [yaw: number, pitch: number] {
  const pitch = Math.asin(Math.max(-1, Math.min(1, -rotation[5]!)));
  return [Math.atan2(rotation[2]!, rotation[8]!), pitch];
}

/** A frame as the head's own parameters. */
export function parametersOf(head: HeadModel, frame: FrameState, identity: Float64Array): HeadParameters {
  const jointRotations = new Float32Array(3 * JOINT_NAMES.length);
  jointRotations.set(axisAngleFromRotation(frame.rotation), 0);
  for (let hinge = 0; hinge < 3; hinge++) {
    const rotation = hingeRotation(frame.hinges[2 * hinge]!, frame.hinges[2 * hinge + 1]!);
    // The hinges are the last three joints, in the same order.
    jointRotations.set(axisAngleFromRotation(rotation), 3 * (2 + hinge));
  }
  if (identity.length !== head.identityCount) throw new RangeError('the identity is of another head');
  return {
    identity: Float32Array.from(identity),
    expression: Float32Array.from(frame.expression),
    jointRotations,
    translation: Float32Array.from(frame.translation),
  };
}

/** The frame moved by a step in its unknowns; expression coefficients are kept within `bounds`. */
export function stepFrame(
  frame: FrameState,
  step: Float64Array,
  bounds: { readonly lower: Float64Array; readonly upper: Float64Array },
): FrameState {
  const { turn, translation, hinges, expression } = FRAME_LAYOUT;
  const turned = rotationFromAxisAngle(step.subarray(turn, turn + 3));
  const clamp = (value: number, i: number): number =>
    Math.min(bounds.upper[i]!, Math.max(bounds.lower[i]!, value));
  return {
    rotation: multiplyRotations(turned, frame.rotation),
    translation: frame.translation.map((value, i) => value + step[translation + i]!),
    hinges: frame.hinges.map((value, i) => clamp(value + step[hinges + i]!, hinges + i)),
    expression: frame.expression.map((value, i) => clamp(value + step[expression + i]!, expression + i)),
  };
}
