// The head's own mesh, cut out of the base mesh. Every head vertex is a fixed linear function of the base
// mesh's vertices (a copy, a point on a cut edge, or a point on a fitted eyeball), so that every target
// carries over exactly.

import type { PartName } from '../../src/head/index.ts';
import { buildEyeball, type EyeballSource } from './eyeball.ts';
import { groupBy } from './grouping.ts';
import type { BaseMesh, BasePolygon } from './makehuman.ts';

const METRES_PER_UNIT = 0.1;
// The bust's outline seen from the front (decimetres): a superellipse below the chin. Clothes cover it.
const BUST = { halfWidth: 1.95, centreY: 6.3, depth: 1.75, power: 4 };

/** One vertex: a mix of two base vertices, or a point on an eyeball. */
export type VertexSource = { readonly a: number; readonly b: number; readonly t: number };

export type SurfaceTriangle = {
  readonly vertices: readonly [number, number, number];
  /** MakeHuman's texture coordinates of the corners (v up); empty on eyeballs. */
  readonly sourceUvs: readonly (readonly [number, number])[];
  /** Where the triangle comes from: a group of the base mesh, or one of its skin's texture islands. */
  readonly island: string;
  readonly part: PartName;
};

export type HeadSurface = {
  readonly vertexCount: number;
  readonly triangles: readonly SurfaceTriangle[];
  /** One for each vertex before the eyeballs. */
  readonly sources: readonly VertexSource[];
  /** Base positions or offsets (`B 3`, decimetres) to head positions or offsets (`V 3`, metres). */
  carry(base: ArrayLike<number>): Float64Array;
  /** A value per base vertex to a value per head vertex; eyeballs take `onEyeballs`. */
  carryScalar(base: ArrayLike<number>, onEyeballs: number): Float64Array;
  /** Vertices of the left and the right eyeball: first index, count; the pupil is the first. */
  readonly eyeballs: readonly { readonly first: number; readonly count: number }[];
};

const HELPERS: Record<string, PartName> = {
  'helper-upper-teeth': 'upperTeeth',
  'helper-lower-teeth': 'lowerTeeth',
  'helper-l-eyelashes-1': 'lashes',
  'helper-l-eyelashes-2': 'lashes',
  'helper-r-eyelashes-1': 'lashes',
  'helper-r-eyelashes-2': 'lashes',
  'helper-tongue': 'tongue',
};

/** Cuts the head out of the base mesh. @param isLip tells lips by MakeHuman's texture coordinates (v up) */
export function cutHead(mesh: BaseMesh, isLip: (u: number, v: number) => boolean): HeadSurface {
  const sources: VertexSource[] = [];
  const indexOf = new Map<string, number>();
  const add = (source: VertexSource): number => {
    const key = `${source.a} ${source.b}`;
    const known = indexOf.get(key);
    if (known !== undefined) return known;
    indexOf.set(key, sources.length);
    return sources.push(source) - 1;
  };

  const triangles: SurfaceTriangle[] = [];
  const islandOf = nameSkinIslands(mesh);
  for (const polygon of mesh.polygons) {
    const island = polygon.group === 'body' ? islandOf.get(polygon) : polygon.group;
    if (!island || (polygon.group !== 'body' && !(island in HELPERS))) continue;
    const corners = clipPolygon(mesh, polygon, add);
    if (corners.length < 3) continue;
    const middle = [0, 1].map((i) => corners.reduce((sum, { uv }) => sum + uv[i]!, 0) / corners.length);
    const part =
      HELPERS[island] ??
      (island === 'mouth' ? 'mouthCavity' : isLip(middle[0]!, middle[1]!) ? 'lips' : 'skin');
    for (const [i, j, k] of triangulate(corners.map(({ index }) => pointOf(mesh, sources[index]!)))) {
      const [a, b, c] = [corners[i]!, corners[j]!, corners[k]!];
      triangles.push({
        vertices: [a.index, b.index, c.index],
        sourceUvs: [a.uv, b.uv, c.uv],
        island,
        part,
      });
    }
  }

  const skinCount = sources.length;
  const eyes: EyeballSource[] = [];
  let vertexCount = skinCount;
  for (const side of ['left', 'right'] as const) {
    const eye = buildEyeball(mesh, side);
    const at = (i: number): number => vertexCount + i;
    for (const [i, j, k] of eye.triangles) {
      triangles.push({
        vertices: [at(i), at(j), at(k)],
        sourceUvs: [],
        island: `${side}Eyeball`,
        part: `${side}Eyeball`,
      });
    }
    eyes.push(eye);
    vertexCount += eye.count;
  }

  return {
    vertexCount,
    triangles,
    sources,
    eyeballs: eyes.map(({ count }, i) => ({ first: skinCount + i * count, count })),
    carry(base) {
      const out = new Float64Array(3 * vertexCount);
      for (const [v, { a, b, t }] of sources.entries()) {
        for (let axis = 0; axis < 3; axis++) {
          const value = (1 - t) * base[3 * a + axis]! + t * base[3 * b + axis]!;
          out[3 * v + axis] = value * METRES_PER_UNIT;
        }
      }
      let at = 3 * skinCount;
      for (const eye of eyes) {
        for (const value of eye.carry(base)) out[at++] = value * METRES_PER_UNIT;
      }
      return out;
    },
    carryScalar(base, onEyeballs) {
      const out = new Float64Array(vertexCount).fill(onEyeballs);
      for (const [v, { a, b, t }] of sources.entries()) out[v] = (1 - t) * base[a]! + t * base[b]!;
      return out;
    },
  };
}

