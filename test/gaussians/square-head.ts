// The smallest head: a square of two triangles in the plane z = 0, on the left half of its UV square.

import type { HeadModel, PartName } from '../../src/head/index.ts';
import { PART_NAMES } from '../../src/head/index.ts';

/** A head of two triangles, upper left and lower right, of the given parts. */
export function squareHead(parts: readonly [PartName, PartName] = ['skin', 'skin']): HeadModel {
  return {
    name: 'square',
    licence: 'none',
    template: Float32Array.of(-1, 1, 0, -1, -1, 0, 1, -1, 0, 1, 1, 0),
    identityBasis: new Float32Array(0),
    identityCount: 0,
    expressionBasis: new Float32Array(0),
    expressionNames: [],
    eyelidExpressions: [0, 0],
    poseCorrectives: null,
    jointRegressor: new Float32Array(20),
    skinningWeights: new Float32Array(20),
    jointParents: [-1, 0, 1, 1, 1],
    triangles: Uint32Array.of(0, 1, 3, 1, 2, 3),
    uvs: Float32Array.of(0, 0, 0, 1, 0.5, 1, 0.5, 0),
    uvTriangles: Uint32Array.of(0, 1, 3, 1, 2, 3),
    triangleParts: Uint8Array.from(parts, (part) => PART_NAMES.indexOf(part)),
    landmarks: null,
    landmarkWeights: null,
  };
}
