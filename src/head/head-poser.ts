// Poses one head again and again on the SIMD kernel: the head's data is laid out once, a call costs about
// a millisecond, less while the identity stays the same. Reference: `poseHeadReference`.

import { BadInputError } from '../errors/index.ts';
import { transformPoint } from '../geometry/index.ts';
import { createHeadPosingKernel, POSING_BLOCK, toPosingBlocks } from '../kernels/index.ts';
import { type HeadModel, type HeadParameters, vertexCount } from './head-model.ts';
import { regressJoints } from './head-posing-reference.ts';
import { correctiveCoefficients, worldFromRestTransforms } from './posing-transforms.ts';

/** Turns the parameters of one head into geometry. */
export type HeadPoser = {
  /**
   * The posed vertices, `V 3` in the world, metres: template + identity + expression + pose correctives,
   * linear blend skinning, translation.
   * @param out where to write (`3 V` values); a fresh array without it
   * @throws BadInputError when an array has not the head's length.
   */
  pose(parameters: HeadParameters, out?: Float32Array): Float32Array;
  /** The posed joints, `J 3` in the world, metres. @throws BadInputError as `pose` does. */
  joints(parameters: HeadParameters): Float32Array;
};

/** Prepares a head for posing; holds about twice the size of its bases in memory. */
export function createHeadPoser(head: HeadModel): HeadPoser {
  const { exports: kernel, heap } = createHeadPosingKernel();
  const length = head.template.length;
  const vertices = vertexCount(head);
  const jointCount = head.jointParents.length;
  const blocks = Math.ceil(length / POSING_BLOCK);
  const paddedBytes = blocks * POSING_BLOCK * 4;
  const correctives = head.poseCorrectives && withoutEmptyRows(head.poseCorrectives, length);

  const padded = new Float32Array(blocks * POSING_BLOCK);
  padded.set(head.template);
  const templateAt = heap.put(padded);
  const identityAt = heap.put(toPosingBlocks(head.identityBasis, head.identityCount));
  const expressionAt = heap.put(toPosingBlocks(head.expressionBasis, head.expressionNames.length));
  const correctivesAt = correctives
    ? heap.put(toPosingBlocks(correctives.basis, correctives.rows.length))
    : 0;
  const weightsAt = heap.put(head.skinningWeights);
  const [identityShapedAt, shapedAt] = [heap.reserve(paddedBytes), heap.reserve(paddedBytes)];
  const outAt = heap.reserve((length + 1) * 4);
  const columnsAt = heap.reserve(jointCount * 64);
  const rowLimit = Math.max(head.identityCount, head.expressionNames.length, 9 * (jointCount - 1));
  const [rowsAt, coefficientsAt] = [heap.reserve(rowLimit * 4), heap.reserve(rowLimit * 4)];

  const jointBasis = jointShapes(head, head.identityBasis, head.identityCount);
  const jointExpressions = head.jointsFollowExpression
    ? jointShapes(head, head.expressionBasis, head.expressionNames.length)
    : null;
  const templateJoints = regressJoints(head, head.template);
  let identityInKernel: Float32Array | null = null;

  /** out = base + the shapes whose coefficients are not zero. */
  const combine = (
    out: number,
    base: number,
    basis: number,
    rowCount: number,
    values: Float32Array,
  ): void => {
    const rows = heap.uints(rowsAt, rowLimit);
    const coefficients = heap.floats(coefficientsAt, rowLimit);
    let count = 0;
    for (const [row, value] of values.entries()) {
      if (value === 0) continue;
      rows[count] = row;
      coefficients[count++] = value;
    }
    kernel.combine(out, base, basis, rowCount, rowsAt, coefficientsAt, count, blocks);
  };

  const worldTransforms = (parameters: HeadParameters, restJoints: Float64Array) =>
    worldFromRestTransforms(head, parameters, restJoints);

  const restJoints = ({ identity, expression }: HeadParameters): Float64Array => {
    const joints = Float64Array.from(templateJoints);
    addRows(joints, jointBasis, identity);
    if (jointExpressions) addRows(joints, jointExpressions, expression);
    return joints;
  };

  return {
    pose(parameters, out = new Float32Array(length)) {
      checkLengths(head, parameters);
      expectLength('out', out, length);
      const { identity } = parameters;
      if (!identityInKernel?.every((value, i) => value === identity[i])) {
        combine(identityShapedAt, templateAt, identityAt, head.identityCount, identity);
        identityInKernel = Float32Array.from(identity);
      }
      const expressionCount = head.expressionNames.length;
      combine(shapedAt, identityShapedAt, expressionAt, expressionCount, parameters.expression);
      if (correctives) {
        const all = correctiveCoefficients(head, parameters.jointRotations);
        const kept = Float32Array.from(correctives.rows, (row) => all[row]!);
        combine(shapedAt, shapedAt, correctivesAt, correctives.rows.length, kept);
      }
      const columns = heap.floats(columnsAt, jointCount * 16);
      const transforms = worldTransforms(parameters, restJoints(parameters));
      for (const [joint, { rotation, translation }] of transforms.entries()) {
        for (let axis = 0; axis < 3; axis++) {
          for (let column = 0; column < 3; column++) {
            columns[joint * 16 + column * 4 + axis] = rotation[3 * axis + column]!;
          }
          columns[joint * 16 + 12 + axis] = translation[axis]!;
        }
      }
      kernel.skin(outAt, shapedAt, weightsAt, columnsAt, jointCount, vertices);
      out.set(heap.floats(outAt, length));
      return out;
    },
    joints(parameters) {
      checkLengths(head, parameters);
      const rest = restJoints(parameters);
      const posed = new Float32Array(rest.length);
      for (const [joint, transform] of worldTransforms(parameters, rest).entries()) {
        posed.set(transformPoint(transform, rest.subarray(3 * joint, 3 * joint + 3)), 3 * joint);
      }
      return posed;
    },
  };
}

