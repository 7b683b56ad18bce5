// Averages places on a mesh: places become points of the mean head in one canonical pose, outliers are
// dropped, and the mean is put back on the nearest triangle that may carry it.

import type { HeadModel, SurfacePoints } from '../../src/head/index.ts';

/** A place on the surface with the trust in it. */
export type Place = {
  readonly triangle: number;
  readonly barycentrics: readonly [number, number, number];
  readonly weight: number;
};

/** The mean of some places. */
export type MeanPlace = {
  readonly triangle: number;
  readonly barycentrics: readonly [number, number, number];
  /** Root mean square distance of the places from their mean, metres. */
  readonly spread: number;
};

/** Places farther off than this many median distances are mistakes. */
const OUTLIER = 2.5;

/** The mean place. @param mayCarry tells whether a triangle is of a part that the point can lie on */
export function averagePlaces(
  head: HeadModel,
  canonical: Float32Array,
  places: readonly Place[],
  mayCarry: (triangle: number) => boolean,
): MeanPlace {
  const points = places.map(({ triangle, barycentrics }) => pointOf(head, canonical, triangle, barycentrics));
  let kept = places.map((_, i) => i);
  let mean = meanOf(points, places, kept);
  for (let round = 0; round < 2; round++) {
    const distances = points.map((point) => distance(point, mean));
    const sorted = [...distances].sort((a, b) => a - b);
    const limit = Math.max(OUTLIER * sorted[sorted.length >> 1]!, 1e-4);
    kept = places.map((_, i) => i).filter((i) => distances[i]! <= limit);
    mean = meanOf(points, places, kept);
  }
  const squares = kept.reduce((sum, i) => sum + distance(points[i]!, mean) ** 2, 0);
  return { ...nearestPlace(head, canonical, mean, mayCarry), spread: Math.sqrt(squares / kept.length) };
}

/** Packs places as the head's landmarks. */
export function packPlaces(places: readonly MeanPlace[]): SurfacePoints {
  return {
    triangles: Uint32Array.from(places, ({ triangle }) => triangle),
    barycentrics: Float32Array.from(places.flatMap(({ barycentrics }) => barycentrics)),
  };
}

type Point = readonly [number, number, number];

function cornersOf(head: HeadModel, vertices: Float32Array, triangle: number): [Point, Point, Point] {
  const at = (corner: number): Point => {
    const v = head.triangles[3 * triangle + corner]!;
    return [vertices[3 * v]!, vertices[3 * v + 1]!, vertices[3 * v + 2]!];
  };
  return [at(0), at(1), at(2)];
}

function pointOf(head: HeadModel, vertices: Float32Array, triangle: number, weights: Point): Point {
  const [a, b, c] = cornersOf(head, vertices, triangle);
  const along = (k: 0 | 1 | 2): number => weights[0] * a[k] + weights[1] * b[k] + weights[2] * c[k];
  return [along(0), along(1), along(2)];
}

function meanOf(points: readonly Point[], places: readonly Place[], kept: readonly number[]): Point {
  let total = 0;
  const sum = [0, 0, 0] as [number, number, number];
  for (const i of kept) {
    total += places[i]!.weight;
    for (const k of [0, 1, 2] as const) sum[k] += places[i]!.weight * points[i]![k];
  }
  return [sum[0] / total, sum[1] / total, sum[2] / total];
}

const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

function nearestPlace(
  head: HeadModel,
  vertices: Float32Array,
  point: Point,
  mayCarry: (triangle: number) => boolean,
): { triangle: number; barycentrics: Point } {
  let best = { triangle: -1, barycentrics: [1, 0, 0] as Point };
  let bestDistance = Infinity;
  for (let triangle = 0; triangle < head.triangleParts.length; triangle++) {
    if (!mayCarry(triangle)) continue;
    const corners = cornersOf(head, vertices, triangle);
    const barycentrics = closestBarycentrics(point, corners);
    const d = distance(point, pointOf(head, vertices, triangle, barycentrics));
    if (d >= bestDistance) continue;
    bestDistance = d;
    best = { triangle, barycentrics };
  }
  return best;
}

/** The weights of the triangle's point that is closest. Source: Ericson, Real-Time Collision Detection, 5.1.5. */
function closestBarycentrics(p: Point, [a, b, c]: readonly [Point, Point, Point]): Point {
  const minus = (u: Point, v: Point): Point => [u[0] - v[0], u[1] - v[1], u[2] - v[2]];
  const dot = (u: Point, v: Point): number => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  const [ab, ac] = [minus(b, a), minus(c, a)];
  const [d1, d2] = [dot(ab, minus(p, a)), dot(ac, minus(p, a))];
  if (d1 <= 0 && d2 <= 0) return [1, 0, 0];
  const [d3, d4] = [dot(ab, minus(p, b)), dot(ac, minus(p, b))];
  if (d3 >= 0 && d4 <= d3) return [0, 1, 0];
  const vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return [1 - d1 / (d1 - d3), d1 / (d1 - d3), 0];
  const [d5, d6] = [dot(ab, minus(p, c)), dot(ac, minus(p, c))];
  if (d6 >= 0 && d5 <= d6) return [0, 0, 1];
  const vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return [1 - d2 / (d2 - d6), 0, d2 / (d2 - d6)];
  const va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    const w = (d4 - d3) / (d4 - d3 + (d5 - d6));
    return [0, 1 - w, w];
  }
  const sum = va + vb + vc;
  return [va / sum, vb / sum, vc / sum];
}
