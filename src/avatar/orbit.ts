// A portrait seen from all around: the head turns before the camera along a path, as it would look to a camera that
// goes around it. Its face stays still, or makes the expressions of a track.

import {
  frameCount,
  type HeadModel,
  type HeadParameters,
  type HeadTrack,
  neutralParameters,
  parametersAt,
} from '../head/index.ts';
import { driverRest } from './driver-rest.ts';
import { turnVector } from './head-controls.ts';
import { neutralRest, trackOfHeads } from './motion-script.ts';

/** A range of angles, radians. */
export type AngleRange = { readonly low: number; readonly high: number };

/** `sweep` goes from side to side, `circle` around the rim of both ranges, `spiral` there from the middle. */
export const ORBIT_PATHS = ['sweep', 'circle', 'spiral'] as const;
export type OrbitPath = (typeof ORBIT_PATHS)[number];

/** How a portrait is seen from all around. */
export type OrbitOptions = {
  /** Turns from the portrait's own pose; positive to the subject's own left. */
  readonly yaw: AngleRange;
  /** Positive looks down, as if the camera rose. */
  readonly pitch: AngleRange;
  readonly path: OrbitPath;
  readonly seconds: number;
  readonly framesPerSecond: number;
  /** Whose expressions the face makes, for as long as they last; null for a still face. */
  readonly expression: HeadTrack | null;
};

/** Rounds of a spiral. */
const SPIRAL_ROUNDS = 3;

/** The motion of an orbit and the rest to measure it from, for `createMotionTransfer`. */
export function orbitTrack(
  head: HeadModel,
  options: OrbitOptions,
): { readonly track: HeadTrack; readonly rest: HeadParameters } {
  const { expression, seconds, framesPerSecond } = options;
  const frames =
    expression === null ? Math.max(1, Math.round(seconds * framesPerSecond)) : frameCount(expression);
  const still = neutralParameters(head);
  const faceAt = (t: number): HeadParameters => (expression === null ? still : parametersAt(expression, t));
  const heads = Array.from({ length: frames }, (_, t): HeadParameters => {
    const { expression: units, jointRotations } = faceAt(t);
    const joints = Float32Array.from(jointRotations).fill(0, 0, 6);
    joints.set(turnVector({ ...orbitAngles(options, t / frames), roll: 0 }));
    return { ...still, expression: units, jointRotations: joints };
  });
  const made = trackOfHeads(head, heads, { framesPerSecond, source: `orbit, ${options.path}` });
  const neutral = neutralRest(head);
  if (expression === null) return { track: made, rest: neutral };
  const face = driverRest(head, expression);
  return {
    // Retargeting measures openings on the driver's own face.
    track: { ...made, identity: expression.identity, timestampsSeconds: expression.timestampsSeconds },
    rest: {
      ...neutral,
      expression: face.expression,
      jointRotations: Float32Array.from(face.jointRotations).fill(0, 0, 6),
    },
  };
}

/** The angles at a share of the way, 0 to 1; a path ends where it begins. */
export function orbitAngles(
  { yaw, pitch, path }: Pick<OrbitOptions, 'yaw' | 'pitch' | 'path'>,
  share: number,
): { readonly yaw: number; readonly pitch: number } {
  const round = 2 * Math.PI * share;
  const within = ({ low, high }: AngleRange, place: number): number =>
    (low + high) / 2 + (place * (high - low)) / 2;
  if (path === 'sweep')
    return { yaw: within(yaw, Math.sin(round)), pitch: within(pitch, Math.sin(2 * round)) };
  // Out from the middle and back: the path has no jump where a player repeats it.
  const radius = path === 'circle' ? 1 : Math.sin(Math.PI * share);
  const angle = path === 'circle' ? round : SPIRAL_ROUNDS * round;
  return { yaw: within(yaw, radius * Math.sin(angle)), pitch: within(pitch, radius * Math.cos(angle)) };
}
