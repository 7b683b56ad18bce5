// The identity basis: sampled heads, aligned rigidly to their mean, split into symmetric and mirrored
// parts, and reduced to principal components.

import { principalComponents } from './principal-components.ts';

export type IdentitySpace = {
  /** `V 3`, metres: the mean head. */
  readonly mean: Float64Array;
  /** Components by falling variance. */
  readonly basis: readonly Float64Array[];
  /** Share of the weighted variance that the components explain together. */
  readonly explained: number;
  /** RMS distance (weighted, metres) between heads outside the samples and their projections. */
  readonly heldOutRms: number;
};

type Options = {
  /** Aligned at first to this head, `V 3`. */
  readonly start: Float64Array;
  /** How much each vertex counts, `V`. */
  readonly weights: Float64Array;
  /** Vertex that lies opposite, `V`. */
  readonly mirror: Uint32Array;
  readonly count: number;
  readonly heldOut: number;
};

/** @param heads `V 3` each, metres; the last `heldOut` only measure; aligned in place */
export function deriveIdentity(heads: Float32Array[], options: Options): IdentitySpace {
  const { start, weights, mirror, count, heldOut } = options;
  const learnt = heads.slice(0, heads.length - heldOut);
  let mean = start;
  for (let round = 0; round < 3; round++) {
    for (const head of heads) alignRigidly(head, mean, weights);
    mean = meanOf(learnt);
    // The mean of a population that holds every head's mirror image.
    const mirrored = mirrorPoints(mean, mirror);
    mean = mean.map((value, i) => (value + mirrored[i]!) / 2);
  }

  const perValue = Float32Array.from({ length: mean.length }, (_, i) => weights[Math.floor(i / 3)]!);
  const parts = ([1, -1] as const).map((sign) => {
    const samples = learnt.map((head) => {
      const offset = head.map((value, i) => value - mean[i]!);
      const other = mirrorPoints(offset, mirror);
      return offset.map((value, i) => (value + sign * other[i]!) / 2);
    });
    return principalComponents(samples, perValue, count);
  });
  const total = parts.reduce((sum, part) => sum + part.totalVariance, 0);
  const ranked = parts
    .flatMap(({ basis, variances }) => basis.map((row, i) => ({ row, variance: variances[i]! })))
    .sort((a, b) => b.variance - a.variance)
    .slice(0, count);
  const basis = ranked.map(({ row }) => row);
  return {
    mean,
    basis,
    explained: ranked.reduce((sum, { variance }) => sum + variance, 0) / total,
    heldOutRms: projectionError(heads.slice(heads.length - heldOut), mean, basis, perValue),
  };
}

/** Points or offsets (`V 3`) as a mirror shows them. */
export function mirrorPoints<T extends Float32Array | Float64Array>(points: T, mirror: Uint32Array): T {
  const out = points.slice() as T;
  for (const [v, other] of mirror.entries()) {
    out[3 * v] = -points[3 * other]!;
    out[3 * v + 1] = points[3 * other + 1]!;
    out[3 * v + 2] = points[3 * other + 2]!;
  }
  return out;
}

/** For each vertex the one at the mirrored place. @throws Error where there is none within 10 micrometres */
export function findMirror(points: Float64Array): Uint32Array {
  const key = (x: number, y: number, z: number): string =>
    [x, y, z].map((value) => Math.round(value * 1e5)).join(' ');
  const cells = new Map<string, number[]>();
  for (let v = 0; v < points.length / 3; v++) {
    const cell = key(points[3 * v]!, points[3 * v + 1]!, points[3 * v + 2]!);
    cells.set(cell, [...(cells.get(cell) ?? []), v]);
  }
  const steps = [-1e-5, 0, 1e-5];
  return Uint32Array.from({ length: points.length / 3 }, (_, v) => {
    const [x, y, z] = [-points[3 * v]!, points[3 * v + 1]!, points[3 * v + 2]!];
    const near = steps.flatMap((dx) =>
      steps.flatMap((dy) => steps.flatMap((dz) => cells.get(key(x + dx, y + dy, z + dz)) ?? [])),
    );
    const distance = (o: number): number =>
      Math.hypot(points[3 * o]! - x, points[3 * o + 1]! - y, points[3 * o + 2]! - z);
    const best = near.reduce((a, b) => (distance(b) < distance(a) ? b : a), near[0] ?? -1);
    if (best < 0 || distance(best) > 2e-5) throw new Error(`vertex ${v} has no mirror image`);
    return best;
  });
}

