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
  const count = triangles.length / 3;
  const normals = new Float64Array(3 * count);
  const low = [0, 0, 0];
  const high = [0, 0, 0];
  for (let t = 0; t < count; t++) {
    if (!isWanted(t)) continue;
    const corners = [3 * triangles[3 * t]!, 3 * triangles[3 * t + 1]!, 3 * triangles[3 * t + 2]!] as const;
    normals.set(faceNormal(vertices, corners), 3 * t);
    for (let axis = 0; axis < 3; axis++) {
      const [a, b, c] = [
        vertices[corners[0] + axis]!,
        vertices[corners[1] + axis]!,
        vertices[corners[2] + axis]!,
      ];
      low[axis] = cellOf(Math.min(a, b, c));
      high[axis] = cellOf(Math.max(a, b, c));
    }
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
                const hit = nearestOnTriangle(vertices, triangles, t, px, py, pz, limit);
                if (hit === null) continue;
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

function faceNormal(
  vertices: ArrayLike<number>,
  [a, b, c]: readonly [number, number, number],
): [number, number, number] {
  const [ux, uy, uz] = [
    vertices[b]! - vertices[a]!,
    vertices[b + 1]! - vertices[a + 1]!,
    vertices[b + 2]! - vertices[a + 2]!,
  ];
  const [vx, vy, vz] = [
    vertices[c]! - vertices[a]!,
    vertices[c + 1]! - vertices[a + 1]!,
    vertices[c + 2]! - vertices[a + 2]!,
  ];
  const [x, y, z] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
  const length = Math.sqrt(x * x + y * y + z * z) || 1;
  return [x / length, y / length, z / length];
}

function cellOf(value: number): number {
  return Math.floor(value / CELL_METRES);
}

function keyOf(x: number, y: number, z: number): number {
  return ((x + 512) * 1024 + (y + 512)) * 1024 + z + 512;
}

/** The nearest point of a triangle if it is nearer than `limit`, else null. Written out: it runs millions of times. */
function nearestOnTriangle(
  vertices: ArrayLike<number>,
  triangles: Uint32Array,
  triangle: number,
  px: number,
  py: number,
  pz: number,
  limit: number,
): SurfaceHit | null {
  const a = 3 * triangles[3 * triangle]!;
  const b = 3 * triangles[3 * triangle + 1]!;
  const c = 3 * triangles[3 * triangle + 2]!;
  const ax = vertices[a]!;
  const ay = vertices[a + 1]!;
  const az = vertices[a + 2]!;
  const ux = vertices[b]! - ax;
  const uy = vertices[b + 1]! - ay;
  const uz = vertices[b + 2]! - az;
  const vx = vertices[c]! - ax;
  const vy = vertices[c + 1]! - ay;
  const vz = vertices[c + 2]! - az;
  const wx = px - ax;
  const wy = py - ay;
  const wz = pz - az;
  const uu = ux * ux + uy * uy + uz * uz;
  const uv = ux * vx + uy * vy + uz * vz;
  const vv = vx * vx + vy * vy + vz * vz;
  const d1 = ux * wx + uy * wy + uz * wz;
  const d2 = vx * wx + vy * wy + vz * wz;
  const weights = cornerWeights(d1, d2, d1 - uu, d2 - uv, d1 - uv, d2 - vv);
  const x = ax + weights[1] * ux + weights[2] * vx;
  const y = ay + weights[1] * uy + weights[2] * vy;
  const z = az + weights[1] * uz + weights[2] * vz;
  const distance = Math.sqrt((x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2);
  if (distance >= limit) return null;
  return { triangle, barycentrics: weights, point: [x, y, z], distance };
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
