// A head reduced to its landmarks: what posing does to 478 points of the surface, with the derivatives by
// every parameter. A frame's fit touches only this, so it costs the same for any head.
//
// A point of the surface is the mean of its triangle's corners, and so are its bases and its skinning
// weights. Departs: skinning weights and rest points are averaged apart, which is exact where the three
// corners move with the same joints, as all landmarks do but for some hundredths of a millimetre.

import { vertexNormals } from '../geometry/index.ts';
import type { HeadModel, SurfacePoints } from '../head/index.ts';
import { JOINT_NAMES, vertexCount } from '../head/index.ts';

/** The joints that a fit turns beside the root; the neck stays as it is. */
export const HINGES = ['jaw', 'leftEye', 'rightEye'] as const;

/** Degrees of freedom of a hinge: yaw about y after pitch about x. */
const JOINT = Object.fromEntries(JOINT_NAMES.map((name, i) => [name, i])) as Record<
  (typeof JOINT_NAMES)[number],
  number
>;

/** The reduced head; float64, rows of `3L` coordinates with the point as the outer index. */
export type LandmarkModel = {
  readonly head: HeadModel;
  readonly pointCount: number;
  readonly identityCount: number;
  readonly expressionCount: number;
  /** `3L`, metres. */
  readonly template: Float64Array;
  /** `I` rows of `3L`. */
  readonly identity: readonly Float64Array[];
  /** `E` rows of `3L`. */
  readonly expression: readonly Float64Array[];
  /** 9 rows of `3L`, driven by the jaw's rotation minus the identity; empty where the head has none. */
  readonly jawCorrectives: readonly Float64Array[];
  /** Rows of `3L` for `viewTerms`: how the points slide over the head as it turns; empty where they do not. */
  readonly view: readonly Float64Array[];
  /** `L` weights of each hinge, in the order of `HINGES`; the rest of 1 belongs to the root. */
  readonly hingeWeights: readonly Float64Array[];
  /** Rest position of the root and of each hinge for the mean head, `4 3`. */
  readonly joints: Float64Array;
  /** `I` rows of `4 3`. */
  readonly jointIdentity: readonly Float64Array[];
  /** `L`: how much each point may be trusted. */
  readonly weights: Float64Array;
  /** `3L`: unit normals of the mean head. */
  readonly normals: Float64Array;
};

/**
 * Reduces a head to points of its surface.
 * @param points the landmarks, or any other points that a test wants followed
 */
export function createLandmarkModel(
  head: HeadModel,
  points: SurfacePoints,
  weights: ArrayLike<number>,
): LandmarkModel {
  const pointCount = points.triangles.length;
  const rowLength = vertexCount(head) * 3;
  const atPoints = (row: Float32Array): Float64Array => averageAtPoints(head, points, row, 3);
  const rowsOf = (basis: Float32Array, count: number): Float64Array[] =>
    Array.from({ length: count }, (_, k) => atPoints(basis.subarray(k * rowLength, (k + 1) * rowLength)));
  const skinning = averageAtPoints(head, points, head.skinningWeights, JOINT_NAMES.length);
  const used = [JOINT.root, JOINT.jaw, JOINT.leftEye, JOINT.rightEye];
  const jointsOf = (shape: Float32Array): Float64Array => regress(head, shape, used);
  const jawRows = head.poseCorrectives?.subarray(9 * (JOINT.jaw - 1) * rowLength);
  return {
    head,
    pointCount,
    identityCount: head.identityCount,
    expressionCount: head.expressionNames.length,
    template: atPoints(head.template),
    identity: rowsOf(head.identityBasis, head.identityCount),
    expression: rowsOf(head.expressionBasis, head.expressionNames.length),
    view: [],
    jawCorrectives: jawRows === undefined ? [] : rowsOf(jawRows, 9),
    hingeWeights: HINGES.map((name) =>
      Float64Array.from({ length: pointCount }, (_, l) => skinning[l * JOINT_NAMES.length + JOINT[name]]!),
    ),
    joints: jointsOf(head.template),
    jointIdentity: Array.from({ length: head.identityCount }, (_, k) =>
      jointsOf(head.identityBasis.subarray(k * rowLength, (k + 1) * rowLength)),
    ),
    weights: Float64Array.from({ length: pointCount }, (_, l) => weights[l]!),
    normals: averageAtPoints(head, points, vertexNormals(head.template, head.triangles), 3),
  };
}

/** Barycentric means of a per-vertex row (`V width`) at the points: `L width`. */
function averageAtPoints(
  head: HeadModel,
  { triangles, barycentrics }: SurfacePoints,
  row: Float32Array,
  width: number,
): Float64Array {
  const mean = new Float64Array(triangles.length * width);
  for (const [point, triangle] of triangles.entries()) {
    for (let corner = 0; corner < 3; corner++) {
      const vertex = head.triangles[3 * triangle + corner]!;
      const weight = barycentrics[3 * point + corner]!;
      for (let k = 0; k < width; k++) mean[point * width + k]! += weight * row[vertex * width + k]!;
    }
  }
  return mean;
}

function regress(head: HeadModel, shape: Float32Array, joints: readonly number[]): Float64Array {
  const count = vertexCount(head);
  const positions = new Float64Array(3 * joints.length);
  for (const [slot, joint] of joints.entries()) {
    for (let v = 0; v < count; v++) {
      const weight = head.jointRegressor[joint * count + v]!;
      if (weight === 0) continue;
      for (let axis = 0; axis < 3; axis++) positions[3 * slot + axis]! += weight * shape[3 * v + axis]!;
    }
  }
  return positions;
}
