// Whose head makes which motion: shape from the portrait; expression, joints and displacement from the
// driver.

import type { HeadParameters, HeadTrack } from '../head/index.ts';
import { frameCount, parametersAt } from '../head/index.ts';

/** Where a driving head is at rest: what its displacement is measured from. */
export type RestPosition = Float64Array;

/** The median position of a track's tracked frames, metres. */
export function restPosition(track: HeadTrack): RestPosition {
  const tracked = Array.from({ length: frameCount(track) }, (_, t) => t).filter(
    (t) => track.confidence[t]! > 0,
  );
  const frames = tracked.length > 0 ? tracked : [0];
  return Float64Array.from([0, 1, 2], (axis) => median(frames.map((t) => track.translation[3 * t + axis]!)));
}

/**
 * The portrait's head making the motion of frame `t` of a track: expression and joints are the driver's,
 * the head stands where the portrait has it, moved by the driver's displacement from its rest position.
 */
export function transferMotion(
  portrait: HeadParameters,
  track: HeadTrack,
  t: number,
  rest: RestPosition,
): HeadParameters {
  const driver = parametersAt(track, t);
  return {
    identity: portrait.identity,
    expression: driver.expression,
    jointRotations: driver.jointRotations,
    translation: portrait.translation.map((value, axis) => value + driver.translation[axis]! - rest[axis]!),
  };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
