// `info FILE`: what a clip or a picture is, as the other commands would read it.

import { extname } from 'node:path';
import { z } from 'zod';
import { type CliCommand, type CommandContext, type CommandResult, defineCommand } from '../command.ts';
import { flag, inputFile } from '../option-types.ts';
import { clock } from '../progress.ts';

const PICTURE_ENDINGS = new Set(
  ['jpg', 'jpeg', 'png', 'webp', 'avif', 'tif', 'tiff', 'gif', 'svg', 'heic'].map((ending) => `.${ending}`),
);

export const command: CliCommand = defineCommand({
  summary: 'say what a clip or a picture is, and with --decode whether all of it can be read',
  positionals: ['file'],
  options: z.object({
    file: inputFile('the clip or picture'),
    decode: flag('decode every frame of a clip'),
  }),
  examples: ['info clip.mp4 --decode', 'info portrait.jpg --json'],
  async run({ file, decode }, context) {
    const isPicture = PICTURE_ENDINGS.has(extname(file).toLowerCase());
    return isPicture ? describePicture(file, context) : describeClip(file, decode, context);
  },
});

async function describePicture(file: string, { emit }: CommandContext): Promise<CommandResult> {
  const { readImage } = await import('../../node/index.ts');
  const { image, notes } = await readImage(file);
  for (const message of notes) emit({ kind: 'log', level: 'warning', message });
  const { width, height } = image;
  return {
    summary: `${file}: picture, ${width} x ${height}`,
    outputs: [],
    fields: { kind: 'picture', width, height },
  };
}

async function describeClip(
  file: string,
  decode: boolean,
  { emit, signal }: CommandContext,
): Promise<CommandResult> {
  const { readVideo } = await import('../../node/index.ts');
  using clip = await readVideo(file);
  const { width, height, framesPerSecond, durationSeconds, frameCountEstimate, rotationDegrees, codec } =
    clip;
  let framesDecoded: number | undefined;
  if (decode) {
    framesDecoded = 0;
    for await (const { index } of clip.frames()) {
      signal.throwIfAborted();
      framesDecoded = index + 1;
      emit({
        kind: 'progress',
        stage: 'decode',
        done: framesDecoded,
        total: frameCountEstimate,
        unit: 'frames',
      });
    }
  }
  const sound = clip.sound === null ? 'no sound' : `${clip.sound.codec} sound`;
  const frames =
    framesDecoded === undefined
      ? `about ${frameCountEstimate} frames`
      : `${framesDecoded} frames, all decoded`;
  return {
    summary:
      `${file}: clip, ${width} x ${height}, ${clock(durationSeconds)}, ${frames} ` +
      `(${framesPerSecond.toFixed(2)} a second), ${codec}, ${sound}`,
    outputs: [],
    fields: {
      kind: 'clip',
      width,
      height,
      rotationDegrees,
      framesPerSecond,
      durationSeconds,
      frames: framesDecoded ?? frameCountEstimate,
      codec,
      sound: clip.sound?.codec ?? null,
    },
  };
}
