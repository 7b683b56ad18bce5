// `reenact --portrait P --driving CLIP|T.track --out O.mp4`: the main job. The person of the portrait makes
// the motion of the clip.

import { existsSync } from 'node:fs';
import { z } from 'zod';
import {
  type AvatarRenderer,
  createModelRenderer,
  createPreviewRenderer,
  type FittedPortrait,
} from '../../avatar/index.ts';
import { MissingResourceError } from '../../errors/index.ts';
import type { HeadModel, HeadTrack } from '../../head/index.ts';
import type { VideoSource } from '../../media/index.ts';
import {
  expectWritable,
  loadAvatar,
  loadEmbeddedHead,
  loadTracker,
  readImage,
  readTrack,
  readVideo,
  SHIPPED_AVATAR,
  trackFile,
} from '../../node/index.ts';
import { type CliCommand, type CommandContext, defineCommand } from '../command.ts';
import { flag, inputFile, integer, outputFile, real } from '../option-types.ts';
import { writeReenactment } from '../reenactment.ts';
import { startStopwatch } from '../stopwatch.ts';

const OPTIONS = z.object({
  portrait: inputFile('picture of the person to show'),
  driving: inputFile('clip, or track of one, whose motion the person makes'),
  out: outputFile('the video to write', '.mp4'),
  size: integer('width and height of the person, pixels; by default as the weights were trained', {
    min: 64,
    max: 1024,
    multipleOf: 8,
  }).optional(),
  compare: flag('show portrait, driving clip and result side by side'),
  sheet: outputFile('also write a contact sheet of the comparison', '.png').optional(),
  preview: flag('carry the portrait by geometry alone, without the network'),
  weights: inputFile('weights to use instead of those of the package').optional(),
  steps: integer('denoising steps of the network', { min: 1, max: 1000 }).optional(),
  guidance: real('guidance scale of the network', { min: 0, max: 30 }).optional(),
});
type ReenactOptions = z.output<typeof OPTIONS>;

/** Side of a preview's pictures where --size is not given. */
const PREVIEW_SIZE_PX = 256;

export const command: CliCommand = defineCommand({
  summary: 'make the person of a portrait move as a driving clip does',
  options: OPTIONS,
  examples: [
    'reenact --portrait anna.jpg --driving speech.mp4 --out anna-speaks.mp4',
    'reenact --portrait anna.jpg --driving speech.track --out look.mp4 --compare --preview',
  ],
  async run(options, context) {
    const { driving, out, sheet, compare } = options;
    const { emit, signal } = context;
    await expectWritable(out);
    if (sheet !== undefined) await expectWritable(sheet);
    const watch = startStopwatch();
    const head = await loadEmbeddedHead();
    using clip = driving.endsWith('.track') ? null : await readVideo(driving);
    const { portrait, track } = await trackBoth(head, clip, options, context);
    signal.throwIfAborted();
    watch.lap('tracking');
    await using renderer = await openRenderer(head, portrait, options, context);
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
  },
});

async function trackBoth(
  head: HeadModel,
  clip: VideoSource | null,
  { portrait: path, driving }: ReenactOptions,
  { openDevice, emit, signal }: CommandContext,
): Promise<{ portrait: FittedPortrait; track: HeadTrack }> {
  const { image, notes } = await readImage(path);
  for (const message of notes) emit({ kind: 'log', level: 'warning', message });
  await using tracker = await loadTracker(await openDevice(), head);
  const { parameters, focalPx } = await tracker.trackImage(image, { onEvent: emit });
  signal.throwIfAborted();
  const track =
    clip === null
      ? await readTrack(driving, head)
      : (await trackFile(tracker, head, driving, { emit, signal })).track;
  return { portrait: { image, parameters, focalPx }, track };
}

async function openRenderer(
  head: HeadModel,
  portrait: FittedPortrait,
  { preview, size, weights, steps, guidance }: ReenactOptions,
  { openDevice, seed }: CommandContext,
): Promise<AvatarRenderer & AsyncDisposable> {
  if (preview) {
    const renderer = createPreviewRenderer(head, portrait, { sizePx: size ?? PREVIEW_SIZE_PX });
    return { ...renderer, [Symbol.asyncDispose]: async () => {} };
  }
  if (weights === undefined && !existsSync(SHIPPED_AVATAR)) {
    throw new MissingResourceError({
      code: 'no-weights',
      message: `Expected the package's weights at ${SHIPPED_AVATAR}, but they are not there.`,
      hint: 'Name others with --weights, or add --preview to carry the portrait by geometry alone.',
    });
  }
  return createModelRenderer(portrait, {
    ...(await loadAvatar(head, weights)),
    head,
    device: await openDevice(),
    seed,
    ...(steps === undefined ? {} : { steps }),
    ...(guidance === undefined ? {} : { guidanceScale: guidance }),
  });
}
