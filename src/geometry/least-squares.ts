// Small linear least squares with bounds: the normal matrix is built once and solved again and again.

/** Gram matrix of basis rows (`K` rows of `length`), weighted: `K K`. */
export function gramMatrix(rows: readonly ArrayLike<number>[], weights: ArrayLike<number>): Float64Array {
  const count = rows.length;
  const gram = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const a = rows[i]!;
    for (let j = 0; j <= i; j++) {
      const b = rows[j]!;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * a[k]! * b[k]!;
      gram[i * count + j] = sum;
      gram[j * count + i] = sum;
    }
  }
  return gram;
}

/** Products of basis rows with a residual, weighted: `K`. */
export function projectResidual(
  rows: readonly ArrayLike<number>[],
  weights: ArrayLike<number>,
  residual: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(rows, (row) => {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += weights[k]! * row[k]! * residual[k]!;
    return sum;
  });
}

/** Bounds of every unknown, and what draws it to zero. */
export type BoxPrior = {
  readonly lower: ArrayLike<number>;
  readonly upper: ArrayLike<number>;
  /** Added to the diagonal. */
  readonly precision: ArrayLike<number>;
};

const SWEEPS = 200;
const TOLERANCE = 1e-7;

/**
 * Minimises `x G x / 2 - x b + x diag(precision) x / 2` within bounds by coordinate descent, from `start`.
 * `gram` is `K K` and positive semi-definite.
 */
export function solveInBox(
  gram: Float64Array,
  right: ArrayLike<number>,
  { lower, upper, precision }: BoxPrior,
  start: ArrayLike<number>,
): Float64Array {
  const count = right.length;
  const x = Float64Array.from({ length: count }, (_, i) =>
    Math.min(upper[i]!, Math.max(lower[i]!, start[i] ?? 0)),
  );
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let largest = 0;
    for (let i = 0; i < count; i++) {
      const diagonal = gram[i * count + i]! + precision[i]!;
      if (diagonal <= 0) continue;
      let gradient = right[i]! - precision[i]! * x[i]!;
      for (let j = 0; j < count; j++) gradient -= gram[i * count + j]! * x[j]!;
      const moved = Math.min(upper[i]!, Math.max(lower[i]!, x[i]! + gradient / diagonal));
      largest = Math.max(largest, Math.abs(moved - x[i]!));
      x[i] = moved;
    }
    if (largest < TOLERANCE) break;
  }
  return x;
}
