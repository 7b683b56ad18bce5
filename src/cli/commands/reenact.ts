// `reenact --portrait P --driving CLIP --out O.mp4`: the main job. The person of the portrait makes the
// motion of the clip. Frames stream from the tracker's result through the renderer into the file; the
// driving clip is read a second time for its sound and the comparison, never held.

import { z } from 'zod';
import {
  type AvatarRenderer,
  createPreviewRenderer,
  type FittedPortrait,
  reenact,
} from '../../avatar/index.ts';
import { MissingResourceError } from '../../errors/index.ts';
import { frameCount, type HeadModel, type HeadTrack } from '../../head/index.ts';
import {
  contactSheet,
  type RgbImage,
  resizeImage,
  sideBySide,
  type VideoFrameImage,
  type VideoSource,
} from '../../media/index.ts';
import {
  expectWritable,
  loadEmbeddedHead,
  openTracker,
  readImage,
  readVideo,
  writeImage,
  writeVideo,
} from '../../node/index.ts';
import { type CliCommand, type CommandContext, defineCommand } from '../command.ts';
import { flag, inputFile, integer, outputFile, real } from '../option-types.ts';

const OPTIONS = z.object({
  portrait: inputFile('picture of the person to show'),
  driving: inputFile('clip whose motion the person makes'),
  out: outputFile('the video to write', '.mp4'),
  size: integer('width and height of the person, pixels', { min: 64, max: 1024, multipleOf: 8 }).default(256),
  compare: flag('show portrait, driving clip and result side by side'),
  sheet: outputFile('also write a contact sheet of the comparison', '.png').optional(),
  preview: flag('carry the portrait by geometry alone, without the network'),
  steps: integer('denoising steps of the network', { min: 1, max: 1000 }).optional(),
  guidance: real('guidance scale of the network', { min: 0, max: 30 }).optional(),
});
type ReenactOptions = z.output<typeof OPTIONS>;

export const command: CliCommand = defineCommand({
  summary: 'make the person of a portrait move as a driving clip does',
  options: OPTIONS,
  examples: [
    'reenact --portrait anna.jpg --driving speech.mp4 --out anna-speaks.mp4',
    'reenact --portrait anna.jpg --driving speech.mp4 --out look.mp4 --compare --preview',
  ],
  async run(options, context) {
    await expectWritable(options.out);
    if (options.sheet !== undefined) await expectWritable(options.sheet);
    const seconds = createStopwatch();
    const head = await loadEmbeddedHead();
    using clip = await readVideo(options.driving);
    const { portrait, track } = await trackBoth(head, options.portrait, clip, context);
    seconds.lap('tracking');
    const renderer = await createRenderer(head, portrait, options, context);
    seconds.lap('preparation');
    const written = await writeFrames({ clip, portrait, track, renderer, options, context });
    seconds.lap('rendering');

    const { width, height, firstFrameSeconds, steadyFramesPerSecond } = written;
    const frames = frameCount(track);
    const outputs = options.sheet === undefined ? [options.out] : [options.out, options.sheet];
    return {
      summary: `${outputs.join(', ')}: ${frames} frames, ${width} x ${height}, ${steadyFramesPerSecond.toFixed(1)} a second`,
      outputs,
      fields: {
        frames,
        width,
        height,
        framesPerSecond: steadyFramesPerSecond,
        firstFrameSeconds,
        secondsByStage: seconds.laps,
        weights: renderer.weights,
      },
    };
  },
});

async function trackBoth(
  head: HeadModel,
  portraitPath: string,
  clip: VideoSource,
  { openDevice, emit, signal }: CommandContext,
): Promise<{ portrait: FittedPortrait; track: HeadTrack }> {
  const { image, notes } = await readImage(portraitPath);
  for (const message of notes) emit({ kind: 'log', level: 'warning', message });
  await using tracker = await openTracker(head, await openDevice());
  const { parameters, focalPx } = await tracker.trackImage(image, { onEvent: emit });
  signal.throwIfAborted();
  const { track } = await tracker.trackClip(untilAborted(clip.frames(), signal), {
    onEvent: emit,
    frameCountEstimate: clip.frameCountEstimate,
  });
  return { portrait: { image, parameters, focalPx }, track };
}

