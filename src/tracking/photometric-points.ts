// Points of the face whose colour the refinement follows: spread evenly over skin and lips, but where lids
// and the inside of the mouth come and go.

import { triangleArea, vertexNormals } from '../geometry/index.ts';
import { type HeadModel, PART_NAMES, type SurfacePoints } from '../head/index.ts';
import { createRandom } from '../tensor/index.ts';
import { createLandmarkModel, type LandmarkModel } from './landmark-model.ts';

/** Area that one point stands for, square metres. */
const AREA_PER_POINT = 2.5e-5;
/** Beyond the landmarks, metres. */
const MARGIN_METRES = 0.004;
/** Triangles that look further away than this (the z of their normal) are left out. */
const LEAST_FACING = -0.1;
/** What closing the lids moves further than this, metres, is seen too rarely. */
const LID_MOTION_METRES = 0.0012;
/** Light that harmonics cannot say is taken for the same so far around a point, metres. */
const NEIGHBOURHOOD_METRES = 0.014;
const SEED = 41;

/** The head reduced to the points; every weight is 1. */
export function createPhotometricPoints(head: HeadModel): {
  readonly model: LandmarkModel;
  readonly surface: SurfacePoints;
  /** For each point those within `NEIGHBOURHOOD_METRES`, itself among them. */
  readonly neighbours: readonly Uint32Array[];
} {
  const surface = spreadPoints(head, createRandom(SEED));
  const weights = new Float64Array(surface.triangles.length).fill(1);
  const model = createLandmarkModel(head, surface, weights);
  return { surface, model, neighbours: neighboursOf(model.template) };
}

function neighboursOf(points: Float64Array): Uint32Array[] {
  const count = points.length / 3;
  return Array.from({ length: count }, (_, t) => {
    const near: number[] = [];
    for (let n = 0; n < count; n++) {
      const dx = points[3 * n]! - points[3 * t]!;
      const dy = points[3 * n + 1]! - points[3 * t + 1]!;
      const dz = points[3 * n + 2]! - points[3 * t + 2]!;
      if (dx * dx + dy * dy + dz * dz < NEIGHBOURHOOD_METRES ** 2) near.push(n);
    }
    return Uint32Array.from(near);
  });
}

function spreadPoints(head: HeadModel, random: { uniform(): number }): SurfacePoints {
  const { template, triangles } = head;
  const normals = vertexNormals(template, triangles);
  const parts = new Set([PART_NAMES.indexOf('skin'), PART_NAMES.indexOf('lips')]);
  const heights = Array.from(head.landmarks!.triangles, (f) => template[3 * triangles[3 * f]! + 1]!);
  const [bottom, top] = [Math.min(...heights) - MARGIN_METRES, Math.max(...heights) + MARGIN_METRES];
  const isLid = lidVertices(head);
  const chosen: number[] = [];
  const barycentrics: number[] = [];
  let owed = 0;
  for (let f = 0; f < triangles.length / 3; f++) {
    if (!parts.has(head.triangleParts[f]!)) continue;
    const corners = [0, 1, 2].map((c) => triangles[3 * f + c]!);
    const isUsed = corners.every((v) => {
      const y = template[3 * v + 1]!;
      return y > bottom && y < top && normals[3 * v + 2]! > LEAST_FACING && !isLid[v];
    });
    if (!isUsed) continue;
    owed += triangleArea(template, corners) / AREA_PER_POINT;
    while (owed > random.uniform()) {
      owed--;
      const [a, b] = [Math.sqrt(random.uniform()), random.uniform()];
      chosen.push(f);
      barycentrics.push(1 - a, a * (1 - b), a * b);
    }
  }
  return { triangles: Uint32Array.from(chosen), barycentrics: Float32Array.from(barycentrics) };
}

function lidVertices(head: HeadModel): Uint8Array {
  const isLid = new Uint8Array(head.template.length / 3);
  for (const unit of head.eyelidExpressions) {
    const row = head.expressionBasis.subarray(unit * head.template.length, (unit + 1) * head.template.length);
    for (let v = 0; v < isLid.length; v++) {
      if (Math.hypot(row[3 * v]!, row[3 * v + 1]!, row[3 * v + 2]!) > LID_MOTION_METRES) isLid[v] = 1;
    }
  }
  return isLid;
}
