// One head laid on another: where on the second lies each point of the first. First by landmarks and eyes, then by
// the first head's own identities, drawn to the nearest skin of the second (iterated closest points).
// Source of the scheme: Besl and McKay, "A method for registration of 3-D shapes", 1992.

import {
  alignPoints,
  createSurfaceSearch,
  gramMatrix,
  projectResidual,
  type Similarity,
  solveInBox,
  transformPoints,
  vertexNormals,
} from '../geometry/index.ts';
import { type HeadModel, JOINT_NAMES, PART_NAMES, vertexCount } from '../head/index.ts';

/** The first head in the shape and the frame of the second. */
export type Registration = {
  /** `V 3` of the first head, metres, in the rest frame of the second. */
  readonly fitted: Float64Array;
  /** From the first head's rest frame to the second's; its scale serves correspondence alone. */
  readonly similarity: Similarity;
  /** Root mean square distance of the first head's skin to the second's, over the points that found a partner. */
  readonly rmsMetres: number;
  /** The share of points that found one. */
  readonly coverage: number;
};

const [ROOT, LEFT_EYE, RIGHT_EYE] = [0, 3, 4] as const;
const ROUNDS = 12;
const EVERY = 3;
/** Partners farther away than this do not count, in the first and in the last round. */
const [FIRST_REACH, LAST_REACH] = [0.03, 0.008];
const LEAST_COSINE = 0.5;
/** What a landmark and an eye's centre count beside one point of skin. */
const [LANDMARK_WEIGHT, EYE_WEIGHT] = [4, 20];
/** Standard deviation of a partner's place, metres; skin points of one region err alike, so few of them count. */
const PARTNER_DEVIATION = 0.0015;
const INDEPENDENT_POINTS = 300;

const remembered = new WeakMap<HeadModel, WeakMap<HeadModel, Registration>>();

/** Lays `source` on `target`; remembered for the pair. Both heads face +z with y up. */
export function registerHead(source: HeadModel, target: HeadModel): Registration {
  const known = remembered.get(source)?.get(target);
  if (known) return known;
  const made = register(source, target);
  const own = remembered.get(source) ?? new WeakMap<HeadModel, Registration>();
  own.set(target, made);
  remembered.set(source, own);
  return made;
}

function register(source: HeadModel, target: HeadModel): Registration {
  const anchors = commonAnchors(source, target);
  const skin = isSkin(target);
  const search = createSurfaceSearch(target.template, target.triangles, skin);
  const moving = movingVertices(source);
  const length = source.template.length;
  const identity = new Float64Array(source.identityCount);
  const shape = (): Float64Array => {
    const points = Float64Array.from(source.template);
    for (const [k, value] of identity.entries()) {
      for (let i = 0; i < length; i++) points[i]! += value * source.identityBasis[k * length + i]!;
    }
    return points;
  };
  let shaped = shape();
  let similarity = firstSimilarity(shaped, anchors);
  let fitted = transformPoints(similarity, shaped);
  let [squares, found] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const reach = FIRST_REACH * (LAST_REACH / FIRST_REACH) ** (round / (ROUNDS - 1));
    const normals = vertexNormals(Float32Array.from(fitted), source.triangles);
    const vertices: number[] = [];
    const partners: number[] = [];
    squares = 0;
    for (const v of moving) {
      const at = 3 * v;
      const hit = search.nearest(fitted.subarray(at, at + 3), {
        normal: normals.subarray(at, at + 3),
        minCosine: LEAST_COSINE,
        reach,
      });
      if (hit === null) continue;
      vertices.push(v);
      partners.push(...hit.point);
      squares += hit.distance ** 2;
    }
    found = vertices.length;
    const places = anchors.places(shaped);
    const from = [...vertices.flatMap((v) => [...shaped.subarray(3 * v, 3 * v + 3)]), ...places];
    const to = [...partners, ...anchors.to];
    const weights = [...vertices.map(() => 1), ...anchors.weights];
    similarity = alignPoints(from, to, { weights });
    solveIdentity(source, { vertices, to, weights, anchors }, similarity, identity);
    shaped = shape();
    fitted = transformPoints(similarity, shaped);
  }
  const rmsMetres = Math.sqrt(squares / Math.max(1, found));
  return { fitted, similarity, rmsMetres, coverage: found / Math.max(1, moving.length) };
}