/** How each coefficient of a basis moves the joints: `rows 3J`. */
function jointShapes(head: HeadModel, basis: Float32Array, rows: number): Float64Array {
  const length = head.template.length;
  const width = 3 * head.jointParents.length;
  const shapes = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    shapes.set(regressJoints(head, basis.subarray(row * length, (row + 1) * length)), row * width);
  }
  return shapes;
}

function addRows(target: Float64Array, rows: Float64Array, coefficients: Float32Array): void {
  for (const [row, value] of coefficients.entries()) {
    if (value === 0) continue;
    for (let i = 0; i < target.length; i++) target[i]! += value * rows[row * target.length + i]!;
  }
}

function withoutEmptyRows(
  basis: Float32Array,
  length: number,
): { rows: readonly number[]; basis: Float32Array } {
  const rows: number[] = [];
  for (let row = 0; row * length < basis.length; row++) {
    if (basis.subarray(row * length, (row + 1) * length).some((value) => value !== 0)) rows.push(row);
  }
  const kept = new Float32Array(rows.length * length);
  for (const [i, row] of rows.entries()) {
    kept.set(basis.subarray(row * length, (row + 1) * length), i * length);
  }
  return { rows, basis: kept };
}

function checkLengths(head: HeadModel, parameters: HeadParameters): void {
  expectLength('identity', parameters.identity, head.identityCount);
  expectLength('expression', parameters.expression, head.expressionNames.length);
  expectLength('jointRotations', parameters.jointRotations, 3 * head.jointParents.length);
  expectLength('translation', parameters.translation, 3);
}

function expectLength(name: string, values: Float32Array, expected: number): void {
  if (values.length === expected) return;
  throw new BadInputError({
    code: 'head-parameters',
    message: `expected ${name} of ${expected} values, got ${values.length}`,
    hint: 'use parameters that were made for this head model',
  });
}
