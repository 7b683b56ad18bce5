// `control CLIP|T.track --out C.mp4`: frame, mesh over the frame and feature map side by side.

import { z } from 'zod';
import { BadInputError } from '../../errors/index.ts';
import {
  activateField,
  bindGaussians,
  type GaussianField,
  initialiseField,
  readField,
} from '../../gaussians/index.ts';
import { frameCount, type HeadModel, type HeadTrack } from '../../head/index.ts';
import {
  expectWritable,
  loadEmbeddedHead,
  loadTracker,
  readBytes,
  readTrack,
  readVideo,
  trackFile,
  writeVideo,
} from '../../node/index.ts';
import { decodeSafetensors, type Tensor } from '../../tensor/index.ts';
import { createControlPreview } from '../../tracking/index.ts';
import { type CliCommand, type CommandContext, defineCommand } from '../command.ts';
import { inputFile, outputFile } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: 'show what steers the model: frame, mesh over the frame and feature map side by side',
  positionals: ['input'],
  options: z.object({
    input: inputFile('the clip, or a track written by `track`'),
    out: outputFile('the video to write', '.mp4'),
    clip: inputFile('the clip of a track, to show its frames').optional(),
    weights: inputFile('weights whose Gaussian field to show; else a fresh one').optional(),
  }),
  examples: ['control clip.mp4 --out control.mp4', 'control clip.track --clip clip.mp4 --out control.mp4'],
  async run({ input, out, clip, weights }, context) {
    await expectWritable(out);
    const head = await loadEmbeddedHead();
    const isTrack = input.endsWith('.track');
    const framesFrom = isTrack ? clip : input;
    const binding = bindGaussians(head);
    const field =
      weights === undefined ? initialiseField(binding, head.template, context.seed) : await fieldOf(weights);
    if (weights === undefined) {
      const message = 'No weights are given: the feature map shows the field as it is before training.';
      context.emit({ kind: 'log', level: 'info', message });
    }
    const track = isTrack ? await readTrack(input, head) : await trackClip(head, input, context);
    const preview = createControlPreview(head, track, binding, activateField(field));
    const frames = frameCount(track);
    const progress = (done: number): void => {
      context.signal.throwIfAborted();
      context.emit({ kind: 'progress', stage: 'render', done, total: frames, unit: 'frames' });
    };
    if (framesFrom === undefined) {
      const sink = await writeVideo(out, {
        width: 2 * track.width,
        height: track.height,
        framesPerSecond: rateOf(track),
      });
      for (let frame = 0; frame < frames; frame++) {
        await sink.add(preview.render(frame, null), track.timestampsSeconds[frame]!);
        progress(frame + 1);
      }
      await sink.finish();
      return result(out, track, frames);
    }
    using source = await readVideo(framesFrom);
    expectSameSize(source, track, framesFrom);
    const sink = await writeVideo(out, {
      width: 3 * track.width,
      height: track.height,
      framesPerSecond: source.framesPerSecond,
      sound: source.sound,
    });
    let shown = 0;
    for await (const { index, image, timestampSeconds } of source.frames()) {
      if (index >= frames) break;
      await sink.add(preview.render(index, image), timestampSeconds);
      shown = index + 1;
      progress(shown);
    }
    await sink.finish();
    return result(out, track, shown);
  },
});

async function trackClip(head: HeadModel, path: string, context: CommandContext): Promise<HeadTrack> {
  const device = await context.openDevice();
  await using tracker = await loadTracker(device, head);
  return (await trackFile(tracker, head, path, context)).track;
}

/** The Gaussian field among the weights of a model. */
async function fieldOf(path: string): Promise<GaussianField> {
  const { tensors, metadata } = decodeSafetensors(await readBytes(path, 'weights'), path);
  const floats: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(tensors)) if (value.dtype === 'float32') floats[name] = value;
  const field = readField(floats, metadata);
  if (field !== null) return field;
  throw new BadInputError({
    code: 'no-gaussian-field',
    message: `Expected weights with a Gaussian field, but ${path} holds none.`,
    hint: 'Give the weights that training wrote, or leave --weights out.',
  });
}

function rateOf(track: HeadTrack): number {
  const times = track.timestampsSeconds;
  const span = times[times.length - 1]! - times[0]!;
  return span > 0 ? (times.length - 1) / span : 25;
}

function expectSameSize(
  source: { readonly width: number; readonly height: number },
  track: HeadTrack,
  path: string,
): void {
  if (source.width === track.width && source.height === track.height) return;
  throw new BadInputError({
    code: 'track-of-other-clip',
    message: `Expected the clip of the track, ${track.width} x ${track.height}, but ${path} is ${source.width} x ${source.height}.`,
    hint: 'Give the clip that was tracked, or track this one.',
  });
}

function result(out: string, track: HeadTrack, frames: number) {
  const framesTracked = track.confidence.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
  return {
    summary: `${out}: ${frames} frames, ${framesTracked} of them tracked`,
    outputs: [out],
    fields: { frames, framesTracked },
  };
}
