// `track` with its files: what is tracked, and what is written of each face.

import { basename, extname } from 'node:path';
import type { EventSink } from '../events/index.ts';
import type { HeadModel } from '../head/index.ts';
import { clipPiece, type TimeRange, type VideoFrameImage } from '../media/index.ts';
import {
  expectWritable,
  type FileTrack,
  loadTracker,
  type OnlineFileTrack,
  readImage,
  readVideo,
  startOfTrack,
  trackFaces,
  trackFile,
  trackFileOnline,
  writeFileAtomic,
  writeTrack,
} from '../node/index.ts';
import { type Doubt, findDoubts, mistrustedFrames } from '../report/index.ts';
import { rangeOf } from './clip-piece-options.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { exporterOf } from './track-export.ts';
import { framesOfImage } from './track-pictures.ts';
import { writeTrackReport } from './track-report.ts';
import { writeTrackSheet } from './track-sheet.ts';

/** The options of `track`, checked. */
export type TrackOptions = {
  readonly input: string;
  readonly out: string;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Counted from 1, from the left. */
  readonly face?: number | undefined;
  readonly allFaces: boolean;
  readonly online: boolean;
  readonly export?: string | undefined;
  readonly report?: string | undefined;
  readonly sheet?: string | undefined;
  readonly focalPx?: number | undefined;
  readonly refine: boolean;
};

/** Tracks and writes. @throws BadInputError for inputs that cannot be used. */
export async function runTracking(options: TrackOptions, context: CommandContext): Promise<CommandResult> {
  const { input, out, from, to, face, allFaces, focalPx, refine } = options;
  const { emit, signal } = context;
  for (const path of [out, options.export, options.report, options.sheet]) {
    if (path !== undefined) await expectWritable(path);
  }
  const device = await context.openDevice();
  const head = await context.loadHead();
  // Before long work: not every head can be written in every format.
  if (options.export !== undefined) exporterOf(options.export, head);
  const range = rangeOf({ from, to });
  const wanted = { emit, signal, focalPx, refine, range };
  await using tracker = await loadTracker(device, head);
  const results = options.online
    ? [await trackFileOnline(tracker, head, input, wanted)]
    : allFaces || face !== undefined
      ? await trackFaces(tracker, input, { ...wanted, face })
      : [await trackFile(tracker, head, input, wanted)];

  const faces: { outputs: string[]; fields: Record<string, unknown>; summary: string }[] = [];
  for (const [i, result] of results.entries()) {
    const suffix = allFaces ? `-${i + 1}` : '';
    const named = (path: string | undefined) => path && withSuffix(path, suffix);
    const outputs = await writeFace(head, result, range, {
      ...options,
      ...{ out: withSuffix(out, suffix), export: named(options.export) },
      ...{ report: named(options.report), sheet: named(options.sheet) },
      ...{ emit, signal, number: allFaces ? i + 1 : face },
    });
    const doubts = findDoubts(result.track, result);
    const fields = fieldsOf(result, doubts);
    faces.push({ outputs, fields, summary: summaryOf(outputs, result, doubts) });
  }
  const [first] = faces;
  return {
    summary: faces.map(({ summary }) => summary).join('\n'),
    outputs: faces.flatMap(({ outputs }) => outputs),
    fields: allFaces
      ? { faces: faces.map(({ outputs, fields }) => ({ outputs, ...fields })) }
      : first!.fields,
  };
}

type FaceFiles = Pick<TrackOptions, 'input' | 'out' | 'export' | 'report' | 'sheet'> & {
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  /** The number of the face, where several were looked at. */
  readonly number: number | undefined;
};

/** Writes what is asked for of one face. @returns the paths */
async function writeFace(
  head: HeadModel,
  result: FileTrack,
  range: TimeRange,
  files: FaceFiles,
): Promise<string[]> {
  const { input, out, report, sheet, emit, signal, number } = files;
  const { track } = result;
  const outputs = [out];
  await writeTrack(out, track);
  if (files.export !== undefined) {
    await writeFileAtomic(files.export, exporterOf(files.export, head)(track));
    outputs.push(files.export);
  }
  if (report === undefined && sheet === undefined) return outputs;
  using pictures = await openPictures(input, result, range);
  const shown = { head, result, framesAt: pictures.framesAt, signal };
  if (report !== undefined) {
    const title = basename(input) + (number === undefined ? '' : `, face ${number}`);
    await writeTrackReport({ ...shown, emit, path: report, title });
    outputs.push(report);
  }
  if (sheet !== undefined) {
    await writeTrackSheet({ ...shown, path: sheet });
    outputs.push(sheet);
  }
  return outputs;
}

type Pictures = Disposable & { framesAt(moments: readonly number[]): AsyncGenerator<VideoFrameImage, void> };

/** The tracked frames again, for pictures of them. */
async function openPictures(
  input: string,
  { framesPerSecond }: FileTrack,
  range: TimeRange,
): Promise<Pictures> {
  if (framesPerSecond === null) {
    const { image } = await readImage(input);
    return { framesAt: framesOfImage(image), [Symbol.dispose]: () => {} };
  }
  const clip = await readVideo(input);
  const { framesAt } = clipPiece(clip, range);
  return { framesAt, [Symbol.dispose]: () => clip[Symbol.dispose]() };
}

function fieldsOf(result: FileTrack | OnlineFileTrack, doubts: readonly Doubt[]): Record<string, unknown> {
  const { frames, framesTracked, framesPerSecond, landmarkErrorMedian, track } = result;
  const seconds = (frame: number): number => startOfTrack(track) + track.timestampsSeconds[frame]!;
  return {
    ...{ frames, framesTracked, framesPerSecond, landmarkErrorMedian },
    ...('latenciesSeconds' in result ? latencyFields(result.latenciesSeconds) : {}),
    shots: result.shots.length + 1,
    framesMistrusted: mistrustedFrames(doubts),
    doubts: doubts.map(({ reason, firstFrame, lastFrame, text }) => ({
      ...{ reason, text, firstFrame, lastFrame },
      ...{ fromSeconds: seconds(firstFrame), toSeconds: seconds(lastFrame) },
    })),
  };
}

/** How long frames waited for their heads, of half and of nearly all. */
function latencyFields(latenciesSeconds: Float64Array): Record<string, number> {
  const sorted = latenciesSeconds.slice().sort();
  const at = (share: number): number => 1000 * sorted[Math.floor(share * sorted.length)]!;
  return { latencyMsMedian: at(0.5), latencyMs95: at(0.95) };
}

function summaryOf(outputs: readonly string[], result: FileTrack, doubts: readonly Doubt[]): string {
  const { frames, framesTracked, landmarkErrorMedian } = result;
  const percent = landmarkErrorMedian === null ? '?' : (100 * landmarkErrorMedian).toFixed(2);
  const wrong = mistrustedFrames(doubts);
  const worst = doubts[0];
  const when = (frame: number): string =>
    `${(startOfTrack(result.track) + result.track.timestampsSeconds[frame]!).toFixed(2)} s`;
  const note =
    worst === undefined
      ? ''
      : `\n  ${wrong} frames to mistrust; gravest first, at ${when(worst.worstFrame)}: ${worst.text}`;
  return `${outputs.join(', ')}: ${framesTracked} of ${frames} frames tracked, landmark error ${percent} % of the eyes' distance${note}`;
}

/** `T-1.track` of `T.track`. */
function withSuffix(path: string, suffix: string): string {
  const ending = extname(path);
  return `${path.slice(0, path.length - ending.length)}${suffix}${ending}`;
}
