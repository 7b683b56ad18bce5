// A joint's rotation as the three angles that people speak of.

import { rotationFromAxisAngle } from '../geometry/index.ts';
import type { HeadParameters } from './head-model.ts';
import { JOINT_NAMES, type JointName } from './head-model.ts';

/** Radians; all positive: to the subject's own left, looking down, tilted to their own right. */
export type TurnAngles = { readonly yaw: number; readonly pitch: number; readonly roll: number };

/** The angles of a joint: its rotation is Ry(yaw) Rx(pitch) Rz(roll). At a pitch of a quarter turn, roll is 0. */
export function jointAngles({ jointRotations }: HeadParameters, joint: JointName): TurnAngles {
  const at = 3 * JOINT_NAMES.indexOf(joint);
  const r = rotationFromAxisAngle(jointRotations.subarray(at, at + 3));
  const pitch = Math.asin(Math.max(-1, Math.min(1, -r[5]!)));
  if (Math.abs(r[5]!) > 1 - 1e-9) return { yaw: Math.atan2(-r[6]!, r[0]!), pitch, roll: 0 };
  return { yaw: Math.atan2(r[2]!, r[8]!), pitch, roll: Math.atan2(r[3]!, r[4]!) };
}