/** Identity coefficients that bring vertices and anchors to their partners, seen in the source's own frame. */
function solveIdentity(
  source: HeadModel,
  pairs: {
    readonly vertices: readonly number[];
    readonly to: readonly number[];
    readonly weights: readonly number[];
    readonly anchors: Anchors;
  },
  similarity: Similarity,
  identity: Float64Array,
): void {
  if (source.identityCount === 0) return;
  const { vertices, to, weights, anchors } = pairs;
  const { rotation: r, translation: t, scale } = similarity;
  const length = source.template.length;
  const atPoints = (row: ArrayLike<number>): Float64Array => {
    const values = new Float64Array(to.length);
    let at = 0;
    for (const v of vertices) for (let k = 0; k < 3; k++) values[at++] = row[3 * v + k]!;
    values.set(anchors.places(row), at);
    return values;
  };
  const rest = atPoints(source.template);
  const residual = new Float64Array(to.length);
  for (let i = 0; i < to.length; i += 3) {
    const gap = [0, 1, 2].map((k) => to[i + k]! - t[k]!);
    for (let k = 0; k < 3; k++) {
      residual[i + k] = (r[k]! * gap[0]! + r[3 + k]! * gap[1]! + r[6 + k]! * gap[2]!) / scale - rest[i + k]!;
    }
  }
  const rows = Array.from({ length: source.identityCount }, (_, k) =>
    atPoints(source.identityBasis.subarray(k * length, (k + 1) * length)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const factor = INDEPENDENT_POINTS / total / PARTNER_DEVIATION ** 2;
  const perCoordinate = Float64Array.from(to, (_, i) => factor * weights[Math.floor(i / 3)]!);
  const prior = {
    lower: rows.map(() => -4),
    upper: rows.map(() => 4),
    precision: rows.map(() => 1),
  };
  const gram = gramMatrix(rows, perCoordinate);
  identity.set(solveInBox(gram, projectResidual(rows, perCoordinate, residual), prior, identity));
}

/** Points that both heads name: landmarks and the centres of the eyes. */
type Anchors = {
  /** Where they lie for a per-vertex row (`V 3`) of the source: positions or one component of a basis. */
  places(row: ArrayLike<number>): number[];
  /** Where they lie on the target's template. */
  readonly to: readonly number[];
  readonly weights: readonly number[];
};

function commonAnchors(source: HeadModel, target: HeadModel): Anchors {
  const [a, b] = [source.landmarks, target.landmarks];
  const isCommon = (l: number): boolean =>
    (source.landmarkWeights?.[l] ?? 0) > 0 && (target.landmarkWeights?.[l] ?? 0) > 0;
  // Irises are placed by the eyes, not by the skin.
  const points = a && b ? Array.from({ length: 468 }, (_, l) => l).filter(isCommon) : [];
  const eyes = [LEFT_EYE, RIGHT_EYE];
  const own = anchorWeights(source, points, eyes);
  const theirs = anchorWeights(target, points, eyes);
  return {
    places: (row) => sumRows(own, row),
    to: sumRows(theirs, target.template),
    weights: [...points.map(() => LANDMARK_WEIGHT), ...eyes.map(() => EYE_WEIGHT)],
  };
}

/** A point as a weighted sum of vertices. */
type VertexSum = { readonly vertices: readonly number[]; readonly weights: readonly number[] };

function anchorWeights(head: HeadModel, points: readonly number[], eyes: readonly number[]): VertexSum[] {
  const count = vertexCount(head);
  return [
    ...points.map((l) => {
      const { triangles, barycentrics } = head.landmarks!;
      return {
        vertices: [0, 1, 2].map((c) => head.triangles[3 * triangles[l]! + c]!),
        weights: [0, 1, 2].map((c) => barycentrics[3 * l + c]!),
      };
    }),
    ...eyes.map((joint) => {
      const row = head.jointRegressor.subarray(joint * count, (joint + 1) * count);
      const vertices = [...row.keys()].filter((v) => row[v] !== 0);
      return { vertices, weights: vertices.map((v) => row[v]!) };
    }),
  ];
}

function sumRows(sums: readonly VertexSum[], row: ArrayLike<number>): number[] {
  const places: number[] = [];
  for (const { vertices, weights } of sums) {
    for (let k = 0; k < 3; k++) {
      let sum = 0;
      for (let i = 0; i < vertices.length; i++) sum += weights[i]! * row[3 * vertices[i]! + k]!;
      places.push(sum);
    }
  }
  return places;
}

/** By many landmarks in full; by the eyes alone without rotation, since both heads face +z. */
function firstSimilarity(shaped: Float64Array, anchors: Anchors): Similarity {
  const from = anchors.places(shaped);
  if (anchors.weights.length >= 8) return alignPoints(from, anchors.to, { weights: anchors.weights });
  const [left, right] = [0, 3].map((at) => from.slice(at, at + 3));
  const [toLeft, toRight] = [0, 3].map((at) => anchors.to.slice(at, at + 3));
  const span = (a: readonly number[], b: readonly number[]): number =>
    Math.hypot(...a.map((value, k) => value - b[k]!));
  const scale = span(toLeft!, toRight!) / span(left!, right!);
  return {
    rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    scale,
    translation: [0, 1, 2].map(
      (k) => (toLeft![k]! + toRight![k]!) / 2 - (scale * (left![k]! + right![k]!)) / 2,
    ),
  };
}

/** Which triangles are skin or lips. */
export function isSkin(head: HeadModel): (triangle: number) => boolean {
  const [skin, lips] = [PART_NAMES.indexOf('skin'), PART_NAMES.indexOf('lips')];
  return (t) => head.triangleParts[t] === skin || head.triangleParts[t] === lips;
}

/** Some of the vertices of skin that move with the head and not with the shoulders. */
function movingVertices(head: HeadModel): number[] {
  const wanted = new Set<number>();
  const skin = isSkin(head);
  for (let t = 0; t < head.triangleParts.length; t++) {
    if (!skin(t)) continue;
    for (let c = 0; c < 3; c++) {
      const v = head.triangles[3 * t + c]!;
      if (v % EVERY === 0 && head.skinningWeights[v * JOINT_NAMES.length + ROOT]! < 0.5) wanted.add(v);
    }
  }
  return [...wanted];
}
