// A small random head in FLAME's form, for laws that hold for every head: a cloud of vertices with random
// bases, joints and weights. No face at all, but every term of the model is there.

import { type HeadModel, JOINT_NAMES, type SurfacePoints } from '../../src/head/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

const VERTICES = 40;
const TRIANGLES = 30;
const IDENTITIES = 4;
const UNITS = ['jawLeft', 'mouthSmileLeft', 'eyeBlinkLeft', 'browInnerUp', 'jawOpen'];

/** The head, and random points of its surface, each in a triangle whose corners share their weights. */
export function toyHead(seed: number): { head: HeadModel; points: SurfacePoints; weights: Float32Array } {
  const random = createRandom(seed);
  const fill = (count: number, scale: number): Float32Array =>
    Float32Array.from({ length: count }, () => scale * random.normal());
  const joints = JOINT_NAMES.length;
  const rows = (count: number, width: number): Float32Array => {
    const values = Float32Array.from({ length: count * width }, () => random.uniform());
    for (let r = 0; r < count; r++) {
      const row = values.subarray(r * width, (r + 1) * width);
      const sum = row.reduce((total, value) => total + value, 0);
      for (let i = 0; i < width; i++) row[i]! /= sum;
    }
    return values;
  };
  // One set of weights for groups of vertices, so that a triangle's corners move alike.
  const groupWeights = rows(4, joints);
  const skinningWeights = new Float32Array(VERTICES * joints);
  for (let v = 0; v < VERTICES; v++) {
    skinningWeights.set(groupWeights.subarray((v % 4) * joints, ((v % 4) + 1) * joints), v * joints);
  }
  const triangles = new Uint32Array(3 * TRIANGLES);
  for (let f = 0; f < TRIANGLES; f++) {
    const group = f % 4;
    for (let c = 0; c < 3; c++)
      triangles[3 * f + c] = group + 4 * Math.floor(random.uniform() * (VERTICES / 4));
  }
  const poseCorrectives = new Float32Array(9 * (joints - 1) * VERTICES * 3);
  poseCorrectives.set(fill(9 * VERTICES * 3, 0.004), 9 * VERTICES * 3);
  const head: HeadModel = {
    name: 'toy',
    licence: 'CC0-1.0',
    template: fill(VERTICES * 3, 0.08),
    identityBasis: fill(IDENTITIES * VERTICES * 3, 0.005),
    identityCount: IDENTITIES,
    expressionBasis: fill(UNITS.length * VERTICES * 3, 0.01),
    expressionNames: UNITS,
    eyelidExpressions: [2, 2],
    poseCorrectives,
    jointRegressor: rows(joints, VERTICES),
    skinningWeights,
    jointParents: [-1, 0, 1, 1, 1],
    triangles,
    uvs: new Float32Array(6),
    uvTriangles: new Uint32Array(3 * TRIANGLES),
    triangleParts: new Uint8Array(TRIANGLES),
    landmarks: null,
    landmarkWeights: null,
  };
  const points = {
    triangles: Uint32Array.from({ length: TRIANGLES }, (_, f) => f),
    barycentrics: rows(TRIANGLES, 3),
  };
  return { head, points, weights: new Float32Array(TRIANGLES).fill(1) };
}
