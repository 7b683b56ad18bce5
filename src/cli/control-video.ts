// What steers the model as a video: each frame, the mesh over it with its landmarks, and the feature map.

import { existsSync } from 'node:fs';
import { BadInputError } from '../errors/index.ts';
import {
  activateField,
  bindGaussians,
  type GaussianBinding,
  type GaussianField,
  initialiseField,
  readField,
  rebindField,
} from '../gaussians/index.ts';
import { frameCount, type HeadModel, type HeadTrack } from '../head/index.ts';
import type { RgbImage, VideoSource } from '../media/index.ts';
import { decodeWeights } from '../nn/index.ts';
import {
  expectWritable,
  loadTracker,
  readBytes,
  readTrack,
  readVideo,
  SHIPPED_AVATAR,
  trackFile,
  writeVideo,
} from '../node/index.ts';
import { createControlPreview } from '../tracking/index.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { averageRate } from './track-rate.ts';

/** What is shown, as the options of `control` name it. */
export type ControlVideoOptions = {
  /** A clip or a `.track`. */
  readonly input: string;
  readonly out: string;
  /** The clip of a track. */
  readonly clip?: string | undefined;
  readonly weights?: string | undefined;
};

/** Tracks where needed, renders and writes all frames. */
export async function writeControlVideo(
  { input, out, clip, weights }: ControlVideoOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { emit, loadHead, seed, signal } = context;
  await expectWritable(out);
  const head = await loadHead();
  const binding = bindGaussians(head);
  const field = await loadField(head, binding, { weights, seed });
  if (field === null) {
    const message = 'There are no weights: the feature map shows the field as it is before training.';
    emit({ kind: 'log', level: 'info', message });
  }
  const isTrack = input.endsWith('.track');
  const track = isTrack ? await readTrack(input, head) : await trackClip(head, input, context);
  const shown = field ?? initialiseField(binding, head.template, seed);
  const preview = createControlPreview(head, track, binding, activateField(shown));
  const framesFrom = isTrack ? clip : input;
  using source = framesFrom === undefined ? null : await readVideo(framesFrom);
  if (source !== null) expectSameSize(source, track);
  const sink = await writeVideo(out, {
    width: (source === null ? 2 : 3) * track.width,
    height: track.height,
    framesPerSecond: source?.framesPerSecond ?? averageRate(track),
    sound: source?.sound ?? null,
  });
  if (sink.soundNote !== null) emit({ kind: 'log', level: 'warning', message: sink.soundNote });
  const total = frameCount(track);
  let frames = 0;
  try {
    for await (const { image, timestampSeconds } of source?.frames() ?? trackMoments(track)) {
      if (frames === total) break;
      signal.throwIfAborted();
      await sink.add(preview.render(frames, image), timestampSeconds);
      frames++;
      emit({ kind: 'progress', stage: 'render', done: frames, total, unit: 'frames' });
    }
    await sink.finish();
  } catch (error) {
    await sink.discard();
    throw error;
  }
  const framesTracked = track.confidence.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
  return {
    summary: `${out}: ${frames} frames, ${framesTracked} of them tracked`,
    outputs: [out],
    fields: { frames, framesTracked },
  };
}

/** The moments of a track whose pictures are not known. */
function* trackMoments({
  timestampsSeconds,
}: HeadTrack): Generator<{ readonly image: RgbImage | null; readonly timestampSeconds: number }> {
  for (const timestampSeconds of timestampsSeconds) yield { image: null, timestampSeconds };
}

async function trackClip(head: HeadModel, path: string, context: CommandContext): Promise<HeadTrack> {
  await using tracker = await loadTracker(await context.openDevice(), head);
  return (await trackFile(tracker, head, path, context)).track;
}

/** The Gaussian field of the named weights, else of the package's; null where the package has none. */
async function loadField(
  head: HeadModel,
  binding: GaussianBinding,
  { weights: path, seed }: { readonly weights: string | undefined; readonly seed: number },
): Promise<GaussianField | null> {
  if (path === undefined && !existsSync(SHIPPED_AVATAR)) return null;
  const file = path ?? SHIPPED_AVATAR;
  const { weights, metadata } = decodeWeights(await readBytes(file, 'trained weights'), file);
  const field = readField(weights, metadata);
  if (field !== null) return rebindField(field, binding, head.template, seed);
  throw new BadInputError({
    code: 'no-gaussian-field',
    message: `Expected weights with a Gaussian field, but ${file} holds none.`,
    hint: 'Give the weights that training wrote, or leave --weights out.',
  });
}

function expectSameSize({ name, width, height }: VideoSource, track: HeadTrack): void {
  if (width === track.width && height === track.height) return;
  throw new BadInputError({
    code: 'track-of-other-clip',
    message: `Expected the clip of the track, ${track.width} x ${track.height}, but ${name} is ${width} x ${height}.`,
    hint: 'Give the clip that was tracked, or track this one.',
  });
}
