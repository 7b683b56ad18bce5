// What steers the model as a video: each frame, the mesh over it with its landmarks, and the feature map.

import { frameCount, type HeadModel, type HeadTrack } from '../head/index.ts';
import { clipPiece, contactSheet, type RgbImage, sizeToFit, type TimeRange } from '../media/index.ts';
import {
  expectWritable,
  loadTracker,
  rangeOfTrack,
  readTrack,
  readVideo,
  renderControl,
  trackFile,
  writeImage,
  writeVideo,
} from '../node/index.ts';
import { stripFrames } from '../report/index.ts';
import { rangeOf } from './clip-piece-options.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { fittedImage } from './track-pictures.ts';
import { averageRate } from './track-rate.ts';

/** What is shown, as the options of `control` name it. */
export type ControlVideoOptions = {
  /** A clip or a `.track`. */
  readonly input: string;
  readonly out: string;
  /** The clip of a track. */
  readonly clip?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Where to write a contact sheet of some frames. */
  readonly sheet?: string | undefined;
  readonly weights?: string | undefined;
};

/** Larger frames are shown smaller: three beside each other would be too wide for players. */
const MAX_SIDE_PX = 1280;
/** Moments of a sheet, and the width of each. */
const SHEET_MOMENTS = 6;
const SHEET_CELL_PX = 720;

/** Tracks where needed, renders and writes all frames. */
export async function writeControlVideo(
  { input, out, clip, from, to, sheet, weights }: ControlVideoOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { emit, loadHead, seed, signal } = context;
  await expectWritable(out);
  if (sheet !== undefined) await expectWritable(sheet);
  const head = await loadHead();
  const isTrack = input.endsWith('.track');
  const track = isTrack
    ? await readTrack(input, head)
    : await trackClip(head, input, rangeOf({ from, to }), context);
  const framesFrom = isTrack ? clip : input;
  using whole = framesFrom === undefined ? null : await readVideo(framesFrom);
  const source = whole && clipPiece(whole, rangeOfTrack(track));
  const box = { width: MAX_SIDE_PX, height: MAX_SIDE_PX };
  const isLarge = Math.max(track.width, track.height) > MAX_SIDE_PX;
  const size = isLarge ? sizeToFit(track, box) : track;
  const sink = await writeVideo(out, {
    width: (source === null ? 2 : 3) * size.width,
    height: size.height,
    framesPerSecond: source?.framesPerSecond ?? averageRate(track),
    sound: source?.sound ?? null,
  });
  if (sink.soundNote !== null) emit({ kind: 'log', level: 'warning', message: sink.soundNote });
  const shown = new Set(sheet === undefined ? [] : stripFrames(track, SHEET_MOMENTS));
  const moments: RgbImage[] = [];
  let frames = 0;
  try {
    const control = renderControl(track, {
      ...{ head, clip: source ?? undefined, weights, seed },
      ...{ maxSidePx: MAX_SIDE_PX, onEvent: emit },
    });
    for await (const { index, timestampSeconds, preview } of control) {
      signal.throwIfAborted();
      const picture = preview();
      await sink.add(picture, timestampSeconds);
      if (shown.has(index)) moments.push(fittedImage(picture, SHEET_CELL_PX));
      frames = index + 1;
    }
    await sink.finish();
  } catch (error) {
    await sink.discard();
    throw error;
  }
  if (sheet !== undefined) await writeImage(sheet, contactSheet(moments, { columns: 2 }));
  const framesTracked = track.confidence.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
  const outputs = sheet === undefined ? [out] : [out, sheet];
  return {
    summary: `${outputs.join(', ')}: ${frames} of ${frameCount(track)} frames, ${framesTracked} tracked`,
    outputs,
    fields: { frames, framesTracked },
  };
}

async function trackClip(
  head: HeadModel,
  path: string,
  range: TimeRange,
  context: CommandContext,
): Promise<HeadTrack> {
  await using tracker = await loadTracker(await context.openDevice(), head);
  return (await trackFile(tracker, head, path, { ...context, range })).track;
}
