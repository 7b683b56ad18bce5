// From joint rotations to one rigid transform per joint and to the coefficients of the pose correctives:
// the part of posing that the kernel and its reference share.

import { composeTransforms, type RigidTransform, rotate, rotationFromAxisAngle } from '../geometry/index.ts';
import type { HeadModel, HeadParameters } from './head-model.ts';

/**
 * The transform of each joint from the shaped head at rest to the world: rotation about the joint's rest
 * position, after its parents', then the head's translation.
 * @param restJoints `J 3`, metres, of the head with its identity
 */
export function worldFromRestTransforms(
  head: HeadModel,
  parameters: HeadParameters,
  restJoints: Float64Array,
): RigidTransform[] {
  const world: RigidTransform[] = [];
  for (const [joint, parent] of head.jointParents.entries()) {
    const rotation = rotationFromAxisAngle(parameters.jointRotations.subarray(3 * joint, 3 * joint + 3));
    const pivot = restJoints.subarray(3 * joint, 3 * joint + 3);
    const turned = rotate(rotation, pivot);
    const local = { rotation, translation: pivot.map((value, i) => value - turned[i]!) };
    const above = parent < 0 ? { rotation: UNTURNED, translation: parameters.translation } : world[parent]!;
    world.push(composeTransforms(above, local));
  }
  return world;
}

/** Coefficients of the pose correctives: the entries of each joint's rotation but the root's, minus the identity's. */
export function correctiveCoefficients(head: HeadModel, jointRotations: Float32Array): Float32Array {
  const joints = head.jointParents.length;
  const coefficients = new Float32Array(9 * (joints - 1));
  for (let joint = 1; joint < joints; joint++) {
    const rotation = rotationFromAxisAngle(jointRotations.subarray(3 * joint, 3 * joint + 3));
    for (let i = 0; i < 9; i++) coefficients[9 * (joint - 1) + i] = rotation[i]! - UNTURNED[i]!;
  }
  return coefficients;
}

const UNTURNED = [1, 0, 0, 0, 1, 0, 0, 0, 1];
