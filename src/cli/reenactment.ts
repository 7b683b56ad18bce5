// The main job with files: portrait and driver are tracked, the renderer is opened, the frames are written.

import { existsSync } from 'node:fs';
import {
  type AvatarRenderer,
  createModelRenderer,
  createPreviewRenderer,
  type FittedPortrait,
} from '../avatar/index.ts';
import { MissingResourceError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import type { HeadModel, HeadTrack } from '../head/index.ts';
import type { VideoSource } from '../media/index.ts';
import {
  expectWritable,
  type LoadedAvatar,
  loadAvatar,
  loadTracker,
  readImage,
  readTrack,
  readVideo,
  SHIPPED_AVATAR,
  trackFile,
} from '../node/index.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { writeReenactment } from './reenactment-video.ts';
import { startStopwatch } from './stopwatch.ts';

/** The options of `reenact`, checked. */
export type ReenactOptions = {
  readonly portrait: string;
  /** A clip or a `.track`. */
  readonly driving: string;
  readonly out: string;
  /** Side of the person's picture, pixels. */
  readonly size?: number | undefined;
  readonly compare: boolean;
  readonly sheet?: string | undefined;
  readonly preview: boolean;
  readonly weights?: string | undefined;
  readonly steps?: number | undefined;
  readonly guidance?: number | undefined;
};

/** Side of a preview's pictures where no size is asked for. */
const PREVIEW_SIZE_PX = 256;

/** Runs the main job. @throws BadInputError, MissingResourceError for inputs that cannot be used. */
export async function runReenactment(
  options: ReenactOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { driving, out, sheet, compare } = options;
  const { emit, signal } = context;
  await expectWritable(out);
  if (sheet !== undefined) await expectWritable(sheet);
  const watch = startStopwatch();
  const head = await context.loadHead();
  using clip = driving.endsWith('.track') ? null : await readVideo(driving);
  if (clip === null && (compare || sheet !== undefined)) {
    const message = `${driving} holds no pictures: the comparison shows portrait and result alone.`;
    emit({ kind: 'log', level: 'warning', message });
  }
  const avatar = options.preview ? null : await loadWeights(head, options.weights);
  const { portrait, track } = await trackBoth(head, clip, options, context);
  signal.throwIfAborted();
  watch.lap('tracking');
  await using renderer = await openRenderer(head, portrait, avatar, options, context);
  signal.throwIfAborted();
  watch.lap('preparation');
  const sizePx = options.size ?? renderer.sizePx;
  const written = await writeReenactment({
    ...{ renderer, portrait, track, clip, out, sizePx, sheet, emit, signal },
    isCompared: compare,
  });
  watch.lap('rendering');

  const { frames, width, height, framesPerSecond, firstFrameSeconds } = written;
  const outputs = sheet === undefined ? [out] : [out, sheet];
  const { secondsByStage } = watch;
  const { weights } = renderer;
  return {
    summary: `${outputs.join(', ')}: ${frames} frames, ${width} x ${height}, made at ${framesPerSecond.toFixed(1)} a second`,
    outputs,
    fields: { frames, width, height, framesPerSecond, firstFrameSeconds, secondsByStage, weights },
  };
}

async function trackBoth(
  head: HeadModel,
  clip: VideoSource | null,
  { portrait: path, driving }: ReenactOptions,
  { openDevice, emit, signal }: CommandContext,
): Promise<{ portrait: FittedPortrait; track: HeadTrack }> {
  const known = clip === null ? await readTrack(driving, head) : null;
  const { image, notes } = await readImage(path);
  for (const message of notes) emit({ kind: 'log', level: 'warning', message });
  await using tracker = await loadTracker(await openDevice(), head);
  const { parameters, focalPx } = await tracker.trackImage(image, { onEvent: naming(path, emit) });
  signal.throwIfAborted();
  const portrait = { image, parameters, focalPx };
  if (known !== null) return { portrait, track: known };
  const { track } = await trackFile(tracker, head, driving, { emit: naming(driving, emit), signal });
  return { portrait, track };
}

/** Says of which of the two files a message is. */
function naming(path: string, emit: EventSink): EventSink {
  return (event) => emit(event.kind === 'log' ? { ...event, message: `${path}: ${event.message}` } : event);
}

/** The named weights, else the package's; before long work, so that wrong ones are refused at once. */
async function loadWeights(head: HeadModel, path: string | undefined): Promise<LoadedAvatar> {
  if (path !== undefined || existsSync(SHIPPED_AVATAR)) return loadAvatar(head, path);
  throw new MissingResourceError({
    code: 'no-weights',
    message: `Expected the package's weights at ${SHIPPED_AVATAR}, but they are not there.`,
    hint: 'Name others with --weights, or add --preview to carry the portrait by geometry alone.',
  });
}

async function openRenderer(
  head: HeadModel,
  portrait: FittedPortrait,
  avatar: LoadedAvatar | null,
  { size, steps, guidance }: ReenactOptions,
  { openDevice, seed }: CommandContext,
): Promise<AvatarRenderer & AsyncDisposable> {
  if (avatar === null) {
    const renderer = createPreviewRenderer(head, portrait, { sizePx: size ?? PREVIEW_SIZE_PX });
    return { ...renderer, [Symbol.asyncDispose]: async () => {} };
  }
  return createModelRenderer(portrait, {
    ...avatar,
    head,
    device: await openDevice(),
    seed,
    ...(steps === undefined ? {} : { steps }),
    ...(guidance === undefined ? {} : { guidanceScale: guidance }),
  });
}