async function createRenderer(
  head: HeadModel,
  portrait: FittedPortrait,
  { preview, size }: ReenactOptions,
  _context: CommandContext,
): Promise<AvatarRenderer> {
  if (preview) return createPreviewRenderer(head, portrait, { sizePx: size });
  throw new MissingResourceError({
    code: 'no-weights',
    message: 'Expected trained weights, but this version ships none.',
    hint: 'Add --preview to carry the portrait by geometry alone.',
  });
}

type Writing = {
  readonly clip: VideoSource;
  readonly portrait: FittedPortrait;
  readonly track: HeadTrack;
  readonly renderer: AvatarRenderer;
  readonly options: ReenactOptions;
  readonly context: CommandContext;
};

/** How many rows a contact sheet has. */
const SHEET_ROWS = 12;

async function writeFrames({ clip, portrait, track, renderer, options, context }: Writing) {
  const { emit, signal } = context;
  const { sizePx } = renderer;
  const frames = frameCount(track);
  const needsDriver = options.compare || options.sheet !== undefined;
  const driver = needsDriver ? clip.frames() : null;
  const still = sideBySide([portrait.image], sizePx);
  const panelWidth = still.width + Math.round((clip.width * sizePx) / clip.height) + sizePx;
  const sink = await writeVideo(options.out, {
    width: options.compare ? panelWidth : sizePx,
    height: sizePx,
    framesPerSecond: clip.framesPerSecond,
    sound: clip.sound,
  });
  if (sink.soundNote !== null) emit({ kind: 'log', level: 'warning', message: sink.soundNote });
  const sheetCells: RgbImage[] = [];
  const startMs = performance.now();
  let firstMs = startMs;
  let lastMs = startMs;
  try {
    for await (const { index, timestampSeconds, image } of reenact(renderer, portrait.parameters, track)) {
      signal.throwIfAborted();
      lastMs = performance.now();
      if (index === 0) firstMs = lastMs;
      const seen = driver === null ? null : await nextImage(driver);
      const panel = seen === null ? null : sideBySide([still, seen, image], sizePx);
      await sink.add(options.compare && panel !== null ? panel : image, timestampSeconds);
      if (seen !== null && isSheetRow(index, frames)) sheetCells.push(still, seen, image);
      emit({ kind: 'progress', stage: 'render', done: index + 1, total: frames, unit: 'frames' });
    }
    await sink.finish();
  } catch (error) {
    await sink.discard();
    throw error;
  } finally {
    await driver?.return();
  }
  if (options.sheet !== undefined) {
    const cells = sheetCells.map((cell) =>
      resizeImage(cell, Math.round((cell.width * sizePx) / cell.height), sizePx),
    );
    await writeImage(
      options.sheet,
      contactSheet(cells, { columns: 6, cellWidth: sizePx, cellHeight: sizePx }),
    );
  }
  const steadySeconds = (lastMs - firstMs) / 1000;
  return {
    width: sink.width,
    height: sink.height,
    firstFrameSeconds: (firstMs - startMs) / 1000,
    steadyFramesPerSecond: frames > 1 && steadySeconds > 0 ? (frames - 1) / steadySeconds : 0,
  };
}

async function nextImage(frames: AsyncGenerator<VideoFrameImage, void, undefined>): Promise<RgbImage | null> {
  const step = await frames.next();
  return step.done ? null : step.value.image;
}

/** Whether a frame is among those spread evenly over the clip for the sheet. */
function isSheetRow(index: number, frames: number): boolean {
  const rows = Math.min(SHEET_ROWS, frames);
  return Math.floor(((index + 1) * rows) / frames) > Math.floor((index * rows) / frames);
}

async function* untilAborted<T>(
  items: AsyncGenerator<T, void, undefined>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  for await (const item of items) {
    signal.throwIfAborted();
    yield item;
  }
}

/** Seconds by stage, in the order of the stages. */
function createStopwatch(): { readonly laps: Record<string, number>; lap(stage: string): void } {
  const laps: Record<string, number> = {};
  let startMs = performance.now();
  return {
    laps,
    lap(stage) {
      const now = performance.now();
      laps[stage] = Number(((now - startMs) / 1000).toFixed(3));
      startMs = now;
    },
  };
}
