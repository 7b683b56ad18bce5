// Runs an evaluation: case by case, method by method. Every finished case is handed on as plain data, so that an
// interrupted evaluation goes on from there.

import { AvatarError } from '../errors/index.ts';
import { type EventSink, silentSink } from '../events/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { CaseSource, EvaluationCase } from './cases.ts';
import { type Answer, type Failure, type Judges, judgeCase, type RowScores, type Scores } from './judge.ts';
import type { Method } from './methods.ts';
import { METRIC_NAMES, type MetricName } from './metric-list.ts';
import { orbitYaws, turnedTo } from './multi-view.ts';
import { caseStrip } from './strips.ts';

/** What a method came to on a case, with what it took. */
export type MethodScores = RowScores & {
  /** Of making the pictures; null where it says nothing. */
  readonly seconds: number | null;
};

/** What is known of a finished case. */
export type CaseResult = {
  readonly name: string;
  /** By the method's name. */
  readonly rows: Readonly<Record<string, MethodScores>>;
  readonly truthFailures: readonly Failure[];
};

/** Where finished cases are kept. */
export type CaseStore = {
  /** Null where the case is not finished. */
  read(name: string): Promise<CaseResult | null>;
  /** @param strip pictures to look at; null where there are none */
  write(result: CaseResult, strip: RgbImage | null): Promise<void>;
};

/** What is evaluated. */
export type EvaluationOptions = {
  readonly cases: CaseSource;
  /** The first is the one that the evaluation is about. */
  readonly methods: readonly Method[];
  readonly judges: Judges;
  readonly store: CaseStore;
  /** How many subjects, from the first on, are shown from all around for the spread of their landmarks. */
  readonly orbits: number;
  readonly events?: EventSink;
  readonly signal?: AbortSignal;
};

/** Pictures of an orbit. */
const ORBIT_VIEWS = 5;

/** Evaluates all cases that are not finished; the results of all, in order. */
export async function evaluate(options: EvaluationOptions): Promise<CaseResult[]> {
  const { cases, store, events = silentSink, signal } = options;
  const results: CaseResult[] = [];
  for (const name of cases.names) {
    signal?.throwIfAborted();
    const known = await store.read(name);
    results.push(known ?? (await evaluateCase(options, name)));
    const total = cases.names.length;
    events({ kind: 'progress', stage: 'evaluate', done: results.length, total, unit: 'subjects' });
  }
  return results;
}

async function evaluateCase(options: EvaluationOptions, name: string): Promise<CaseResult> {
  const { cases, methods, judges, store, orbits, signal } = options;
  let one: EvaluationCase;
  try {
    one = await cases.load(name);
  } catch (error) {
    // What is wrong with one subject's data is a result, and the others are measured.
    if (!(error instanceof AvatarError) || error.exitStatus === 1) throw error;
    const failed = { name, rows: {}, truthFailures: [{ frame: null, reason: error.message }] };
    await store.write(failed, null);
    return failed;
  }
  const judge = await judgeCase(judges, one);
  const rows: Record<string, MethodScores> = {};
  const made = new Map<string, readonly Answer[]>();
  const isOrbited = cases.names.indexOf(name) < orbits;
  const heads = isOrbited ? orbitYaws(ORBIT_VIEWS).map((yaw) => turnedTo(one.reference.parameters, yaw)) : [];
  for (const method of methods) {
    signal?.throwIfAborted();
    const startMs = performance.now();
    const answers = await method.answer(one);
    if (answers === null) continue;
    const seconds = method.isTimed ? round((performance.now() - startMs) / 1000) : null;
    made.set(method.name, answers);
    const scores = await judge.score(answers);
    const orbit = heads.length === 0 ? null : ((await method.show?.(one, heads)) ?? null);
    const spread = orbit === null ? Number.NaN : await judge.spread(heads, orbit);
    const whole: Scores = Number.isNaN(spread) ? scores.whole : { ...scores.whole, multiViewMm: spread };
    rows[method.name] = rounded(onlyFigures({ ...scores, whole, seconds }, method.figures ?? METRIC_NAMES));
  }
  const result = { name, rows, truthFailures: judge.truthFailures };
  await store.write(result, caseStrip(one, made, methods[0]!.name));
  return result;
}

/** Leaves out what says nothing of a method. */
function onlyFigures({ frames, whole, ...rest }: MethodScores, figures: readonly MetricName[]): MethodScores {
  const kept = <T extends Scores>(scores: T): T =>
    Object.fromEntries(
      Object.entries(scores).filter(
        ([name]) => figures.includes(name as MetricName) || !METRIC_NAMES.includes(name as MetricName),
      ),
    ) as T;
  return { ...rest, frames: frames.map(kept), whole: kept(whole) };
}

/** Six digits say all that is known, and files stay small. */
function rounded(scores: MethodScores): MethodScores {
  return JSON.parse(
    JSON.stringify(scores, (_, value) => (typeof value === 'number' ? round(value) : value)),
  ) as MethodScores;
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
