// A texture chart for a head whose files bring none: that of a reference head that lies on it.

import { createSurfaceSearch, type SurfaceSearch, vertexNormals } from '../geometry/index.ts';
import { type HeadModel, PART_NAMES, type PartName } from '../head/index.ts';
import { meanOf } from './carried-surface.ts';
import type { Registration } from './head-registration.ts';

const partIndex = (name: PartName): number => PART_NAMES.indexOf(name);

/** A texture chart: `U 2` and `F 3`. */
export type Chart = { readonly uvs: Float32Array; readonly uvTriangles: Uint32Array };

/** Parts that share their places in the texture between heads. */
const CHART_GROUPS: readonly { readonly parts: readonly PartName[]; readonly reachMetres: number }[] = [
  { parts: ['skin', 'lips', 'mouthCavity'], reachMetres: 0.03 },
  // The reference's eyeballs have no backs: those of the target shrink to points of the texture.
  { parts: ['leftEyeball'], reachMetres: 0.006 },
  { parts: ['rightEyeball'], reachMetres: 0.006 },
];
/** A triangle's corners lie together in the texture if they are at most this much farther apart than expected. */
const MAX_STRETCH = 4;

/**
 * The reference's texture chart on the target: what learned a place in the texture finds it on either head. Each
 * triangle takes its place from the nearest point of the reference; where a seam would tear it, it is laid out
 * flat beside that point.
 */
export function carryChart(target: HeadModel, reference: HeadModel, { fitted }: Registration): Chart {
  const uvs: number[] = [];
  const uvTriangles = new Uint32Array(target.triangles.length);
  const normals = vertexNormals(target.template, target.triangles);
  const shared = new Map<number, { index: number; chart: number }>();
  const charts = chartsOf(reference);
  const { triangleParts } = reference;
  for (const { parts: names, reachMetres } of CHART_GROUPS) {
    const parts = new Set(names.map(partIndex));
    const search = createSurfaceSearch(fitted, reference.triangles, (t) => parts.has(triangleParts[t]!));
    for (const [t, part] of target.triangleParts.entries()) {
      if (!parts.has(part)) continue;
      const corners = [0, 1, 2].map((c) => target.triangles[3 * t + c]!);
      const local = new TextureFrame(reference, fitted, search, {
        point: meanOf(target.template, corners),
        normal: meanOf(normals, corners),
        reachMetres,
      });
      const places = corners.map((v) => {
        const before = shared.get(v);
        if (before !== undefined) return before;
        const made = local.look(
          search,
          target.template.subarray(3 * v, 3 * v + 3),
          normals.subarray(3 * v, 3 * v + 3),
        );
        const entry = { index: uvs.length / 2, chart: made.triangle < 0 ? -1 : charts[made.triangle]! };
        uvs.push(...made.uv);
        shared.set(v, entry);
        return entry;
      });
      const isTogether =
        local.triangle >= 0 &&
        places.every(({ chart }) => chart === charts[local.triangle]) &&
        places.every(({ index }, c) => {
          const wanted = local.flat(target.template.subarray(3 * corners[c]!, 3 * corners[c]! + 3));
          return (
            Math.hypot(uvs[2 * index]! - wanted[0], uvs[2 * index + 1]! - wanted[1]) <
            MAX_STRETCH * local.reach(target.template, corners)
          );
        });
      for (const [c, { index }] of places.entries()) {
        if (isTogether) {
          uvTriangles[3 * t + c] = index;
          continue;
        }
        uvTriangles[3 * t + c] = uvs.length / 2;
        uvs.push(...local.flat(target.template.subarray(3 * corners[c]!, 3 * corners[c]! + 3)));
      }
    }
  }
  return { uvs: Float32Array.from(uvs, (value) => Math.min(1, Math.max(0, value))), uvTriangles };
}

/** The reference's texture around one point: a place, and how the texture runs along the surface there. */
class TextureFrame {
  readonly triangle: number;
  readonly #reference: HeadModel;
  readonly #origin: readonly number[];
  readonly #uv: readonly [number, number];
  /** `2 3`: texture per metre. */
  readonly #gradient: readonly number[];