function meanOf(heads: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(heads[0]!.length);
  for (const head of heads) for (let i = 0; i < mean.length; i++) mean[i]! += head[i]! / heads.length;
  return mean;
}

/** Moves a head by the weighted least-squares rotation and translation to `goal`, without scaling. */
function alignRigidly(head: Float32Array, goal: Float64Array, weights: Float64Array): void {
  const centre = (points: ArrayLike<number>): number[] => {
    const sums = [0, 0, 0, 0];
    for (const [v, w] of weights.entries()) {
      for (let axis = 0; axis < 3; axis++) sums[axis]! += w * points[3 * v + axis]!;
      sums[3]! += w;
    }
    return sums.slice(0, 3).map((sum) => sum / sums[3]!);
  };
  const [from, to] = [centre(head), centre(goal)];
  const covariance = new Float64Array(9);
  for (const [v, w] of weights.entries()) {
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        covariance[3 * i + j]! += w * (goal[3 * v + i]! - to[i]!) * (head[3 * v + j]! - from[j]!);
      }
    }
  }
  const r = nearestRotation(covariance);
  for (let v = 0; v < weights.length; v++) {
    const p = [0, 1, 2].map((axis) => head[3 * v + axis]! - from[axis]!);
    for (let i = 0; i < 3; i++) {
      head[3 * v + i] = r[3 * i]! * p[0]! + r[3 * i + 1]! * p[1]! + r[3 * i + 2]! * p[2]! + to[i]!;
    }
  }
}

/** The orthogonal factor of the polar decomposition, by Newton's iteration (Higham 1986). */
function nearestRotation(matrix: Float64Array): Float64Array {
  const scale = Math.cbrt(Math.abs(determinant(matrix)));
  let m = matrix.map((value) => value / scale);
  for (let i = 0; i < 60; i++) {
    const inverse = invert3(m);
    m = m.map((value, k) => (value + inverse[3 * (k % 3) + Math.floor(k / 3)]!) / 2);
  }
  return m;
}

function determinant(m: Float64Array): number {
  return (
    m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) -
    m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) +
    m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!)
  );
}

/** The inverse of a 3 x 3 matrix. */
export function invert3(m: Float64Array): Float64Array {
  const d = determinant(m);
  const cofactor = (i: number, j: number): number => {
    const [a, b] = [(i + 1) % 3, (i + 2) % 3];
    const [c, e] = [(j + 1) % 3, (j + 2) % 3];
    return m[3 * a + c]! * m[3 * b + e]! - m[3 * a + e]! * m[3 * b + c]!;
  };
  return Float64Array.from({ length: 9 }, (_, k) => cofactor(k % 3, Math.floor(k / 3)) / d);
}

/** Weighted least-squares projection (normal equations; the basis is nearly orthogonal). */
function projectionError(
  heads: readonly Float32Array[],
  mean: Float64Array,
  basis: readonly Float64Array[],
  weights: Float32Array,
): number {
  let squares = 0;
  let mass = 0;
  for (const head of heads) {
    const rest = Float64Array.from(head, (value, i) => value - mean[i]!);
    for (const row of basis) {
      let [numerator, denominator] = [0, 0];
      for (let i = 0; i < rest.length; i++) {
        numerator += weights[i]! * rest[i]! * row[i]!;
        denominator += weights[i]! * row[i]! * row[i]!;
      }
      for (let i = 0; i < rest.length; i++) rest[i]! -= (numerator / denominator) * row[i]!;
    }
    for (let i = 0; i < rest.length; i++) squares += weights[i]! * rest[i]! ** 2;
    for (let i = 0; i < rest.length; i += 3) mass += weights[i]!;
  }
  return Math.sqrt(squares / mass);
}
