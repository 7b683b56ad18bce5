// Figures over seeds as a Markdown table: each arm's means, and its differences from the first arm under the same
// seeds with their 95 % interval by Student's t.

import type { RunFigures } from './run.ts';

/** Columns: figure, heading, digits. */
const COLUMNS = [
  ['loss', 'loss, last 50 steps', 4],
  ['heldOut', 'held out, all noise', 4],
  ['fromNoise', 'held out, from noise', 4],
  ['fromNoise.real', 'portraits', 4],
  ['fromNoise.synthetic', 'subjects', 4],
  ['decibels', 'dB in the head', 2],
] as const;

/** Two-sided 95 % points of Student's t by degrees of freedom, from 1. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/** One row an arm; the first is what the others are compared with. */
export function comparisonTable(results: ReadonlyMap<string, readonly RunFigures[]>): string {
  const [base] = results.values();
  const rows = [...results].map(([name, runs], i) =>
    [name, ...COLUMNS.map(([key, , digits]) => cell(runs, i === 0 ? null : base!, key, digits))].join(' | '),
  );
  const heading = ['', ...COLUMNS.map(([, title]) => title)].join(' | ');
  return [
    heading,
    COLUMNS.map(() => '---')
      .join(' | ')
      .concat(' | ---'),
    ...rows,
  ]
    .map((row) => `| ${row} |`)
    .join('\n');
}

function cell(
  runs: readonly RunFigures[],
  base: readonly RunFigures[] | null,
  key: string,
  digits: number,
): string {
  const values = runs.map((run) => run[key]!);
  const { mean, interval } = summary(values);
  const shown = `${mean.toFixed(digits)} ± ${interval.toFixed(digits)}`;
  if (base === null) return shown;
  const difference = summary(values.map((value, i) => value - base[i]![key]!));
  const sign = difference.mean >= 0 ? '+' : '-';
  return `${mean.toFixed(digits)} (${sign}${Math.abs(difference.mean).toFixed(digits)} ± ${difference.interval.toFixed(digits)})`;
}

/** The mean, and half the width of its interval. */
function summary(values: readonly number[]): { mean: number; interval: number } {
  const n = values.length;
  const mean = values.reduce((total, value) => total + value, 0) / n;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / Math.max(1, n - 1);
  return { mean, interval: (STUDENT[n - 2] ?? 1.96) * Math.sqrt(variance / n) };
}
