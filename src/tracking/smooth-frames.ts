// Ends a clip's fit: frames without a face take their nearest neighbour's head, and a short symmetric
// filter takes the network's jitter off the pose. Symmetric, so that nothing lags.

import {
  axisAngleFromRotation,
  invertRotation,
  multiplyRotations,
  rotationFromAxisAngle,
} from '../geometry/index.ts';
import type { FrameState } from './head-state.ts';

/** Weights of a frame's neighbours on each side, relative to its own weight of 1. */
const POSE_NEIGHBOUR = 0.4;
/** Expressions move faster than heads: blinks and plosives last three frames. */
const EXPRESSION_NEIGHBOUR = 0.12;

/**
 * The frames, filled and smoothed; at least one must not be null.
 * @param startsShot where the picture cuts: nothing passes from one side to the other
 */
export function smoothFrames(
  frames: readonly (FrameState | null)[],
  startsShot: readonly boolean[],
): FrameState[] {
  let shot = 0;
  const shots = startsShot.map((isCut) => (isCut ? ++shot : shot));
  const filled = frames.map((frame, i) => frame ?? nearestFrame(frames, shots, i));
  return filled.map((frame, i) => {
    if (frames[i] === null) return frame;
    const before = (startsShot[i] ? null : frames[i - 1]) ?? frame;
    const after = (startsShot[i + 1] ? null : frames[i + 1]) ?? frame;
    const blend = (own: Float64Array, a: Float64Array, b: Float64Array, weight: number): Float64Array =>
      own.map((value, k) => (value + weight * (a[k]! + b[k]!)) / (1 + 2 * weight));
    return {
      rotation: blendRotation(frame.rotation, before.rotation, after.rotation),
      translation: blend(frame.translation, before.translation, after.translation, POSE_NEIGHBOUR),
      hinges: blend(frame.hinges, before.hinges, after.hinges, EXPRESSION_NEIGHBOUR),
      expression: blend(frame.expression, before.expression, after.expression, EXPRESSION_NEIGHBOUR),
    };
  });
}

/** The nearest frame with a face, of the same shot if that has one. */
function nearestFrame(
  frames: readonly (FrameState | null)[],
  shots: readonly number[],
  at: number,
): FrameState {
  for (const isOwn of [true, false]) {
    for (let distance = 1; distance < frames.length; distance++) {
      for (const i of [at - distance, at + distance]) {
        const near = frames[i];
        if (near && (!isOwn || shots[i] === shots[at])) return near;
      }
    }
  }
  throw new RangeError('no frame has a face');
}

/** The neighbours' small rotations from this frame, averaged. */
function blendRotation(own: Float64Array, before: Float64Array, after: Float64Array): Float64Array {
  const inverse = invertRotation(own);
  const turn = (other: Float64Array): Float64Array =>
    axisAngleFromRotation(multiplyRotations(other, inverse));
  const [a, b] = [turn(before), turn(after)];
  const mean = a.map((value, k) => (POSE_NEIGHBOUR * (value + b[k]!)) / (1 + 2 * POSE_NEIGHBOUR));
  return multiplyRotations(rotationFromAxisAngle(mean), own);
}
