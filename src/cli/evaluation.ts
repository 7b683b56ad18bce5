// `evaluate`: the judges and methods are opened, the cases run through, and what came out is said and written.

import { basename, resolve } from 'node:path';
import { openModel } from '../avatar/index.ts';
import {
  type CaseSource,
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
import type { HeadModel } from '../head/index.ts';
import { contactSheet, type RgbImage } from '../media/index.ts';
import {
  datasetCases,
  type EvaluationRequest,
  expectWritable,
  exportCase,
  folderCases,
  folderMethod,
  type LoadedAvatar,
  loadAvatar,
  loadEmbeddedHead,
  loadJudges,
  loadTracker,
  NO_STORE,
  openEvaluationFolder,
  writeImage,
} from '../node/index.ts';
import { createRenderTools, type RenderTools } from '../synthesis/index.ts';
import type { Tracker } from '../tracking/index.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { writeEvaluationReport } from './evaluation-report.ts';

/** The options of `evaluate`, checked. */
export type EvaluateOptions = {
  readonly protocol: Protocol;
  readonly synthetic?: number | undefined;
  readonly data?: string | undefined;
  readonly frames?: string | undefined;
  readonly export?: string | undefined;
  readonly clipFrames: number;
  readonly clips?: number | undefined;
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
/** As many as the paper's protocol takes of VFHQ. */
const USUAL_CLIPS = 50;

/** Runs an evaluation. @throws BadInputError, MissingResourceError for what cannot be used. */
export async function runEvaluation(
  options: EvaluateOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { protocol, out, sheet, frames } = options;
  const { emit, signal } = context;
  if (sheet !== undefined) await expectWritable(sheet);
  const head = await loadEmbeddedHead();
  // Its size is that of the pictures also where others' are measured.
  const avatar = await loadAvatar(head, options.weights);
  const request = requestOf(options, context, avatar);
  const folder = out === undefined ? null : await openEvaluationFolder(out, request);
  if (folder !== null) sayWhatIsKept(folder.path, context);
  const device = await context.openDevice();
  await using tracker = await loadTracker(device, head);
  const tools = createRenderTools(head);
  await using opened = await openCases(options, context, { tools, tracker, avatar });
  const { cases } = opened;
  if (options.export !== undefined) return exportAll(cases, options.export, context);
  await using judges = await loadJudges(device, head, tracker, options);
  await using main = frames === undefined ? await openMain(options, context, head, avatar) : null;
  const first = main?.method ?? folderMethod(frames!, basename(resolve(frames!)));
  const methods: readonly Method[] = [first, liftMethod(tools), copyingMethod, truthMethod];
  const strips: RgbImage[] = [];
  const store = keepingStrips(folder ?? NO_STORE, strips);
  const { orbits } = options;
  const results = await evaluate({ cases, methods, judges, store, orbits, events: emit, signal });
  const summary = summarise(results, first.name);
  const fields = {
    ...fieldsOf(summary),
    judges: { face: options.faceNetwork ?? 'face-descriptor', lpips: options.lpipsTrunk ?? null },
    weights: frames === undefined ? { name: avatar.avatar.name, sha256: avatar.sha256 } : null,
  };
  const outputs =
    folder === null
      ? []
      : await writeEvaluationReport({ folder, protocol, request, results, summary, fields });
  if (sheet !== undefined && strips.length > 0) outputs.push(await writeSheet(sheet, strips));
  const page = outputs.find((path) => path.endsWith('.html'));
  const table = markdownTable(summary).trimEnd();
  return {
    summary: `${summary.subjects} subjects, head region, mean [95 % interval]:\n${table}${page === undefined ? '' : `\n\nThe report with pictures and plots: ${page}`}`,
    outputs,
    fields,
  };
}

/** At once, since the subject at work may take longer than an interrupt waits for. */
function sayWhatIsKept(path: string, { emit, signal }: CommandContext): void {
  const message = `${path}: finished subjects are kept; the same command goes on.`;
  signal.addEventListener('abort', () => emit({ kind: 'log', level: 'info', message }), { once: true });
}

type Opened = { readonly tools: RenderTools; readonly tracker: Tracker; readonly avatar: LoadedAvatar };

async function openCases(
  options: EvaluateOptions,
  context: CommandContext,
  { tools, tracker, avatar }: Opened,
): Promise<AsyncDisposable & { readonly cases: CaseSource }> {
  const { protocol, synthetic, data, frames, clipFrames, clips = USUAL_CLIPS } = options;
  const sizePx = avatar.avatar.config.size;
  const kept = (cases: CaseSource) => ({ cases, [Symbol.asyncDispose]: async () => {} });
  if (synthetic !== undefined) {
    const seed = seedOf(context);
    return kept(syntheticCases({ protocol, tools, tracker, subjects: synthetic, seed, sizePx, clipFrames }));
  }
  if (data === undefined) return kept(await folderCases({ path: frames!, protocol, tools, tracker }));
  const { emit } = context;
  const cases = await datasetCases({ path: data, protocol, tools, tracker, sizePx, clipFrames, clips, emit });
  return { cases, [Symbol.asyncDispose]: () => cases[Symbol.asyncDispose]() };
}

async function openMain(
  { protocol, steps }: EvaluateOptions,
  { openDevice }: CommandContext,
  head: HeadModel,
  avatar: LoadedAvatar,
): Promise<AsyncDisposable & { readonly method: Method }> {
  const model = await openModel({
    ...avatar,
    head,
    device: await openDevice(),
    ...(protocol === 'novel-view' ? { windowFrames: 1 } : {}),
    ...(steps === undefined ? {} : { steps }),
  });
  return { method: modelMethod(model), [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
}

async function exportAll(
  cases: CaseSource,
  path: string,
  { emit, signal }: CommandContext,
): Promise<CommandResult> {
  let frames = 0;
  for (const [i, name] of cases.names.entries()) {
    signal.throwIfAborted();
    const one = await cases.load(name);
    await exportCase(path, one);
    frames += one.targets.length;
    emit({ kind: 'progress', stage: 'export', done: i + 1, total: cases.names.length, unit: 'subjects' });
  }
  return {
    summary: `${path}: ${cases.names.length} subjects, ${frames} pictures to answer`,
    outputs: [path],
    fields: { subjects: cases.names.length, frames },
  };
}

const seedOf = ({ seed }: CommandContext): number =>
  seed < FIRST_HELD_OUT_SEED ? FIRST_HELD_OUT_SEED + seed : seed;

/** What tells this evaluation from others; only what is given, so that options added later change no earlier one. */
function requestOf(
  options: EvaluateOptions,
  context: CommandContext,
  avatar: LoadedAvatar,
): EvaluationRequest {
  const { protocol, synthetic, data, frames, clipFrames, orbits, steps, faceNetwork, lpipsTrunk } = options;
  const { clips = USUAL_CLIPS } = options;
  const all = {
    protocol,
    synthetic,
    seed: synthetic === undefined ? undefined : seedOf(context),
    data,
    clips: data === undefined ? undefined : clips,
    clipFrames,
    orbits,
    frames,
    weights: frames === undefined ? avatar.sha256 : undefined,
    ...{ steps, faceNetwork, lpipsTrunk },
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
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

async function writeSheet(path: string, strips: readonly RgbImage[]): Promise<string> {
  const { width, height } = strips[0]!;
  await writeImage(path, contactSheet(strips, { columns: 2, cellWidth: width, cellHeight: height }));
  return path;
}

function fieldsOf({
  rows,
  subjects,
  frames,
  differences,
  failureList,
}: EvaluationSummary): Record<string, unknown> {
  const [main, ...others] = rows;
  const rates = rows.flatMap(({ name, framesPerSecond }) =>
    framesPerSecond === null ? [] : [[name, framesPerSecond] as const],
  );
  return {
    ...{ subjects, frames },
    failures: failureList.length,
    failureList,
    metrics: main?.metrics ?? {},
    ...Object.fromEntries(others.map(({ name, metrics }) => [name, metrics])),
    differences,
    framesPerSecond: Object.fromEntries(rates),
  };
}
