// Identity, expression and pose to vertices, in plain float64: the text to read, and what the kernel is
// tested against. Source: Li et al., "Learning a model of facial shape and expression from 4D scans", 2017.

import { transformPoint } from '../geometry/index.ts';
import { type HeadModel, type HeadParameters, vertexCount } from './head-model.ts';
import { correctiveCoefficients, worldFromRestTransforms } from './posing-transforms.ts';

/**
 * The posed vertices, `V 3` in the world, metres. The lengths of the parameters must be the head's:
 * `createHeadPoser` checks them, this does not.
 */
export function poseHeadReference(head: HeadModel, parameters: HeadParameters): Float64Array {
  const shaped = Float64Array.from(head.template);
  addShapes(shaped, head.identityBasis, parameters.identity);
  let restJoints = regressJoints(head, shaped);
  addShapes(shaped, head.expressionBasis, parameters.expression);
  if (head.jointsFollowExpression) restJoints = regressJoints(head, shaped);
  const worldFromRest = worldFromRestTransforms(head, parameters, restJoints);
  if (head.poseCorrectives) {
    addShapes(shaped, head.poseCorrectives, correctiveCoefficients(head, parameters.jointRotations));
  }
  const joints = worldFromRest.length;
  const posed = new Float64Array(shaped.length);
  for (let v = 0; v < vertexCount(head); v++) {
    const point = shaped.subarray(3 * v, 3 * v + 3);
    for (const [joint, transform] of worldFromRest.entries()) {
      const weight = head.skinningWeights[v * joints + joint]!;
      if (weight === 0) continue;
      const moved = transformPoint(transform, point);
      for (let axis = 0; axis < 3; axis++) posed[3 * v + axis]! += weight * moved[axis]!;
    }
  }
  return posed;
}

/** `J 3`: the joints of a shaped head, as weighted sums of its vertices. */
export function regressJoints(head: HeadModel, shaped: ArrayLike<number>): Float64Array {
  const count = vertexCount(head);
  const joints = new Float64Array(3 * head.jointParents.length);
  for (let joint = 0; joint < head.jointParents.length; joint++) {
    for (let v = 0; v < count; v++) {
      const weight = head.jointRegressor[joint * count + v]!;
      if (weight === 0) continue;
      for (let axis = 0; axis < 3; axis++) joints[3 * joint + axis]! += weight * shaped[3 * v + axis]!;
    }
  }
  return joints;
}

function addShapes(points: Float64Array, basis: Float32Array, coefficients: Float32Array): void {
  for (const [row, coefficient] of coefficients.entries()) {
    if (coefficient === 0) continue;
    const start = row * points.length;
    for (let i = 0; i < points.length; i++) points[i]! += coefficient * basis[start + i]!;
  }
}
