// Means with bootstrap intervals over subjects, and correlation.

import { createRandom } from '../tensor/index.ts';

/** A mean and its 95 % bootstrap interval. */
export type Interval = { readonly mean: number; readonly low: number; readonly high: number };

const RESAMPLES = 1000;

/** The mean of the values with a 95 % percentile bootstrap interval (1000 seeded resamples). */
export function bootstrapMean(values: readonly number[], seed = 1): Interval {
  const random = createRandom(seed);
  const means = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[random.integer(values.length)]!;
    return sum / values.length;
  }).sort();
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, low: means[Math.floor(0.025 * RESAMPLES)]!, high: means[Math.floor(0.975 * RESAMPLES)]! };
}

/** The mean of those that are numbers; NaN where none is. */
export function meanOf(values: readonly number[]): number {
  const numbers = values.filter((value) => !Number.isNaN(value));
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

/** Pearson's correlation of two series of one length; NaN where one does not vary. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length;
  const mean = (series: ArrayLike<number>): number => Array.from(series).reduce((s, v) => s + v, 0) / n;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}
