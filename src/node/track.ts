// Tracking as the library's users call it: one function from a file, a picture or any frames to a track.

import { BadInputError } from '../errors/index.ts';
import { type EventSink, silentSink } from '../events/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { Device } from '../tensor/index.ts';
import type { ClipFrame, Tracker } from '../tracking/index.ts';
import { loadTracker } from './load-tracker.ts';
import { loadHead } from './model-files.ts';
import { createDevice, type DeviceRequest } from './onnx-device.ts';
import { type FileTrack, fileTrackOf, trackFaces, trackFile, trackPicture } from './track-input.ts';

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
  /** The piece of a clip to track; the track's clock starts at its beginning. */
  readonly fromSeconds?: number;
  readonly toSeconds?: number;
  /** Which face, counted from 1 from the left; the largest unless given. */
  readonly face?: number;
  readonly onEvent?: EventSink;
  readonly signal?: AbortSignal;
};

/**
 * Tracks the head in a clip, a picture, or frames of any origin.
 * @param input the path of a clip or picture; a picture in memory; or frames in order, read once and not kept
 * @throws BadInputError where the input cannot be used or shows no face: `code` and `hint` say more
 */
export async function track(
  input: string | RgbImage | AsyncIterable<ClipFrame>,
  settings: TrackSettings = {},
): Promise<FileTrack> {
  const { face, focalPx, onEvent = silentSink, signal = new AbortController().signal } = settings;
  const range = rangeOf(settings);
  const head = settings.head ?? (await loadHead());
  await using opened = settings.tracker === undefined ? await openTracker(head, settings) : null;
  const tracker = opened ?? settings.tracker!;
  const files = { emit: onEvent, signal, focalPx, range };
  if (typeof input === 'string') {
    // Awaited here: an opened tracker is closed on the way out.
    if (face === undefined) return await trackFile(tracker, head, input, files);
    return (await trackFaces(tracker, input, { ...files, face }))[0]!;
  }
  if (Object.keys(range).length > 0) {
    throw new BadInputError({
      code: 'range-outside-clip',
      message: 'Expected the path of a clip to take a piece of, but got pictures.',
      hint: 'Give the frames of the piece alone, or a path.',
    });
  }
  if ('data' in input && face === undefined) return await trackPicture(tracker, head, input, files);
  const frames = 'data' in input ? onePicture(input) : input;
  const options = { onEvent, ...(focalPx === undefined ? {} : { focalPx }) };
  const start = performance.now();
  const result =
    face === undefined
      ? await tracker.trackClip(watched(frames, signal), options)
      : (await tracker.trackFaces(watched(frames, signal), { ...options, face }))[0]!;
  return fileTrackOf(result, (performance.now() - start) / 1000);
}

async function openTracker(head: HeadModel, { device = 'auto' }: TrackSettings): Promise<Tracker> {
  return loadTracker(typeof device === 'string' ? await createDevice(device) : device, head);
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

async function* watched(
  frames: AsyncIterable<ClipFrame>,
  signal: AbortSignal,
): AsyncGenerator<ClipFrame, void, undefined> {
  for await (const frame of frames) {
    signal.throwIfAborted();
    yield frame;
  }
}
