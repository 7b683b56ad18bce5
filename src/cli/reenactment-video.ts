// Frames of a reenactment into a file, as they come: the person alone or side by side with portrait and
// driver, a contact sheet of some of them, and how fast it went.

import { type AvatarRenderer, type FittedPortrait, type MotionOptions, reenact } from '../avatar/index.ts';
import type { EventSink } from '../events/index.ts';
import { encodeHeadTrack, frameCount, type HeadTrack } from '../head/index.ts';
import { contactSheet, type RgbImage, resizeImage, sideBySide, type VideoSource } from '../media/index.ts';
import { findParts, type VideoWork, writeImage, writeVideo, writeVideoInParts } from '../node/index.ts';
import { averageRate } from './track-rate.ts';

/** What is written, and from what. */
export type Reenactment = {
  readonly renderer: AvatarRenderer;
  readonly portrait: FittedPortrait;
  readonly track: HeadTrack;
  /** The driving clip, for its sound and the comparison; null where only its track is known. */
  readonly clip: VideoSource | null;
  readonly out: string;
  readonly motion: MotionOptions;
  readonly isCompared: boolean;
  /** Whether the contact sheet shows the person alone; else the comparison. */
  readonly isSheetAlone?: boolean;
  /** Where to write a contact sheet. */
  readonly sheet?: string | undefined;
  /** Writes in parts that an interrupt leaves and the next run goes on from; null does without. */
  readonly work?: VideoWork | null;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
};

/** What was written, and how fast. */
export type WrittenReenactment = {
  readonly frames: number;
  /** Frames that an interrupted run had finished. */
  readonly resumedFromFrame: number;
  readonly width: number;
  readonly height: number;
  readonly firstFrameSeconds: number;
  /** After the first frame, writing included. */
  readonly framesPerSecond: number;
};

/** How many moments a contact sheet shows. */
const SHEET_MOMENTS = 12;

/** Renders and writes all frames. Memory does not grow with their number. */
export async function writeReenactment(job: Reenactment): Promise<WrittenReenactment> {
  const { renderer, portrait, track, clip, isCompared, sheet, emit, signal } = job;
  const { width, height } = renderer;
  const frames = frameCount(track);
  const still = sideBySide([portrait.image], height);
  const driverWidth = clip === null ? 0 : widthAt(clip, height);
  const options = {
    width: isCompared ? still.width + driverWidth + width : width,
    height,
    framesPerSecond: clip?.framesPerSecond ?? averageRate(track),
    sound: clip?.sound ?? null,
  };
  const work = job.work ?? null;
  const fromFrame = work === null ? 0 : (await findParts(work)).frames;
  const sink =
    work === null
      ? await writeVideo(job.out, options)
      : await writeVideoInParts(work, options, {
          timestampsSeconds: track.timestampsSeconds,
          kept: clip === null ? null : encodeHeadTrack(track),
        });
  if (sink.soundNote !== null) emit({ kind: 'log', level: 'warning', message: sink.soundNote });
  const needsDriver = clip !== null && (isCompared || sheet !== undefined);
  const driver = needsDriver ? clip.frames({ fromSeconds: track.timestampsSeconds[fromFrame] ?? 0 }) : null;
  if (fromFrame > 0) {
    emit({ kind: 'log', level: 'info', message: `${job.out}: goes on after ${fromFrame} finished frames.` });
  }
  const moments: RgbImage[] = [];
  const startMs = performance.now();
  let firstMs = startMs;
  try {
    for await (const frame of reenact(renderer, portrait.parameters, track, {
      ...job.motion,
      fromFrame,
    })) {
      signal.throwIfAborted();
      const { index, timestampSeconds, image: person } = frame;
      if (index === fromFrame) firstMs = performance.now();
      const seen = (await driver?.next())?.value?.image;
      const panels =
        seen === undefined ? [still, person] : [still, resizeImage(seen, driverWidth, height), person];
      await sink.add(isCompared ? sideBySide(panels, height) : person, timestampSeconds);
      if (sheet !== undefined && isShown(index, frames))
        moments.push(job.isSheetAlone ? person : sideBySide(panels, height));
      emit({ kind: 'progress', stage: 'render', done: index + 1, total: frames, unit: 'frames' });
    }
    await sink.finish();
  } catch (error) {
    await sink.discard();
    if (work !== null && signal.aborted) await reportKept(work, emit);
    throw error;
  } finally {
    await driver?.return();
  }
  const steadySeconds = (performance.now() - firstMs) / 1000;
  if (sheet !== undefined)
    await writeImage(sheet, contactSheet(moments, { columns: job.isSheetAlone ? 4 : 2 }));
  const made = frames - fromFrame;
  return {
    frames,
    resumedFromFrame: fromFrame,
    width: sink.width,
    height: sink.height,
    firstFrameSeconds: (firstMs - startMs) / 1000,
    framesPerSecond: (made > 1 ? made - 1 : made) / steadySeconds,
  };
}

async function reportKept(work: VideoWork, emit: EventSink): Promise<void> {
  const { frames } = await findParts(work);
  if (frames === 0) return;
  const message = `${work.path}: ${frames} finished frames are kept in ${work.path}.parts; the same command goes on.`;
  emit({ kind: 'log', level: 'info', message });
}

const widthAt = (
  { width, height }: { readonly width: number; readonly height: number },
  toHeight: number,
): number => Math.max(1, Math.round((width * toHeight) / height));

/** Whether a frame is among those spread evenly over the clip for the sheet. */
function isShown(index: number, frames: number): boolean {
  const moments = Math.min(SHEET_MOMENTS, frames);
  return Math.floor(((index + 1) * moments) / frames) > Math.floor((index * moments) / frames);
}
