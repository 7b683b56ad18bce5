// The main job, without files: a portrait makes the motion of a track, frame by frame.

import { frameCount, type HeadParameters, type HeadTrack } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { AvatarRenderer } from './avatar-renderer.ts';
import { restPosition, transferMotion } from './motion.ts';

/** One frame of the result, on the driver's clock. */
export type ReenactedFrame = {
  readonly index: number;
  readonly timestampSeconds: number;
  readonly image: RgbImage;
};

/** Renders a portrait's head through the motion of a track; frames come in order, one for each of the track's. */
export async function* reenact(
  renderer: AvatarRenderer,
  portrait: HeadParameters,
  track: HeadTrack,
): AsyncGenerator<ReenactedFrame, void, undefined> {
  let index = 0;
  for await (const image of renderer.render(portraitMotion(portrait, track))) {
    yield { index, timestampSeconds: track.timestampsSeconds[index]!, image };
    index++;
  }
}

/** The portrait's head in every frame of a track. */
export function* portraitMotion(
  portrait: HeadParameters,
  track: HeadTrack,
): Generator<HeadParameters, void, undefined> {
  const rest = restPosition(track);
  for (let t = 0; t < frameCount(track); t++) yield transferMotion(portrait, track, t, rest);
}
