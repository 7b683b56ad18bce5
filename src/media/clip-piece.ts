// A piece of a clip, to be used as a clip of its own: its clock starts at 0 and its sound goes with it.

import { BadInputError } from '../errors/index.ts';
import type { TimeRange, VideoFrameImage, VideoSource } from './video-source.ts';

/**
 * The part of a clip from the frame on show at `fromSeconds` to those before `toSeconds`. Reading it seeks, so
 * it costs no more where it lies late in a long clip. Disposing of it disposes of the clip.
 * @throws BadInputError `empty-range` or `range-outside-clip`.
 */
export function clipPiece(
  clip: VideoSource,
  { fromSeconds = 0, toSeconds = Infinity }: TimeRange,
): VideoSource {
  if (fromSeconds === 0 && toSeconds >= clip.durationSeconds) return clip;
  if (fromSeconds >= toSeconds) throw emptyRange(fromSeconds, toSeconds);
  if (fromSeconds >= clip.durationSeconds) throw outsideClip(clip, fromSeconds);
  const endSeconds = Math.min(toSeconds, clip.durationSeconds);
  const durationSeconds = endSeconds - fromSeconds;
  const { sound } = clip;
  return {
    ...clip,
    durationSeconds,
    frameCountEstimate: Math.max(1, Math.round(durationSeconds * clip.framesPerSecond)),
    sound: sound && { ...sound, packets: (from = 0) => sound.packets(fromSeconds + from) },
    frames: ({ fromSeconds: from = 0, toSeconds: to = Infinity } = {}) =>
      shifted(
        clip.frames({ fromSeconds: fromSeconds + from, toSeconds: Math.min(fromSeconds + to, endSeconds) }),
        fromSeconds,
      ),
    framesAt: (moments) =>
      shifted(clip.framesAt(moments.map((seconds) => fromSeconds + seconds)), fromSeconds),
  };
}

/** Frames on a clock that starts at `bySeconds` of their own. */
async function* shifted(
  frames: AsyncGenerator<VideoFrameImage, void, undefined>,
  bySeconds: number,
): AsyncGenerator<VideoFrameImage, void, undefined> {
  for await (const frame of frames) {
    yield { ...frame, timestampSeconds: Math.max(0, frame.timestampSeconds - bySeconds) };
  }
}

function emptyRange(fromSeconds: number, toSeconds: number): BadInputError {
  return new BadInputError({
    code: 'empty-range',
    message: `Expected a piece that ends after it begins, but it goes from ${fromSeconds} to ${toSeconds} seconds.`,
    hint: 'Exchange the two, or leave one out.',
  });
}

function outsideClip({ name, durationSeconds }: VideoSource, fromSeconds: number): BadInputError {
  return new BadInputError({
    code: 'range-outside-clip',
    message: `Expected a piece of ${name}, which is ${durationSeconds.toFixed(1)} seconds long, but it begins at ${fromSeconds}.`,
    hint: 'Begin earlier.',
  });
}
