// Which points of two heads are the same place of a face: what conversion between heads measures by. Heads on one
// mesh (versions of FLAME) correspond vertex by vertex, others through a registration.

import { createSurfaceSearch, vertexNormals } from '../geometry/index.ts';
import { type HeadModel, JOINT_NAMES, PART_NAMES, type SurfacePoints } from '../head/index.ts';
import { isSkin, registerHead } from './head-registration.ts';

/** Pairs of places, `N`: a point of the source's surface and a vertex of the target. */
export type Correspondence = {
  readonly source: SurfacePoints;
  readonly targetVertices: Uint32Array;
  /** `N`: how much a pair counts; lips and lids move most and have the most vertices, hence about 1 everywhere. */
  readonly weights: Float64Array;
  /** Root mean square distance of the pairs on the registered templates; 0 on one mesh. */
  readonly rmsMetres: number;
};

const [ROOT, LEFT_EYE] = [0, 3] as const;
/** Skin that follows the shoulders more than this does not count. */
const MAX_ROOT_WEIGHT = 0.5;
const REACH_METRES = 0.006;
const LEAST_COSINE = 0.5;
/** Enough for every coefficient, few enough to be quick. */
const MOST_PAIRS = 1600;
/** The ears' folds and the skull's back pair badly: what lies behind the eyes by more than this counts little. */
const BEHIND_EYES_METRES = 0.06;
const BEHIND_WEIGHT = 0.15;

/** Pairs points of two heads. */
export function correspond(source: HeadModel, target: HeadModel): Correspondence {
  const chosen = skinVertices(target);
  const isOneMesh =
    source.template.length === target.template.length &&
    source.triangles.length === target.triangles.length &&
    source.triangles.every((vertex, i) => vertex === target.triangles[i]);
  return isOneMesh ? byVertex(source, target, chosen) : bySurface(source, target, chosen);
}

function byVertex(source: HeadModel, target: HeadModel, chosen: readonly number[]): Correspondence {
  const cornerOf = new Map<number, number>();
  for (const [at, vertex] of source.triangles.entries()) if (!cornerOf.has(vertex)) cornerOf.set(vertex, at);
  const corners = chosen.map((vertex) => cornerOf.get(vertex)!);
  return {
    source: {
      triangles: Uint32Array.from(corners, (corner) => Math.floor(corner / 3)),
      barycentrics: Float32Array.from(
        corners.flatMap((corner) => [0, 1, 2].map((k) => (k === corner % 3 ? 1 : 0))),
      ),
    },
    targetVertices: Uint32Array.from(chosen),
    weights: weightsOf(target, chosen),
    rmsMetres: 0,
  };
}

function bySurface(source: HeadModel, target: HeadModel, chosen: readonly number[]): Correspondence {
  const { fitted } = registerHead(source, target);
  const search = createSurfaceSearch(fitted, source.triangles, isSkin(source));
  const normals = vertexNormals(target.template, target.triangles);
  const pairs = chosen.flatMap((vertex) => {
    const hit = search.nearest(target.template.subarray(3 * vertex, 3 * vertex + 3), {
      normal: normals.subarray(3 * vertex, 3 * vertex + 3),
      minCosine: LEAST_COSINE,
      reach: REACH_METRES,
    });
    return hit === null ? [] : [{ vertex, ...hit }];
  });
  const squares = pairs.reduce((sum, { distance }) => sum + distance ** 2, 0);
  return {
    source: {
      triangles: Uint32Array.from(pairs, ({ triangle }) => triangle),
      barycentrics: Float32Array.from(pairs.flatMap(({ barycentrics }) => barycentrics)),
    },
    targetVertices: Uint32Array.from(pairs, ({ vertex }) => vertex),
    weights: weightsOf(
      target,
      pairs.map(({ vertex }) => vertex),
    ),
    rmsMetres: Math.sqrt(squares / Math.max(1, pairs.length)),
  };
}

/** Vertices of skin and lips that follow the head, thinned evenly where there are too many. */
function skinVertices(head: HeadModel): number[] {
  const wanted = new Set<number>();
  const isKept = isSkin(head);
  const lips = PART_NAMES.indexOf('lips');
  const lipVertices = new Set<number>();
  for (let t = 0; t < head.triangleParts.length; t++) {
    if (!isKept(t)) continue;
    for (let c = 0; c < 3; c++) {
      const vertex = head.triangles[3 * t + c]!;
      if (head.skinningWeights[vertex * JOINT_NAMES.length + ROOT]! > MAX_ROOT_WEIGHT) continue;
      wanted.add(vertex);
      if (head.triangleParts[t] === lips) lipVertices.add(vertex);
    }
  }
  const all = [...wanted].sort((a, b) => a - b);
  const step = Math.max(1, Math.ceil(all.length / MOST_PAIRS));
  return all.filter((vertex, i) => i % step === 0 || lipVertices.has(vertex));
}

/** `N`: less for what lies behind. */
function weightsOf(head: HeadModel, vertices: readonly number[]): Float64Array {
  const count = head.template.length / 3;
  let eyeDepth = 0;
  for (let v = 0; v < count; v++) {
    eyeDepth += head.jointRegressor[LEFT_EYE * count + v]! * head.template[3 * v + 2]!;
  }
  return Float64Array.from(vertices, (vertex) =>
    head.template[3 * vertex + 2]! < eyeDepth - BEHIND_EYES_METRES ? BEHIND_WEIGHT : 1,
  );
}
