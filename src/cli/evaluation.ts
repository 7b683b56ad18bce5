// `evaluate`: the judges and methods are opened, the cases run through, and what came out is said and written.

import { openModel } from '../avatar/index.ts';
import { BadInputError } from '../errors/index.ts';
import {
  type CaseStore,
  copyingMethod,
  type EvaluationSummary,
  evaluate,
  liftMethod,
  type Method,
  markdownTable,
  modelMethod,
  type Protocol,
  summarise,
  syntheticCases,
  truthMethod,
} from '../evaluation/index.ts';
import { contactSheet, type RgbImage } from '../media/index.ts';
import {
  type EvaluationFolder,
  expectWritable,
  loadAvatar,
  loadEmbeddedHead,
  loadJudges,
  loadTracker,
  NO_STORE,
  openEvaluationFolder,
  writeImage,
} from '../node/index.ts';
import { createRenderTools } from '../synthesis/index.ts';
import type { CommandContext, CommandResult } from './command.ts';

/** The options of `evaluate`, checked. */
export type EvaluateOptions = {
  readonly protocol: Protocol;
  readonly synthetic?: number | undefined;
  readonly clipFrames: number;
  readonly orbits: number;
  readonly out?: string | undefined;
  readonly weights?: string | undefined;
  readonly steps?: number | undefined;
  readonly faceNetwork?: string | undefined;
  readonly lpipsTrunk?: string | undefined;
  readonly sheet?: string | undefined;
};

/** Subjects from this seed on are in no training data. */
const FIRST_HELD_OUT_SEED = 500_000;
const SHEET_STRIPS = 12;

/** Runs an evaluation. */
export async function runEvaluation(
  options: EvaluateOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { protocol, synthetic, out, sheet, clipFrames, orbits } = options;
  const { emit, signal } = context;
  if (synthetic === undefined) {
    throw new BadInputError({
      code: 'missing-option',
      message: '--synthetic is missing: nothing says which subjects are evaluated.',
      hint: 'Add --synthetic N.',
    });
  }
  if (sheet !== undefined) await expectWritable(sheet);
  const head = await loadEmbeddedHead();
  const loaded = await loadAvatar(head, options.weights);
  const seed = context.seed < FIRST_HELD_OUT_SEED ? FIRST_HELD_OUT_SEED + context.seed : context.seed;
  const folder: EvaluationFolder | null =
    out === undefined
      ? null
      : await openEvaluationFolder(out, {
          protocol,
          synthetic,
          seed,
          clipFrames,
          orbits,
          weights: loaded.sha256,
          steps: options.steps ?? null,
          faceNetwork: options.faceNetwork ?? null,
          lpipsTrunk: options.lpipsTrunk ?? null,
        });
  const device = await context.openDevice();
  await using tracker = await loadTracker(device, head);
  await using judges = await loadJudges(device, head, tracker, options);
  await using model = await openModel({
    ...loaded,
    head,
    device,
    ...(protocol === 'novel-view' ? { windowFrames: 1 } : {}),
    ...(options.steps === undefined ? {} : { steps: options.steps }),
  });
  const tools = createRenderTools(head);
  const methods: Method[] = [modelMethod(model), liftMethod(tools), copyingMethod, truthMethod];
  const strips: RgbImage[] = [];
  const store: CaseStore = keepingStrips(folder ?? NO_STORE, strips);
  const results = await evaluate({
    cases: syntheticCases({
      ...{ protocol, tools, tracker, seed, clipFrames },
      subjects: synthetic,
      sizePx: loaded.avatar.config.size,
    }),
    ...{ methods, judges, store, orbits, events: emit, signal },
  });
  const summary = summarise(results, methods[0]!.name);
  const outputs: string[] = [];
  if (sheet !== undefined && strips.length > 0) {
    const { width, height } = strips[0]!;
    const shown = strips.slice(0, SHEET_STRIPS);
    await writeImage(sheet, contactSheet(shown, { columns: 2, cellWidth: width, cellHeight: height }));
    outputs.push(sheet);
  }
  return {
    summary: textOf(summary),
    outputs,
    fields: {
      ...fieldsOf(summary),
      weights: { name: loaded.avatar.name, sha256: loaded.sha256 },
    },
  };
}

function keepingStrips(store: CaseStore, strips: RgbImage[]): CaseStore {
  return {
    read: (name) => store.read(name),
    async write(result, strip) {
      if (strip !== null && strips.length < SHEET_STRIPS) strips.push(strip);
      await store.write(result, strip);
    },
  };
}

function fieldsOf({
  rows,
  subjects,
  frames,
  differences,
  failureList,
}: EvaluationSummary): Record<string, unknown> {
  const [main, ...others] = rows;
  return {
    subjects,
    frames,
    failures: failureList.length,
    failureList,
    metrics: main!.metrics,
    ...Object.fromEntries(others.map(({ name, metrics }) => [name, metrics])),
    differences,
    framesPerSecond: Object.fromEntries(
      rows.flatMap(({ name, framesPerSecond }) =>
        framesPerSecond === null ? [] : [[name, framesPerSecond]],
      ),
    ),
  };
}

function textOf(summary: EvaluationSummary): string {
  return `${summary.subjects} subjects, head region, mean [95 % interval]:\n${markdownTable(summary)}`.trimEnd();
}
