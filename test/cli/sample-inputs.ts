// Small inputs for the commands, cut from the project's own sample.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeHeadTrack, encodeHeadTrack } from '../../src/head/index.ts';
import type { RgbImage } from '../../src/media/index.ts';
import { readVideo, SHIPPED_AVATAR } from '../../src/node/index.ts';
import { runJson } from './run-cli.ts';

const SAMPLES = join(import.meta.dirname, '..', '..', 'samples');

/** A face, 512 x 512. */
export const PORTRAIT: string = join(SAMPLES, 'portrait.png');
/** 75 frames of a face, 320 x 320, silent. */
export const DRIVING: string = join(SAMPLES, 'driving.mp4');

/** Reason to skip a test that needs the trained weights; false where they are. */
export const NO_WEIGHTS: string | false =
  !existsSync(SHIPPED_AVATAR) && 'the trained weights of the package are not here';

/** The first frames of the driving clip. */
export async function drivingFrames(count: number): Promise<RgbImage[]> {
  using clip = await readVideo(DRIVING);
  const frames: RgbImage[] = [];
  for await (const { image } of clip.frames()) {
    frames.push(image);
    if (frames.length === count) break;
  }
  return frames;
}

/** Writes a track: the portrait's own head for `frames` frames, turning 0.1 radians with each. */
export async function writeTurningTrack(path: string, frames: number): Promise<void> {
  await runJson('track', PORTRAIT, '--out', path);
  const still = decodeHeadTrack(new Uint8Array(readFileSync(path)));
  const repeated = (values: Float32Array): Float32Array =>
    Float32Array.from({ length: values.length * frames }, (_, i) => values[i % values.length]!);
  const jointRotations = repeated(still.jointRotations);
  const width = jointRotations.length / frames;
  for (let frame = 0; frame < frames; frame++) jointRotations[frame * width + 1]! += 0.1 * frame;
  const track = {
    ...still,
    timestampsSeconds: Float64Array.from({ length: frames }, (_, frame) => frame / 25),
    expression: repeated(still.expression),
    jointRotations,
    translation: repeated(still.translation),
    confidence: repeated(still.confidence),
    landmarksPx: repeated(still.landmarksPx),
  };
  writeFileSync(path, encodeHeadTrack(track));
}
