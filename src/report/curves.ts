// A track over time, as the numbers that people read: angles in degrees, openings and confidence.

import { frameCount, type HeadModel, type HeadTrack, jointAngles, parametersAt } from '../head/index.ts';

/** One line of a panel. */
export type Curve = {
  readonly name: string;
  /** Written after a value. */
  readonly unit: string;
  readonly decimals: number;
  /** `T`; NaN where the line is broken. */
  readonly values: Float64Array;
};

/** Lines that share an axis. */
export type CurvePanel = {
  readonly title: string;
  /** What the signs mean. */
  readonly note: string;
  readonly curves: readonly Curve[];
  /** Bounds of the axis where they do not follow from the values. */
  readonly range?: readonly [low: number, high: number];
};

const DEGREES = 180 / Math.PI;

/** The panels of a report. @param landmarkErrors `T`; NaN where not tracked */
export function trackCurves(
  head: HeadModel,
  track: HeadTrack,
  landmarkErrors: ArrayLike<number>,
): readonly CurvePanel[] {
  const each = (of: (frame: number) => number): Float64Array =>
    Float64Array.from({ length: frameCount(track) }, (_, frame) =>
      track.confidence[frame]! > 0 ? of(frame) : Number.NaN,
    );
  const at = (frame: number) => parametersAt(track, frame);
  const degrees = (name: string, of: (frame: number) => number): Curve => {
    return { name, unit: '°', decimals: 1, values: each((frame) => DEGREES * of(frame)) };
  };
  const share = (name: string, of: (frame: number) => number): Curve => {
    return { name, unit: '', decimals: 2, values: each(of) };
  };
  const gaze = (axis: 'yaw' | 'pitch') => (frame: number) =>
    (jointAngles(at(frame), 'leftEye')[axis] + jointAngles(at(frame), 'rightEye')[axis]) / 2;
  const [leftLid, rightLid] = head.eyelidExpressions;
  const blinks = (left: number, right: number): CurvePanel => ({
    title: 'Blinks',
    note: '1 closed',
    curves: [
      share('left eye', (frame) => at(frame).expression[left]!),
      share('right eye', (frame) => at(frame).expression[right]!),
    ],
    range: [0, 1],
  });
  return [
    {
      title: 'Head',
      note: '+ yaw: to their left, + pitch: down, + roll: to their right shoulder',
      curves: [
        degrees('yaw', (frame) => jointAngles(at(frame), 'root').yaw),
        degrees('pitch', (frame) => jointAngles(at(frame), 'root').pitch),
        degrees('roll', (frame) => jointAngles(at(frame), 'root').roll),
      ],
    },
    {
      title: 'Jaw',
      note: '0° closed',
      curves: [degrees('opening', (frame) => jointAngles(at(frame), 'jaw').pitch)],
      range: [0, 20],
    },
    ...(leftLid === undefined || rightLid === undefined ? [] : [blinks(leftLid, rightLid)]),
    {
      title: 'Gaze',
      note: 'in the head, + yaw: to their left, + pitch: down',
      curves: [degrees('yaw', gaze('yaw')), degrees('pitch', gaze('pitch'))],
    },
    {
      title: 'Confidence',
      note: '0 not tracked, 1 sure',
      curves: [
        {
          ...share('confidence', () => 0),
          values: Float64Array.from(track.confidence),
        },
      ],
      range: [0, 1],
    },
    {
      title: 'Landmark error',
      note: "mean distance, of the eyes' outer distance",
      curves: [
        { name: 'error', unit: ' %', decimals: 2, values: each((frame) => 100 * landmarkErrors[frame]!) },
      ],
      range: [0, 3],
    },
  ];
}
