// From the figures of cases to rows of a table: means over subjects with bootstrap intervals, and the differences to the
// main row subject by subject.

import type { CaseResult, MethodScores } from './evaluate.ts';
import { METRIC_NAMES, METRICS, type MetricName } from './metric-list.ts';
import { bootstrapMean, type Interval, meanOf } from './statistics.ts';

/** A row: the figures that apply. */
export type MetricSummary = Readonly<Partial<Record<MetricName, Interval>>>;

/** A row with what it took. */
export type SummaryRow = {
  readonly name: string;
  readonly metrics: MetricSummary;
  /** Of making pictures, first of a subject included; null where it says nothing. */
  readonly framesPerSecond: number | null;
  /** Frames that failed. */
  readonly failures: number;
};

/** A failure with its place. */
export type PlacedFailure = {
  readonly subject: string;
  /** Null where it is the subject as a whole. */
  readonly frame: number | null;
  /** Null where no method is to blame. */
  readonly row: string | null;
  readonly reason: string;
};

/** A main row's value at a place of an axis. */
export type PlotPoint = { readonly turnDegrees: number; readonly expressionChange: number } & Readonly<
  Partial<Record<MetricName, number>>
>;

/** The outcome of an evaluation. */
export type EvaluationSummary = {
  /** Subjects that could be measured. */
  readonly subjects: number;
  readonly frames: number;
  /** The main row first. */
  readonly rows: readonly SummaryRow[];
  /** By row: the main one's figures less that row's, over the same subjects. */
  readonly differences: Readonly<Record<string, MetricSummary>>;
  readonly failureList: readonly PlacedFailure[];
  /** By row: every frame. */
  readonly points: Readonly<Record<string, readonly PlotPoint[]>>;
};

/** Sums up. @param main the row that the evaluation is about */
export function summarise(results: readonly CaseResult[], main: string): EvaluationSummary {
  const measured = results.filter(({ rows }) => Object.keys(rows).length > 0);
  const found = [...new Set(measured.flatMap(({ rows }) => Object.keys(rows)))];
  const names = [main, ...found.filter((name) => name !== main)];
  const valuesOf = (row: string, metric: MetricName): number[] =>
    measured.map(({ rows }) => caseFigure(rows[row], metric));
  const failureList = failuresOf(results);
  return {
    subjects: measured.length,
    frames: measured.reduce((sum, { rows }) => sum + (rows[main]?.frames.length ?? 0), 0),
    rows: names.map((name) => ({
      name,
      metrics: intervals((metric) => valuesOf(name, metric)),
      framesPerSecond: speedOf(measured.flatMap(({ rows }) => rows[name] ?? [])),
      failures: failureList.filter(({ row }) => row === name).length,
    })),
    differences: Object.fromEntries(
      names
        .slice(1)
        .filter((name) => name !== 'truth')
        .map((name) => [
          name,
          intervals((metric) => {
            const other = valuesOf(name, metric);
            return valuesOf(main, metric).map((value, i) => value - other[i]!);
          }),
        ]),
    ),
    failureList,
    points: Object.fromEntries(
      names.map((name) => [name, measured.flatMap(({ rows }) => rows[name]?.frames ?? [])]),
    ),
  };
}

/** The summary as a Markdown table: one row a method, the interval in brackets. */
export function markdownTable({ rows, differences }: EvaluationSummary): string {
  const shown = METRICS.filter(({ name }) => rows.some(({ metrics }) => metrics[name] !== undefined));
  const cell = (value: Interval | undefined, decimals: number, isSigned = false): string => {
    if (value === undefined) return '–';
    const text = (n: number): string => `${isSigned && n > 0 ? '+' : ''}${n.toFixed(decimals)}`;
    return `${text(value.mean)} [${text(value.low)}, ${text(value.high)}]`;
  };
  const head = shown.map(
    ({ label, unit, isHigherBetter }) =>
      `${label} ${isHigherBetter ? '↑' : '↓'}${unit === '' ? '' : ` (${unit})`}`,
  );
  const lines = [
    `| | ${head.join(' | ')} |`,
    `|---|${shown.map(() => '---').join('|')}|`,
    ...rows.map(
      ({ name, metrics }) =>
        `| ${name} | ${shown.map((metric) => cell(metrics[metric.name], metric.decimals)).join(' | ')} |`,
    ),
    ...Object.entries(differences).map(
      ([name, metrics]) =>
        `| ${rows[0]!.name} − ${name} | ${shown.map((metric) => cell(metrics[metric.name], metric.decimals, true)).join(' | ')} |`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** One figure of a subject: the mean over its frames, or that of the whole; NaN where there is none. */
function caseFigure(scores: MethodScores | undefined, metric: MetricName): number {
  if (scores === undefined) return Number.NaN;
  return scores.whole[metric] ?? meanOf(scores.frames.map((frame) => frame[metric] ?? Number.NaN));
}

function intervals(valuesOf: (metric: MetricName) => readonly number[]): MetricSummary {
  return Object.fromEntries(
    METRIC_NAMES.flatMap((metric) => {
      const values = valuesOf(metric).filter((value) => !Number.isNaN(value));
      return values.length === 0 ? [] : [[metric, bootstrapMean(values)] as const];
    }),
  );
}

function speedOf(rows: readonly MethodScores[]): number | null {
  const timed = rows.filter(({ seconds }) => seconds !== null);
  if (timed.length === 0) return null;
  const seconds = timed.reduce((sum, row) => sum + row.seconds!, 0);
  return Number((timed.reduce((sum, { frames }) => sum + frames.length, 0) / seconds).toPrecision(3));
}

function failuresOf(results: readonly CaseResult[]): PlacedFailure[] {
  return results.flatMap(({ name: subject, rows, truthFailures }) => [
    ...truthFailures.map((failure) => ({ subject, row: null, ...failure })),
    ...Object.entries(rows).flatMap(([row, { failures }]) =>
      failures.map((failure) => ({ subject, row, ...failure })),
    ),
  ]);
}
