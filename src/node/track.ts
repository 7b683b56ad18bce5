// Tracking as the library's users call it: one function from a file, a picture or any frames to a track.

import { BadInputError } from '../errors/index.ts';
import { type EventSink, silentSink } from '../events/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { Device } from '../tensor/index.ts';
import type { ClipFrame, ClipOptions, Tracker } from '../tracking/index.ts';
import { abortable } from './abortable.ts';
import type { DeviceRequest } from './onnx-device.ts';
import { openTracker } from './open-tracker.ts';
import {
  type FileTrack,
  fileTrackOf,
  type TrackFileOptions,
  trackFaces,
  trackFile,
  trackPicture,
} from './track-input.ts';

/** How something is tracked; all of it may be left out. */
export type TrackSettings = {
  /** The package's own head unless given. */
  readonly head?: HeadModel;
  /** Where the networks run; the default is `auto`. */
  readonly device?: Device | DeviceRequest;
  /** A tracker that is open already, to spare loading its networks; it decides head and device. */
  readonly tracker?: Tracker;
  /** The focal length in pixels, where it is known. */
  readonly focalPx?: number;
  /** Refines a clip's identity and focal length against its pictures: seconds a clip; default false. */
  readonly refine?: boolean;
  /** The piece of a clip to track; the track's clock starts at its beginning. */
  readonly fromSeconds?: number;
  readonly toSeconds?: number;
  /** Which face, counted from 1 from the left; the largest unless given. */
  readonly face?: number;
  readonly onEvent?: EventSink;
  readonly signal?: AbortSignal;
};

/** What can be tracked: the path of a clip or picture; a picture; or frames in order, read once and not kept. */
export type TrackInput = string | RgbImage | AsyncIterable<ClipFrame>;

/**
 * Tracks one head in a clip, a picture, or frames of any origin.
 * @throws BadInputError where the input cannot be used or shows no face: `code` and `hint` say more
 */
export async function track(input: TrackInput, settings: TrackSettings = {}): Promise<FileTrack> {
  if (settings.face !== undefined) return (await trackAll(input, settings))[0]!;
  await using opened = await openTracker(settings);
  const { head, tracker } = opened;
  const files = fileOptions(settings);
  // Awaited here: an opened tracker is closed on the way out.
  if (typeof input === 'string') return await trackFile(tracker, head, input, files);
  expectNoRange(settings);
  if ('data' in input) return await trackPicture(tracker, head, input, files);
  const start = performance.now();
  const result = await tracker.trackClip(abortable(input, files.signal), clipOptions(settings));
  return fileTrackOf(result, (performance.now() - start) / 1000);
}

/**
 * Tracks every head that stays for a while, from left to right; or the one of `face` alone. Each track has all
 * frames of the clip.
 * @throws BadInputError as `track`, and `no-such-face`
 */
export async function trackAll(
  input: TrackInput,
  settings: TrackSettings = {},
): Promise<readonly FileTrack[]> {
  const { face } = settings;
  await using opened = await openTracker(settings);
  const { tracker } = opened;
  const files = fileOptions(settings);
  if (typeof input === 'string') return await trackFaces(tracker, input, { ...files, face });
  expectNoRange(settings);
  const frames = 'data' in input ? onePicture(input) : input;
  const start = performance.now();
  const options = { ...clipOptions(settings), ...(face === undefined ? {} : { face }) };
  const results = await tracker.trackFaces(abortable(frames, files.signal), options);
  const seconds = (performance.now() - start) / 1000;
  return results.map((result) => fileTrackOf(result, seconds));
}

function fileOptions(settings: TrackSettings): TrackFileOptions {
  const { onEvent = silentSink, signal = new AbortController().signal, focalPx, refine } = settings;
  return { emit: onEvent, signal, focalPx, refine, range: rangeOf(settings) };
}

function clipOptions({ onEvent = silentSink, focalPx, refine = false }: TrackSettings): ClipOptions {
  return { onEvent, refine, ...(focalPx === undefined ? {} : { focalPx }) };
}

function expectNoRange(settings: TrackSettings): void {
  if (Object.keys(rangeOf(settings)).length === 0) return;
  throw new BadInputError({
    code: 'range-outside-clip',
    message: 'Expected the path of a clip to take a piece of, but got pictures.',
    hint: 'Give the frames of the piece alone, or a path.',
  });
}

function rangeOf({ fromSeconds, toSeconds }: TrackSettings): { fromSeconds?: number; toSeconds?: number } {
  return {
    ...(fromSeconds === undefined ? {} : { fromSeconds }),
    ...(toSeconds === undefined ? {} : { toSeconds }),
  };
}

async function* onePicture(image: RgbImage): AsyncGenerator<ClipFrame, void, undefined> {
  yield { timestampSeconds: 0, image };
}
