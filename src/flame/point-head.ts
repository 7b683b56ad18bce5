// A head reduced to some of its vertices, with its identity fixed: poses in a fraction of the time, for fits.

import { type HeadModel, JOINT_NAMES } from '../head/index.ts';

const JOINTS = JOINT_NAMES.length;

/**
 * The head of one identity at chosen vertices. Its vertices are the chosen ones, then one for each joint, so that the
 * joints stay where they were.
 * @param identity `I`
 * @param offsets what to add to the chosen vertices at rest, `3N`; those of the joints are left alone
 */
export function reduceToPoints(
  head: HeadModel,
  identity: Float32Array,
  vertices: Uint32Array,
  offsets: Float64Array,
): HeadModel {
  const length = head.template.length;
  const shaped = head.template.slice();
  for (const [k, value] of identity.entries()) {
    if (value === 0) continue;
    for (let i = 0; i < length; i++) shaped[i]! += value * head.identityBasis[k * length + i]!;
  }
  const count = vertices.length + JOINTS;
  const withJoints = (row: Float32Array): Float32Array => atPoints(head, row, vertices);
  const rowOf = (row: Float32Array): Float32Array => {
    const reduced = new Float32Array(3 * count);
    for (const [i, v] of vertices.entries()) reduced.set(row.subarray(3 * v, 3 * v + 3), 3 * i);
    return reduced;
  };
  const basisOf = (
    basis: Float32Array,
    rows: number,
    reduce: (row: Float32Array) => Float32Array,
  ): Float32Array => {
    const reduced = new Float32Array(rows * 3 * count);
    for (let k = 0; k < rows; k++) {
      reduced.set(reduce(basis.subarray(k * length, (k + 1) * length)), k * 3 * count);
    }
    return reduced;
  };
  const skinningWeights = new Float32Array(count * JOINTS);
  for (const [i, v] of vertices.entries()) {
    skinningWeights.set(head.skinningWeights.subarray(v * JOINTS, (v + 1) * JOINTS), i * JOINTS);
  }
  const jointRegressor = new Float32Array(JOINTS * count);
  for (let joint = 0; joint < JOINTS; joint++) {
    jointRegressor[joint * count + vertices.length + joint] = 1;
    skinningWeights[(vertices.length + joint) * JOINTS + joint] = 1;
  }
  return {
    ...head,
    template: withJoints(shaped).map((value, i) => (i < 3 * vertices.length ? value + offsets[i]! : value)),
    identityBasis: new Float32Array(0),
    identityCount: 0,
    expressionBasis: basisOf(
      head.expressionBasis,
      head.expressionNames.length,
      head.jointsFollowExpression ? withJoints : rowOf,
    ),
    poseCorrectives: head.poseCorrectives && basisOf(head.poseCorrectives, 9 * (JOINTS - 1), rowOf),
    jointRegressor,
    skinningWeights,
    landmarks: null,
    landmarkWeights: null,
  };
}

/** A per-vertex row (`V 3`) at chosen vertices, then at the joints. */
export function atPoints(head: HeadModel, row: Float32Array, vertices: Uint32Array): Float32Array {
  const values = new Float32Array(3 * (vertices.length + JOINTS));
  for (const [i, v] of vertices.entries()) values.set(row.subarray(3 * v, 3 * v + 3), 3 * i);
  values.set(regressJoints(head, row), 3 * vertices.length);
  return values;
}

function regressJoints(head: HeadModel, row: Float32Array): Float32Array {
  const count = head.template.length / 3;
  const joints = new Float32Array(3 * JOINTS);
  for (let joint = 0; joint < JOINTS; joint++) {
    for (let v = 0; v < count; v++) {
      const weight = head.jointRegressor[joint * count + v]!;
      if (weight === 0) continue;
      for (let k = 0; k < 3; k++) joints[3 * joint + k]! += weight * row[3 * v + k]!;
    }
  }
  return joints;
}
