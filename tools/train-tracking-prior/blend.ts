// Weighs the regression of the landmarks against what the network reads, and judges the result.

import { factorCholesky, solveCholesky } from '../../src/geometry/index.ts';
import { applyPriorMap, type PriorMap, READING_TERMS } from '../../src/tracking/learned-prior.ts';
import type { LinearMap } from './ridge.ts';

/** A row that nothing was learned from. */
export type HeldOutRow = {
  readonly inputs: Float32Array;
  /** As of `readingInputs`. */
  readonly read: Float32Array;
  readonly targets: Float32Array;
};

const RIDGE = 1e-4;
const MOST_GAIN = 2.5;
const GAIN_EXPONENT = 0.75;

/** Least squares of every target over the regression's value and what is read of it. */
export function blend({ weight, bias }: LinearMap, rows: readonly HeldOutRow[]): PriorMap {
  const alone = { weight, bias, shares: new Float32Array(0) };
  const regressed = rows.map(({ inputs, read }) => applyPriorMap(alone, inputs, read));
  const solved = Array.from(bias, (_, t) =>
    leastSquares(
      rows.map(({ read }, i) => [
        regressed[i]![t]!,
        ...read.subarray(READING_TERMS * t, READING_TERMS * (t + 1)),
      ]),
      rows.map(({ targets }) => targets[t]!),
    ),
  );
  const width = weight.length / bias.length;
  return {
    weight: weight.map((value, i) => solved[Math.floor(i / width)]!.slopes[0]! * value),
    bias: bias.map((value, t) => solved[t]!.slopes[0]! * value + solved[t]!.offset),
    shares: Float32Array.from(solved.flatMap(({ slopes }) => slopes.slice(1))),
  };
}

function leastSquares(
  rows: readonly (readonly number[])[],
  values: readonly number[],
): { readonly slopes: number[]; readonly offset: number } {
  const count = rows.length;
  const width = rows[0]!.length;
  const means = Array.from({ length: width }, (_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / count);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const matrix = new Float64Array(width * width);
  const slopes = new Float64Array(width);
  for (const [i, row] of rows.entries()) {
    const centred = row.map((value, k) => value - means[k]!);
    for (let a = 0; a < width; a++) {
      for (let b = 0; b <= a; b++) matrix[a * width + b]! += (centred[a]! * centred[b]!) / count;
      slopes[a]! += (centred[a]! * (values[i]! - mean)) / count;
    }
  }
  for (let a = 0; a < width; a++) matrix[a * width + a]! += RIDGE;
  factorCholesky(matrix, width);
  solveCholesky(matrix, width, slopes);
  const offset = mean - slopes.reduce((sum, slope, k) => sum + slope * means[k]!, 0);
  return { slopes: [...slopes], offset };
}

/**
 * A regression's estimates are as small as its errors are large: units that hardly show would stay near rest.
 * This gives back most of their amplitude, for somewhat larger errors.
 */
export function gainFor(slope: number): number {
  return Math.min(MOST_GAIN, Math.max(slope, 0.01) ** -GAIN_EXPONENT);
}

/** The map with its values' distances from their means times a gain each. */
export function amplify(
  { weight, bias, shares }: PriorMap,
  gains: readonly number[],
  means: Float64Array,
): PriorMap {
  const width = weight.length / gains.length;
  return {
    weight: weight.map((value, i) => gains[Math.floor(i / width)]! * value),
    bias: bias.map((value, t) => means[t]! + gains[t]! * (value - means[t]!)),
    shares: shares.map((value, i) => gains[Math.floor(i / READING_TERMS)]! * value),
  };
}

/** Root of the mean square error, correlation and slope of every target. */
export function judge(
  map: PriorMap,
  rows: readonly HeldOutRow[],
  names: readonly string[],
): {
  readonly deviation: Float32Array;
  readonly slopes: readonly number[];
  readonly lines: readonly string[];
} {
  const deviation = new Float32Array(names.length);
  const slopes: number[] = [];
  const values = rows.map(({ inputs, read }) => applyPriorMap(map, inputs, read));
  const mean = (all: readonly number[]): number => all.reduce((sum, v) => sum + v, 0) / all.length;
  const lines = names.map((name, t) => {
    const found = values.map((row) => row[t]!);
    const truth = rows.map(({ targets }) => targets[t]!);
    const [mf, mt] = [mean(found), mean(truth)];
    const covariance = mean(found.map((f, i) => (f - mf) * (truth[i]! - mt)));
    const [vf, vt] = [mean(found.map((f) => (f - mf) ** 2)), mean(truth.map((v) => (v - mt) ** 2))];
    deviation[t] = Math.sqrt(mean(found.map((f, i) => (f - truth[i]!) ** 2)));
    slopes.push(vt > 0 ? covariance / vt : 1);
    const [error, slope] = [deviation[t].toFixed(3), slopes[t]!.toFixed(2)];
    const correlation = (covariance / Math.sqrt(vf * vt)).toFixed(2);
    const shares = [...map.shares.subarray(READING_TERMS * t, READING_TERMS * (t + 1))];
    const read = shares.map((share) => share.toFixed(2)).join(' ');
    return `  ${name}: deviation ${error}, slope ${slope}, correlation ${correlation}, read ${read}`;
  });
  return { deviation, slopes, lines };
}
