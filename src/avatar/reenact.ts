// The main job, without files: a portrait makes the motion of a track, frame by frame.

import { frameCount, type HeadModel, type HeadParameters, type HeadTrack } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { AvatarRenderer } from './avatar-renderer.ts';
import { createMotionTransfer, type MotionOptions } from './motion.ts';

/** One frame of the result, on the driver's clock. */
export type ReenactedFrame = {
  readonly index: number;
  readonly timestampSeconds: number;
  readonly image: RgbImage;
};

/** How a track is reenacted. */
export type ReenactOptions = MotionOptions & {
  /** Where in the track to begin; the default is its beginning. */
  readonly fromFrame?: number;
};

/** Renders a portrait's head through the motion of a track; frames come in order, one for each of the track's. */
export async function* reenact(
  renderer: AvatarRenderer,
  portrait: HeadParameters,
  track: HeadTrack,
  options: ReenactOptions = {},
): AsyncGenerator<ReenactedFrame, void, undefined> {
  const { fromFrame = 0 } = options;
  // A renderer that remembers what was before is shown that first.
  let index = Math.max(0, fromFrame - renderer.memoryFrames);
  const motion = portraitMotion(renderer.head, portrait, track, { ...options, fromFrame: index });
  for await (const image of renderer.render(motion)) {
    if (index >= fromFrame) yield { index, timestampSeconds: track.timestampsSeconds[index]!, image };
    index++;
  }
}

/** The portrait's head in every frame of a track. @throws BadInputError as `createMotionTransfer`. */
export function* portraitMotion(
  head: HeadModel,
  portrait: HeadParameters,
  track: HeadTrack,
  options: ReenactOptions = {},
): Generator<HeadParameters, void, undefined> {
  const transfer = createMotionTransfer(head, portrait, track, options);
  for (let t = options.fromFrame ?? 0; t < frameCount(track); t++) yield transfer(t);
}
