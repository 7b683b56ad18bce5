// Tracking a file, be it a clip, a picture or a finished track.

import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { decodeHeadTrack, type HeadModel, type HeadTrack } from '../head/index.ts';
import type { ImageTrack, Tracker } from '../tracking/index.ts';
import { type ImageFile, readImage } from './image-file.ts';
import { readBytes } from './model-files.ts';
import { readVideo } from './video-file.ts';

/** A track and how well it went. */
export type FileTrack = {
  readonly track: HeadTrack;
  readonly frames: number;
  readonly framesTracked: number;
  /** Frames a second, end to end; null for a picture. */
  readonly framesPerSecond: number | null;
  /** Median over the frames; null where none was tracked. */
  readonly landmarkErrorMedian: number | null;
};

/**
 * Tracks a clip, or a picture as a clip of one frame.
 * @throws BadInputError if the file is neither, or shows no face.
 */
export async function trackFile(
  tracker: Tracker,
  head: HeadModel,
  path: string,
  options: { readonly emit: EventSink; readonly signal: AbortSignal; readonly focalPx?: number },
): Promise<FileTrack> {
  const { emit, signal, focalPx } = options;
  const common = { onEvent: emit, ...(focalPx === undefined ? {} : { focalPx }) };
  const picture = await readPicture(path);
  if (picture !== null) {
    for (const message of picture.notes) emit({ kind: 'log', level: 'warning', message });
    const result = await tracker.trackImage(picture.image, common);
    return {
      track: singleFrameTrack(head, picture.image, result, path),
      frames: 1,
      framesTracked: 1,
      framesPerSecond: null,
      landmarkErrorMedian: result.landmarkError,
    };
  }
  using clip = await readVideo(path);
  const start = performance.now();
  const { track, framesTracked, landmarkErrors } = await tracker.trackClip(abortable(clip.frames(), signal), {
    ...common,
    frameCountEstimate: clip.frameCountEstimate,
    provenance: { source: path },
  });
  const frames = track.timestampsSeconds.length;
  const errors = [...landmarkErrors].filter((error) => !Number.isNaN(error)).sort((a, b) => a - b);
  return {
    track,
    frames,
    framesTracked,
    framesPerSecond: frames / ((performance.now() - start) / 1000),
    landmarkErrorMedian: errors[errors.length >> 1] ?? null,
  };
}

/** The picture of a file, or null where the file is none: then it may be a clip. */
async function readPicture(path: string): Promise<ImageFile | null> {
  try {
    return await readImage(path);
  } catch (error) {
    if (error instanceof BadInputError && error.code === 'not-an-image') return null;
    throw error;
  }
}

function singleFrameTrack(
  head: HeadModel,
  size: { readonly width: number; readonly height: number },
  result: ImageTrack,
  source: string,
): HeadTrack {
  const { parameters } = result;
  return {
    headName: head.name,
    width: size.width,
    height: size.height,
    focalPx: result.focalPx,
    timestampsSeconds: Float64Array.of(0),
    identity: parameters.identity,
    expression: parameters.expression,
    jointRotations: parameters.jointRotations,
    translation: parameters.translation,
    confidence: Float32Array.of(result.confidence),
    landmarksPx: result.landmarksPx,
    provenance: { source },
  };
}

async function* abortable<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  for await (const item of items) {
    signal.throwIfAborted();
    yield item;
  }
}

/**
 * Reads a `.track`.
 * @throws BadInputError if it is no track, or one of another head.
 */
export async function readTrack(path: string, head: HeadModel): Promise<HeadTrack> {
  const track = decodeHeadTrack(await readBytes(path, 'a head track'), path);
  if (track.headName === head.name) return track;
  throw new BadInputError({
    code: 'track-of-other-head',
    message: `Expected a track of the head ${head.name}, but ${path} is one of ${track.headName}.`,
    hint: 'Track the clip again with this head.',
  });
}
