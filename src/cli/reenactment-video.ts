// Frames of a reenactment into a file, as they come: the person alone or side by side with portrait and
// driver, a contact sheet of some of them, and how fast it went.

import { type AvatarRenderer, type FittedPortrait, type MotionOptions, reenact } from '../avatar/index.ts';
import type { EventSink } from '../events/index.ts';
import { frameCount, type HeadTrack } from '../head/index.ts';
import { contactSheet, type RgbImage, resizeImage, sideBySide, type VideoSource } from '../media/index.ts';
import { writeImage, writeVideo } from '../node/index.ts';
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
  /** Where to write a contact sheet of the comparison. */
  readonly sheet?: string | undefined;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
};

/** What was written, and how fast. */
export type WrittenReenactment = {
  readonly frames: number;
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
  const sink = await writeVideo(job.out, {
    width: isCompared ? still.width + driverWidth + width : width,
    height,
    framesPerSecond: clip?.framesPerSecond ?? averageRate(track),
    sound: clip?.sound ?? null,
  });
  if (sink.soundNote !== null) emit({ kind: 'log', level: 'warning', message: sink.soundNote });
  const needsDriver = clip !== null && (isCompared || sheet !== undefined);
  const driver = needsDriver ? clip.frames() : null;
  const moments: RgbImage[] = [];
  const startMs = performance.now();
  let firstMs = startMs;
  try {
    for await (const frame of reenact(renderer, portrait.parameters, track, job.motion)) {
      signal.throwIfAborted();
      const { index, timestampSeconds, image: person } = frame;
      if (index === 0) firstMs = performance.now();
      const seen = (await driver?.next())?.value?.image;
      const panels =
        seen === undefined ? [still, person] : [still, resizeImage(seen, driverWidth, height), person];
      await sink.add(isCompared ? sideBySide(panels, height) : person, timestampSeconds);
      if (sheet !== undefined && isShown(index, frames)) moments.push(sideBySide(panels, height));
      emit({ kind: 'progress', stage: 'render', done: index + 1, total: frames, unit: 'frames' });
    }
    await sink.finish();
  } catch (error) {
    await sink.discard();
    throw error;
  } finally {
    await driver?.return();
  }
  const steadySeconds = (performance.now() - firstMs) / 1000;
  if (sheet !== undefined) await writeImage(sheet, contactSheet(moments, { columns: 2 }));
  return {
    frames,
    width: sink.width,
    height: sink.height,
    firstFrameSeconds: (firstMs - startMs) / 1000,
    framesPerSecond: frames > 1 ? (frames - 1) / steadySeconds : 1 / steadySeconds,
  };
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