type ClippedCorner = { readonly index: number; readonly uv: readonly [number, number] };

/** How far inside the bust a base vertex lies; the cut is where this is zero. */
function insideness(mesh: BaseMesh, vertex: number): number {
  const { halfWidth, centreY, depth, power } = BUST;
  const x = Math.abs(mesh.positions[3 * vertex]!) / halfWidth;
  const y = Math.max(0, centreY - mesh.positions[3 * vertex + 1]!) / depth;
  return 1 - (x ** power + y ** power) ** (1 / power);
}

function clipPolygon(
  mesh: BaseMesh,
  polygon: BasePolygon,
  add: (source: VertexSource) => number,
): ClippedCorner[] {
  const clipped: ClippedCorner[] = [];
  for (const [i, from] of polygon.corners.entries()) {
    const to = polygon.corners[(i + 1) % polygon.corners.length]!;
    const [inFrom, inTo] = [insideness(mesh, from.vertex), insideness(mesh, to.vertex)];
    const uvFrom = [mesh.uvs[2 * from.uv]!, mesh.uvs[2 * from.uv + 1]!] as const;
    if (inFrom > 0) {
      clipped.push({ index: add({ a: from.vertex, b: from.vertex, t: 0 }), uv: uvFrom });
    }
    if (inFrom > 0 !== inTo > 0) {
      const t = inFrom / (inFrom - inTo);
      const uvTo = [mesh.uvs[2 * to.uv]!, mesh.uvs[2 * to.uv + 1]!] as const;
      // One order of the two ends, whichever polygon meets the edge first.
      const isOrdered = from.vertex < to.vertex;
      const source = isOrdered
        ? { a: from.vertex, b: to.vertex, t }
        : { a: to.vertex, b: from.vertex, t: 1 - t };
      clipped.push({
        index: add(source),
        uv: [(1 - t) * uvFrom[0] + t * uvTo[0], (1 - t) * uvFrom[1] + t * uvTo[1]],
      });
    }
  }
  return clipped;
}

function pointOf(mesh: BaseMesh, { a, b, t }: VertexSource): number[] {
  return [0, 1, 2].map((i) => (1 - t) * mesh.positions[3 * a + i]! + t * mesh.positions[3 * b + i]!);
}

/** A quad splits along its shorter diagonal; other polygons become fans. */
function triangulate(points: readonly number[][]): [number, number, number][] {
  const distance = (i: number, j: number): number =>
    Math.hypot(...points[i]!.map((value, axis) => value - points[j]![axis]!));
  const isOther = points.length === 4 && distance(1, 3) < distance(0, 2) - 1e-6;
  const order = [...points.keys()].map((i) => (i + (isOther ? 1 : 0)) % points.length);
  return order.slice(2).map((_, i) => [order[0]!, order[i + 1]!, order[i + 2]!]);
}

/**
 * Names the texture islands of the body's skin that belong to a head: `face` (the whole skin of the head),
 * `torso`, `mouth`, `leftSocket`, `rightSocket`; hands and feet get none.
 */
function nameSkinIslands(mesh: BaseMesh): Map<BasePolygon, string> {
  const body = mesh.polygons.filter(({ group }) => group === 'body');
  const parent = new Map<number, number>();
  const root = (i: number): number => {
    let at = i;
    while ((parent.get(at) ?? at) !== at) at = parent.get(at)!;
    parent.set(i, at);
    return at;
  };
  for (const { corners } of body) {
    for (const corner of corners) parent.set(root(corner.uv), root(corners[0]!.uv));
  }
  const islands = groupBy(body, (polygon) => root(polygon.corners[0]!.uv));
  const names = new Map<BasePolygon, string>();
  for (const polygons of islands.values()) {
    const vertices = polygons.flatMap(({ corners }) => corners.map(({ vertex }) => vertex));
    const range = (axis: number): [number, number] => {
      const values = vertices.map((vertex) => mesh.positions[3 * vertex + axis]!);
      return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    };
    const [[left, right], [bottom, top]] = [range(0), range(1)];
    const name = nameIsland(left, right, bottom, top);
    if (name) for (const polygon of polygons) names.set(polygon, name);
  }
  return names;
}

function nameIsland(left: number, right: number, bottom: number, top: number): string | null {
  if (top > 8) return 'face';
  if (bottom > 7) return left > 0 ? 'leftSocket' : 'rightSocket';
  if (bottom > 6 && right < 1) return 'mouth';
  return top > 6 ? 'torso' : null;
}
