// What a driving head looks like at rest: what its motion is measured from. Nobody says which frame of a clip
// is neutral, so the rest is estimated over the whole clip, each value by itself.

import { frameCount, type HeadModel, type HeadParameters, type HeadTrack } from '../head/index.ts';

/** A driving head at rest; the identity is the driver's. */
export type DriverRest = HeadParameters;

/**
 * Units that run from 0 to 1 are seldom in use, and only ever to one side: a low quantile of a talking mouth is a
 * closed one, its median is not. What goes to both sides rests in the middle.
 */
const LOW_QUANTILE = 0.2;
const MIDDLE = 0.5;
/** The jaw's hinge, among the values of the jaw's rotation. */
const JAW_HINGE = 6;

/** The rest of a track: by the low quantile of units and jaw, by the median of all else. Frames without a face do not count. */
export function driverRest(head: HeadModel, track: HeadTrack): DriverRest {
  const all = Array.from({ length: frameCount(track) }, (_, t) => t);
  const tracked = all.filter((t) => track.confidence[t]! > 0);
  const frames = tracked.length > 0 ? tracked : all;
  const rest = (data: Float32Array, shareOf: (value: number) => number): Float32Array => {
    const width = data.length / all.length;
    return Float32Array.from({ length: width }, (_, k) =>
      quantile(
        frames.map((t) => data[t * width + k]!),
        shareOf(k),
      ),
    );
  };
  const unitShare = hasUnits(head) ? LOW_QUANTILE : MIDDLE;
  return {
    identity: track.identity,
    expression: rest(track.expression, () => unitShare),
    jointRotations: rest(track.jointRotations, (k) => (k === JAW_HINGE ? LOW_QUANTILE : MIDDLE)),
    translation: rest(track.translation, () => MIDDLE),
  };
}

/** Whether a head's expressions are ARKit's units, which run from 0 to 1. */
export function hasUnits(head: HeadModel): boolean {
  return head.expressionNames.includes('jawOpen');
}

/** The value that a share of all values lies below, to the nearest value. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
