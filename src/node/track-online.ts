// Online tracking as the library's users call it, and of files: every frame is answered as it comes.

import { BadInputError } from '../errors/index.ts';
import type { HeadModel } from '../head/index.ts';
import { clipPiece } from '../media/index.ts';
import {
  type ClipFrame,
  type OnlineState,
  type Tracker,
  trackOfStates,
  warnOfLosses,
} from '../tracking/index.ts';
import { abortable } from './abortable.ts';
import { openTracker } from './open-tracker.ts';
import type { TrackSettings } from './track.ts';
import {
  type FileTrack,
  fileTrackOf,
  provenanceOf,
  readPicture,
  type TrackFileOptions,
} from './track-input.ts';
import { readVideo } from './video-file.ts';

/** How frames are tracked as they come; all of it may be left out. */
export type OnlineSettings = Pick<
  TrackSettings,
  'head' | 'device' | 'tracker' | 'focalPx' | 'fromSeconds' | 'toSeconds' | 'signal'
>;

/**
 * Tracks the largest face frame by frame: the state of each is yielded as soon as it is known, before the next is
 * asked for. Takes frames of any origin, a camera's too, or the path of a clip.
 * @throws BadInputError if a path is no clip
 */
export async function* trackOnline(
  input: string | AsyncIterable<ClipFrame>,
  settings: OnlineSettings = {},
): AsyncGenerator<OnlineState, void, undefined> {
  const { focalPx, signal = new AbortController().signal, fromSeconds, toSeconds } = settings;
  await using opened = await openTracker(settings);
  const online = opened.tracker.startOnline(focalPx === undefined ? {} : { focalPx });
  if (typeof input !== 'string') {
    for await (const frame of abortable(input, signal)) yield await online.next(frame);
    return;
  }
  using whole = await readVideo(input);
  const range = {
    ...(fromSeconds === undefined ? {} : { fromSeconds }),
    ...(toSeconds === undefined ? {} : { toSeconds }),
  };
  for await (const frame of abortable(clipPiece(whole, range).frames(), signal))
    yield await online.next(frame);
}

/** A track that was made online, and how long its frames waited for their heads. */
export type OnlineFileTrack = FileTrack & {
  /** `T`. */
  readonly latenciesSeconds: Float64Array;
};

/**
 * Tracks the largest face of a clip as if its frames came from a camera.
 * @throws BadInputError if the file is no clip, or shows no face
 */
export async function trackFileOnline(
  tracker: Tracker,
  head: HeadModel,
  path: string,
  { emit, signal, focalPx, range = {} }: TrackFileOptions,
): Promise<OnlineFileTrack> {
  if ((await readPicture(path)) !== null) {
    throw new BadInputError({
      code: 'not-a-video',
      message: `Expected a clip to track frame by frame, but ${path} is a picture.`,
      hint: 'Leave --online out: a picture is tracked at once.',
    });
  }
  const start = performance.now();
  using whole = await readVideo(path);
  const clip = clipPiece(whole, range);
  const online = tracker.startOnline(focalPx === undefined ? {} : { focalPx });
  const states: OnlineState[] = [];
  for await (const frame of abortable(clip.frames(), signal)) {
    states.push(await online.next(frame));
    const total = Math.max(clip.frameCountEstimate, states.length);
    emit({ kind: 'progress', stage: 'track', done: states.length, total, unit: 'frames' });
  }
  const provenance = { ...provenanceOf(path, range), mode: 'online' };
  const result = trackOfStates(states, { headName: head.name, provenance });
  warnOfLosses(result.track.confidence, emit);
  return {
    ...fileTrackOf(result, (performance.now() - start) / 1000),
    latenciesSeconds: Float64Array.from(states, ({ latencySeconds }) => latencySeconds),
  };
}