  constructor(
    reference: HeadModel,
    fitted: Float64Array,
    search: SurfaceSearch,
    at: {
      readonly point: readonly number[];
      readonly normal: readonly number[];
      /** Beyond this distance the reference has no such surface: the texture shrinks to a point. */
      readonly reachMetres: number;
    },
  ) {
    const { point, normal, reachMetres } = at;
    const hit = search.nearest(point, { normal, reach: 0.04 }) ?? search.nearest(point, { reach: 0.2 });
    this.#reference = reference;
    this.triangle = hit?.triangle ?? -1;
    this.#origin = hit?.point ?? point;
    this.#uv = hit === null ? [0, 0] : uvAt(reference, hit.triangle, hit.barycentrics);
    const isFar = hit === null || hit.distance > reachMetres;
    this.#gradient = isFar ? [0, 0, 0, 0, 0, 0] : textureGradient(reference, fitted, hit.triangle);
  }

  /** The place of a vertex by the surface nearest to itself. */
  look(
    search: SurfaceSearch,
    point: ArrayLike<number>,
    normal: ArrayLike<number>,
  ): { readonly uv: readonly [number, number]; readonly triangle: number } {
    const hit = search.nearest(point, { normal, reach: 0.04 }) ?? search.nearest(point, { reach: 0.2 });
    if (hit === null) return { uv: [0, 0], triangle: -1 };
    return { uv: uvAt(this.#reference, hit.triangle, hit.barycentrics), triangle: hit.triangle };
  }

  /** The place of a point near the frame's own, along the flat texture there. */
  flat(point: ArrayLike<number>): [number, number] {
    const offset = [0, 1, 2].map((k) => point[k]! - this.#origin[k]!);
    const along = (row: number): number =>
      [0, 1, 2].reduce((sum, k) => sum + this.#gradient[3 * row + k]! * offset[k]!, 0);
    return [this.#uv[0] + along(0), this.#uv[1] + along(1)];
  }

  /** How far apart in the texture a triangle's corners are expected. */
  reach(vertices: Float32Array, corners: readonly number[]): number {
    const [a, b, c] = corners.map((v) => this.flat(vertices.subarray(3 * v, 3 * v + 3))) as [
      [number, number],
      [number, number],
      [number, number],
    ];
    const gap = (p: readonly number[], q: readonly number[]): number =>
      Math.hypot(p[0]! - q[0]!, p[1]! - q[1]!);
    return Math.max(gap(a, b), gap(b, c), gap(c, a), 1e-4);
  }
}

function uvAt(head: HeadModel, triangle: number, weights: readonly number[]): [number, number] {
  const at = (axis: 0 | 1): number =>
    weights.reduce((sum, w, c) => sum + w * head.uvs[2 * head.uvTriangles[3 * triangle + c]! + axis]!, 0);
  return [at(0), at(1)];
}

/** How u and v change per metre over a triangle, `2 3`. */
function textureGradient(head: HeadModel, vertices: Float64Array, triangle: number): number[] {
  const [a, b, c] = [0, 1, 2].map((k) => 3 * head.triangles[3 * triangle + k]!) as [number, number, number];
  const edge = (from: number, to: number): number[] =>
    [0, 1, 2].map((k) => vertices[to + k]! - vertices[from + k]!);
  const [e1, e2] = [edge(a, b), edge(a, c)];
  const dot = (p: readonly number[], q: readonly number[]): number =>
    p.reduce((sum, x, k) => sum + x * q[k]!, 0);
  const [g11, g12, g22] = [dot(e1, e1), dot(e1, e2), dot(e2, e2)];
  const determinant = g11 * g22 - g12 * g12;
  if (determinant < 1e-18) return [0, 0, 0, 0, 0, 0];
  const uv = (corner: number, axis: number): number =>
    head.uvs[2 * head.uvTriangles[3 * triangle + corner]! + axis]!;
  return [0, 1].flatMap((axis) => {
    const [d1, d2] = [uv(1, axis) - uv(0, axis), uv(2, axis) - uv(0, axis)];
    const [x, y] = [(d1 * g22 - d2 * g12) / determinant, (d2 * g11 - d1 * g12) / determinant];
    return [0, 1, 2].map((k) => x * e1[k]! + y * e2[k]!);
  });
}

/** `F`: which connected piece of the texture a triangle belongs to. */
function chartsOf(head: HeadModel): Int32Array {
  const parent = Int32Array.from({ length: head.uvs.length / 2 }, (_, i) => i);
  const find = (i: number): number => {
    let at = i;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  for (let t = 0; t < head.uvTriangles.length; t += 3) {
    for (let c = 1; c < 3; c++) parent[find(head.uvTriangles[t]!)] = find(head.uvTriangles[t + c]!);
  }
  return Int32Array.from({ length: head.uvTriangles.length / 3 }, (_, t) => find(head.uvTriangles[3 * t]!));
}
