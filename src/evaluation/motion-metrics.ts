// How well a motion was followed, as the tracker sees it on output and truth (or driver) alike: distances of
// parameters (AED, APD) and correlations over a sequence.

import {
  type HeadModel,
  type HeadParameters,
  JOINT_NAMES,
  jointAngles,
  neutralParameters,
} from '../head/index.ts';
import { eyeOpening, outerEyeDistance } from '../tracking/index.ts';
import { correlation } from './statistics.ts';

/** A face as the tracker found it. */
export type FoundFace = {
  readonly parameters: HeadParameters;
  /** `478 2`, pixels. */
  readonly landmarksPx: Float32Array;
};

/** One entry a picture; null where no face was found. */
export type FoundFaces = readonly (FoundFace | null)[];

const JAW = 3 * JOINT_NAMES.indexOf('jaw');
const INNER_LIPS = [13, 14] as const;
/** Shorter sequences, and faces that hardly move, say nothing of correlation. */
const LEAST_FRAMES = 8;

/** Mean absolute difference of all expression coefficients (the lids among them) and the jaw's rotation. */
export function expressionDistance(a: HeadParameters, b: HeadParameters): number {
  const of = ({ expression, jointRotations }: HeadParameters): number[] => [
    ...expression,
    ...jointRotations.subarray(JAW, JAW + 3),
  ];
  return meanDifference(of(a), of(b));
}

/** Mean absolute difference of the head's rotation vector, radians. */
export function poseDistance(a: HeadParameters, b: HeadParameters): number {
  return meanDifference([...a.jointRotations.subarray(0, 3)], [...b.jointRotations.subarray(0, 3)]);
}

/** A head at rest, facing the camera: what a picture without a face is taken for. */
export function absentFace(head: HeadModel): HeadParameters {
  return neutralParameters(head);
}

/** How yaw, the eyes' and the mouth's opening go with the driver's; NaN where there is too little to say. */
export function motionCorrelations(
  found: FoundFaces,
  driver: FoundFaces,
): { readonly yaw: number; readonly blink: number; readonly mouth: number } {
  const pairs = found.flatMap((face, t) => (face && driver[t] ? [[face, driver[t]!] as const] : []));
  const compare = (measure: (face: FoundFace) => number): number =>
    pairs.length < LEAST_FRAMES
      ? Number.NaN
      : correlation(
          pairs.map(([face]) => measure(face)),
          pairs.map(([, face]) => measure(face)),
        );
  return {
    yaw: compare(({ parameters }) => jointAngles(parameters, 'root').yaw),
    blink: compare(
      ({ landmarksPx }) => (eyeOpening(landmarksPx, 'left') + eyeOpening(landmarksPx, 'right')) / 2,
    ),
    mouth: compare(mouthOpening),
  };
}

/** Gap between the inner lips as a share of the distance between the outer eye corners. */
export function mouthOpening({ landmarksPx: points }: FoundFace): number {
  const [a, b] = INNER_LIPS;
  const gap = Math.hypot(points[2 * a]! - points[2 * b]!, points[2 * a + 1]! - points[2 * b + 1]!);
  return gap / outerEyeDistance(points);
}

function meanDifference(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}
