// The nearest point of a triangle mesh to any point, through a grid of cells: for carrying things from one surface
// to another.
// Source of the point-triangle test: Ericson, "Real-Time Collision Detection", 2005, chapter 5.1.5.

import type { Vector3 } from './rigid-transform.ts';

/** A point of a surface. */
export type SurfaceHit = {
  readonly triangle: number;
  /** Weights of the triangle's corners. */
  readonly barycentrics: readonly [number, number, number];
  readonly point: readonly [number, number, number];
  readonly distance: number;
};

/** What counts in a search. */
export type SearchOptions = {
  /** Only triangles whose normal is within a right angle or less of this one. */
  readonly normal?: Vector3;
  /** The least cosine between the normals; default 0. */
  readonly minCosine?: number;
  /** Farther points are not found; default 0.05 m. */
  readonly reach?: number;
};

/** A mesh prepared for searches. */
export type SurfaceSearch = {
  /** The nearest point, or null where nothing is within reach. */
  nearest(point: Vector3, options?: SearchOptions): SurfaceHit | null;
};

const CELL_METRES = 0.006;
const DEFAULT_REACH = 0.05;

/**
 * Prepares a mesh (`V 3`, metres; `F 3`) for searches.
 * @param isWanted which triangles can be found; default all
 */
export function createSurfaceSearch(
  vertices: ArrayLike<number>,
  triangles: Uint32Array,
  isWanted: (triangle: number) => boolean = () => true,
): SurfaceSearch {
  const cells = new Map<number, number[]>();
  const cellOf = (value: number): number => Math.floor(value / CELL_METRES);
  const keyOf = (x: number, y: number, z: number): number => ((x + 512) * 1024 + (y + 512)) * 1024 + z + 512;
  const count = triangles.length / 3;
  const normals = new Float64Array(3 * count);
  for (let t = 0; t < count; t++) {
    if (!isWanted(t)) continue;
    const corners = [0, 1, 2].map((c) => 3 * triangles[3 * t + c]!);
    normals.set(faceNormal(vertices, corners), 3 * t);
    const low = [0, 1, 2].map((axis) => cellOf(Math.min(...corners.map((c) => vertices[c + axis]!))));
    const high = [0, 1, 2].map((axis) => cellOf(Math.max(...corners.map((c) => vertices[c + axis]!))));
    for (let x = low[0]!; x <= high[0]!; x++) {
      for (let y = low[1]!; y <= high[1]!; y++) {
        for (let z = low[2]!; z <= high[2]!; z++) {
          const list = cells.get(keyOf(x, y, z));
          if (list) list.push(t);
          else cells.set(keyOf(x, y, z), [t]);
        }
      }
    }
  }
  const visited = new Uint32Array(count);
  let visit = 0;
  return {
    nearest(point, { normal, minCosine = 0, reach = DEFAULT_REACH } = {}) {
      const [px, py, pz] = [point[0]!, point[1]!, point[2]!];
      const [cx, cy, cz] = [cellOf(px), cellOf(py), cellOf(pz)];
      let best: SurfaceHit | null = null;
      let limit = reach;
      visit++;
      for (let ring = 0; (ring - 1) * CELL_METRES <= limit; ring++) {
        for (let x = cx - ring; x <= cx + ring; x++) {
          for (let y = cy - ring; y <= cy + ring; y++) {
            const isShell = Math.abs(x - cx) === ring || Math.abs(y - cy) === ring;
            for (let z = cz - ring; z <= cz + ring; z += isShell ? 1 : Math.max(1, 2 * ring)) {
              for (const t of cells.get(keyOf(x, y, z)) ?? []) {
                if (visited[t] === visit) continue;
                visited[t] = visit;
                if (normal !== undefined && cosine(normals, 3 * t, normal) < minCosine) continue;
                const hit = nearestOnTriangle(vertices, triangles, t, px, py, pz);
                if (hit.distance >= limit) continue;
                best = hit;
                limit = hit.distance;
              }
            }
          }
        }
      }
      return best;
    },
  };
}

function cosine(normals: Float64Array, at: number, normal: Vector3): number {
  return normals[at]! * normal[0]! + normals[at + 1]! * normal[1]! + normals[at + 2]! * normal[2]!;
}

function faceNormal(vertices: ArrayLike<number>, [a, b, c]: readonly number[]): [number, number, number] {
  const u = [0, 1, 2].map((k) => vertices[b! + k]! - vertices[a! + k]!) as [number, number, number];
  const v = [0, 1, 2].map((k) => vertices[c! + k]! - vertices[a! + k]!) as [number, number, number];
  const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]] as const;
  const length = Math.hypot(...normal) || 1;
  return [normal[0] / length, normal[1] / length, normal[2] / length];
}

function nearestOnTriangle(
  vertices: ArrayLike<number>,
  triangles: Uint32Array,
  triangle: number,
  px: number,
  py: number,
  pz: number,
): SurfaceHit {
  const [a, b, c] = [0, 1, 2].map((k) => 3 * triangles[3 * triangle + k]!) as [number, number, number];
  const at = (v: number, k: number): number => vertices[v + k]!;
  const ab = [at(b, 0) - at(a, 0), at(b, 1) - at(a, 1), at(b, 2) - at(a, 2)] as const;
  const ac = [at(c, 0) - at(a, 0), at(c, 1) - at(a, 1), at(c, 2) - at(a, 2)] as const;
  const dotsFrom = (v: number): readonly [number, number] => {
    const [x, y, z] = [px - at(v, 0), py - at(v, 1), pz - at(v, 2)];
    return [ab[0] * x + ab[1] * y + ab[2] * z, ac[0] * x + ac[1] * y + ac[2] * z];
  };
  const [d1, d2] = dotsFrom(a);
  const [d3, d4] = dotsFrom(b);
  const [d5, d6] = dotsFrom(c);
  const weights = cornerWeights(d1, d2, d3, d4, d5, d6);
  const point = [0, 1, 2].map(
    (k) => weights[0] * at(a, k) + weights[1] * at(b, k) + weights[2] * at(c, k),
  ) as [number, number, number];
  const distance = Math.hypot(point[0] - px, point[1] - py, point[2] - pz);
  return { triangle, barycentrics: weights, point, distance };
}

/** Ericson's regions: corner, edge or inside. */
function cornerWeights(
  d1: number,
  d2: number,
  d3: number,
  d4: number,
  d5: number,
  d6: number,
): readonly [number, number, number] {
  if (d1 <= 0 && d2 <= 0) return [1, 0, 0];
  if (d3 >= 0 && d4 <= d3) return [0, 1, 0];
  const vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return along(d1 / (d1 - d3), 0, 1);
  if (d6 >= 0 && d5 <= d6) return [0, 0, 1];
  const vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return along(d2 / (d2 - d6), 0, 2);
  const va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) return along((d4 - d3) / (d4 - d3 + d5 - d6), 1, 2);
  const sum = va + vb + vc;
  // A triangle without area: any corner is as good.
  return sum === 0 ? [1, 0, 0] : [va / sum, vb / sum, vc / sum];
}

function along(share: number, from: 0 | 1, to: 1 | 2): readonly [number, number, number] {
  const weights: [number, number, number] = [0, 0, 0];
  weights[from] = 1 - share;
  weights[to] = share;
  return weights;
}
