// The main job with files: every portrait makes the motion of every driver. Portraits are fitted and clips are
// tracked once, the network is opened once; the frames are written as they come.

import { mkdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { FittedPortrait } from '../avatar/index.ts';
import { BadInputError } from '../errors/index.ts';
import { decodeHeadTrack, type HeadModel, type HeadTrack } from '../head/index.ts';
import { clipPiece, type VideoSource } from '../media/index.ts';
import {
  expectWritable,
  findParts,
  isFinished,
  loadTracker,
  readTrack,
  readVideo,
  trackFaces,
  trackFile,
  type VideoWork,
} from '../node/index.ts';
import type { Tracker } from '../tracking/index.ts';
import { contradictoryOptions } from './arguments.ts';
import { type PieceChoices, rangeOf } from './clip-piece-options.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { type MotionChoices, motionOptions } from './motion-options.ts';
import { chosenModel, fitPortrait, naming, openRenderers } from './portrait-renderer.ts';
import { type WrittenReenactment, writeReenactment } from './reenactment-video.ts';
import { reenactmentWorks } from './reenactment-works.ts';
import type { RendererChoices } from './renderer-options.ts';
import { startStopwatch } from './stopwatch.ts';

/** The options of `reenact`, checked. */
export type ReenactOptions = MotionChoices &
  PieceChoices &
  RendererChoices & {
    readonly portrait: readonly string[];
    /** Clips or `.track` files. */
    readonly driving: readonly string[];
    /** A video; the folder for them where there are several. */
    readonly out: string;
    readonly face?: number | undefined;
    readonly compare: boolean;
    readonly sheet?: string | undefined;
  };

/** One video to make. */
export type ReenactmentJob = { readonly portrait: string; readonly driving: string; readonly out: string };

/** Runs the main job. @throws BadInputError, MissingResourceError for inputs that cannot be used. */
export async function runReenactment(
  options: ReenactOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { driving, sheet, compare } = options;
  const { emit, signal } = context;
  const jobs = await plannedJobs(options);
  for (const { out } of jobs) await expectWritable(out);
  if (sheet !== undefined) await expectWritable(sheet);
  const watch = startStopwatch();
  const head = await context.loadHead();
  for (const path of driving) await expectDriver(path, options, context);
  const model = await chosenModel(head, options, emit);
  const works = await reenactmentWorks(jobs, head, model, options, context);
  // A sheet shows moments of the whole video, so it is made in one go.
  const workOf = ({ out }: ReenactmentJob): VideoWork | null =>
    sheet === undefined ? works.get(out)! : null;
  const finished = new Set<ReenactmentJob>();
  if (jobs.length > 1) {
    for (const job of jobs) if (await isFinished(works.get(job.out)!)) finished.add(job);
  }
  const open = jobs.filter((job) => !finished.has(job));
  const { portraits, tracks } = await trackAll(head, open, workOf, options, context);
  watch.lap('tracking');
  await using renderers = await openRenderers(head, model, options, context);
  const firstRenderer =
    open[0] === undefined ? null : await renderers.rendererOf(portraits.get(open[0].portrait)!);
  signal.throwIfAborted();
  watch.lap('preparation');
  const weights = model === null ? null : { name: model.name, sha256: model.sha256 };
  const written: WrittenReenactment[] = [];
  for (const job of jobs) {
    if (finished.has(job)) {
      written.push(await finishedReenactment(job.out));
      continue;
    }
    const portrait = portraits.get(job.portrait)!;
    using clip = isTrack(job.driving) ? null : await openDriver(job.driving, options);
    const renderer =
      job === open[0] && firstRenderer !== null ? firstRenderer : await renderers.rendererOf(portrait);
    const track = tracks.get(job.driving)!;
    written.push(
      await writeReenactment({
        ...{ renderer, portrait, track, clip, out: job.out, sheet, emit, signal },
        motion: motionOptions(options),
        isCompared: compare,
        work: workOf(job),
      }),
    );
  }
  watch.lap('rendering');

  const outputs = jobs.map(({ out }) => out);
  const { secondsByStage } = watch;
  const videos = jobs.map((job, i) => ({ ...job, ...written[i]! }));
  return {
    summary: videos
      .map(
        ({ out, frames, width, height, framesPerSecond: rate, resumedFromFrame }) =>
          `${out}: ${frames} frames, ${width} x ${height}, ${resumedFromFrame === frames ? 'already there' : `made at ${rate.toFixed(1)} a second`}`,
      )
      .join('\n'),
    outputs: sheet === undefined ? outputs : [...outputs, sheet],
    fields: {
      ...(jobs.length === 1 ? written[0] : { videos }),
      ...{ secondsByStage, weights },
    },
  };
}

const isTrack = (path: string): boolean => path.toLowerCase().endsWith('.track');
const isVideoName = (path: string): boolean => path.toLowerCase().endsWith('.mp4');

/** Which videos are asked for, and under which names. */
async function plannedJobs({ portrait, driving, out, sheet }: ReenactOptions): Promise<ReenactmentJob[]> {
  const pairs = portrait.flatMap((person) =>
    driving.map((driver) => ({ portrait: person, driving: driver })),
  );
  const isFolder = (await stat(out).catch(() => null))?.isDirectory() ?? false;
  if (pairs.length === 1) {
    if (!isVideoName(out) || isFolder) {
      throw new BadInputError({
        code: isFolder ? 'output-is-folder' : 'bad-option',
        message: isFolder
          ? `Expected a file name to write to, but ${out} is a folder.`
          : `--out expects a file name that ends in .mp4, got "${out}".`,
        hint: `Write --out ${join(isFolder ? out : '', isFolder ? 'video.mp4' : `${out}.mp4`)}.`,
      });
    }
    return [{ ...pairs[0]!, out }];
  }
  if (isVideoName(out) || sheet !== undefined) {
    throw contradictoryOptions(
      `${pairs.length} videos are asked for, but ${sheet === undefined ? `--out ${out}` : '--sheet'} is one file.`,
      sheet === undefined
        ? 'Name a folder with --out, or one portrait and one clip.'
        : 'Leave --sheet out, or name one portrait and one clip.',
    );
  }
  const jobs = pairs.map((pair) => ({
    ...pair,
    out: join(out, `${stem(pair.portrait)}-${stem(pair.driving)}.mp4`),
  }));
  const names = new Set<string>();
  for (const { out: path } of jobs) {
    if (names.has(path)) {
      throw new BadInputError({
        code: 'same-output',
        message: `Two of the videos would both be ${path}: two inputs have one name.`,
        hint: 'Rename one of them, or make the videos in two runs.',
      });
    }
    names.add(path);
  }
  await mkdir(out, { recursive: true }).catch(() => {}); // `expectWritable` says what is wrong with it.
  return jobs;
}

const stem = (path: string): string => basename(path, extname(path));

/** The part of a clip that drives. @throws BadInputError if it is no clip, or has no such part */
async function openDriver(path: string, piece: PieceChoices): Promise<VideoSource> {
  const clip = await readVideo(path);
  try {
    return clipPiece(clip, rangeOf(piece));
  } catch (error) {
    clip[Symbol.dispose]();
    throw error;
  }
}

/** Looks into a driver before long work. */
async function expectDriver(path: string, options: ReenactOptions, { emit }: CommandContext): Promise<void> {
  const { compare, sheet } = options;
  if (!isTrack(path)) {
    using _clip = await openDriver(path, options);
    return;
  }
  if (!compare && sheet === undefined) return;
  const message = `${path} holds no pictures: the comparison shows portrait and result alone.`;
  emit({ kind: 'log', level: 'warning', message });
}

/** A video that an earlier run of the same work finished. */
async function finishedReenactment(path: string): Promise<WrittenReenactment> {
  using video = await readVideo(path);
  const { width, height, frameCountEstimate: frames } = video;
  return { frames, resumedFromFrame: frames, width, height, framesPerSecond: 0, firstFrameSeconds: 0 };
}

/** The portraits and drivers of these jobs, by path. A track that an interrupted run left is not found again. */
async function trackAll(
  head: HeadModel,
  jobs: readonly ReenactmentJob[],
  workOf: (job: ReenactmentJob) => VideoWork | null,
  options: ReenactOptions,
  { openDevice, emit, signal }: CommandContext,
): Promise<{
  portraits: ReadonlyMap<string, FittedPortrait>;
  tracks: ReadonlyMap<string, HeadTrack>;
}> {
  const portraits = new Map<string, FittedPortrait>();
  const tracks = new Map<string, HeadTrack>();
  for (const job of jobs) {
    if (tracks.has(job.driving)) continue;
    const work = workOf(job);
    const kept = isTrack(job.driving) || work === null ? null : (await findParts(work)).kept;
    if (isTrack(job.driving)) tracks.set(job.driving, await readTrack(job.driving, head));
    else if (kept !== null) tracks.set(job.driving, decodeHeadTrack(kept, job.driving));
  }
  if (jobs.length === 0) return { portraits, tracks };
  await using tracker = await loadTracker(await openDevice(), head);
  for (const { portrait: path } of jobs) {
    if (portraits.has(path)) continue;
    portraits.set(path, await fitPortrait(tracker, path, options, emit));
    signal.throwIfAborted();
  }
  for (const { driving: path } of jobs) {
    if (tracks.has(path)) continue;
    tracks.set(path, await trackDriver(tracker, head, path, options, { emit, signal }));
  }
  return { portraits, tracks };
}

async function trackDriver(
  tracker: Tracker,
  head: HeadModel,
  path: string,
  options: ReenactOptions,
  { emit, signal }: Pick<CommandContext, 'emit' | 'signal'>,
): Promise<HeadTrack> {
  const { face } = options;
  const wanted = { emit: naming(path, emit), signal, range: rangeOf(options) };
  if (face === undefined) return (await trackFile(tracker, head, path, wanted)).track;
  const [chosen] = await trackFaces(tracker, path, { ...wanted, face });
  return chosen!.track;
}
