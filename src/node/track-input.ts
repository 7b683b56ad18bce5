// Tracking a file, be it a clip, a picture or a finished track.

import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { decodeHeadTrack, encodeHeadTrack, type HeadModel, type HeadTrack } from '../head/index.ts';
import { clipPiece, type RgbImage, type TimeRange, type VideoSource } from '../media/index.ts';
import type { ClipOptions, ClipTrack, ImageTrack, Tracker } from '../tracking/index.ts';
import { abortable } from './abortable.ts';
import { type ImageFile, readImage } from './image-file.ts';
import { readBytes } from './model-files.ts';
import { writeFileAtomic } from './temporary-files.ts';
import { readVideo } from './video-file.ts';

/** A track and how well it went. */
export type FileTrack = {
  readonly track: HeadTrack;
  readonly frames: number;
  readonly framesTracked: number;
  /** Frames a second, end to end; null for a picture. */
  readonly framesPerSecond: number | null;
  /** `T`: mean distance of seen and fitted landmarks over the outer-eye-corner distance; NaN where not tracked. */
  readonly landmarkErrors: Float32Array;
  /** `T`: colour of the lips against the skin; NaN where it cannot be told. */
  readonly lipContrasts: Float32Array;
  /** The first frame of every shot but the first. */
  readonly shots: readonly number[];
  /** Median over the frames; null where none was tracked. */
  readonly landmarkErrorMedian: number | null;
};

/** How a file is tracked. */
export type TrackFileOptions = {
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  readonly focalPx?: number | undefined;
  /** Refines a clip's identity and focal length against its pictures. */
  readonly refine?: boolean | undefined;
  /** The piece of a clip to track; the track's clock starts at its beginning. */
  readonly range?: TimeRange | undefined;
};

/**
 * Tracks the largest face of a clip, or of a picture as a clip of one frame.
 * @throws BadInputError if the file is neither, or shows no face.
 */
export async function trackFile(
  tracker: Tracker,
  head: HeadModel,
  path: string,
  options: TrackFileOptions,
): Promise<FileTrack> {
  const picture = await openPicture(path, options);
  if (picture !== null) return trackPicture(tracker, head, picture.image, { ...options, source: path });
  const start = performance.now();
  using whole = await readVideo(path);
  const clip = clipPiece(whole, options.range ?? {});
  sayIfLong(clip, options.emit);
  const result = await tracker.trackClip(abortable(clip.frames(), options.signal), {
    ...commonOptions(options),
    frameCountEstimate: clip.frameCountEstimate,
    provenance: provenanceOf(path, options.range),
  });
  return fileTrackOf(result, (performance.now() - start) / 1000);
}

/** Tracks the largest face of a picture, as a clip of one frame. @throws BadInputError `no-face` */
export async function trackPicture(
  tracker: Tracker,
  head: HeadModel,
  image: RgbImage,
  options: TrackFileOptions & { readonly source?: string },
): Promise<FileTrack> {
  const result = await tracker.trackImage(image, commonOptions(options));
  return {
    track: singleFrameTrack(head, image, result, options.source),
    frames: 1,
    framesTracked: 1,
    framesPerSecond: null,
    landmarkErrors: Float32Array.of(result.landmarkError),
    lipContrasts: Float32Array.of(result.lipContrast),
    shots: [],
    landmarkErrorMedian: result.landmarkError,
  };
}

/**
 * Tracks all faces of a clip or a picture, from left to right, or only the one of a number, from 1.
 * @throws BadInputError as `trackFile`, and `no-such-face`.
 */
export async function trackFaces(
  tracker: Tracker,
  path: string,
  options: TrackFileOptions & { readonly face?: number | undefined },
): Promise<readonly FileTrack[]> {
  const { face, range, signal } = options;
  const wanted = { ...commonOptions(options), ...(face === undefined ? {} : { face }) };
  const picture = await openPicture(path, options);
  if (picture !== null) {
    const tracks = await tracker.trackFaces(oneFrame(picture.image), {
      ...wanted,
      provenance: provenanceOf(path),
    });
    return tracks.map((result) => ({ ...fileTrackOf(result, 1), framesPerSecond: null }));
  }
  const start = performance.now();
  using whole = await readVideo(path);
  const clip = clipPiece(whole, range ?? {});
  sayIfLong(clip, options.emit);
  const tracks = await tracker.trackFaces(abortable(clip.frames(), signal), {
    ...wanted,
    frameCountEstimate: clip.frameCountEstimate,
    provenance: provenanceOf(path, range),
  });
  const seconds = (performance.now() - start) / 1000;
  return tracks.map((result) => fileTrackOf(result, seconds));
}

/** Which piece of its clip a track is of, by its provenance. */
export function rangeOfTrack({ provenance }: HeadTrack): TimeRange {
  const { fromSeconds, toSeconds } = provenance;
  return {
    ...(fromSeconds === undefined ? {} : { fromSeconds: Number(fromSeconds) }),
    ...(toSeconds === undefined ? {} : { toSeconds: Number(toSeconds) }),
  };
}

/** Where in its clip a track begins. */
export function startOfTrack(track: HeadTrack): number {
  return rangeOfTrack(track).fromSeconds ?? 0;
}

function commonOptions({
  emit,
  focalPx,
  refine = false,
}: TrackFileOptions): Pick<ClipOptions, 'onEvent' | 'focalPx' | 'refine'> {
  return { onEvent: emit, refine, ...(focalPx === undefined ? {} : { focalPx }) };
}

/** Where a track comes from, for its provenance. */
export function provenanceOf(source: string, range: TimeRange = {}): Record<string, string> {
  const limits = Object.entries(range).filter(([, seconds]) => seconds !== undefined);
  return { source, ...Object.fromEntries(limits.map(([name, seconds]) => [name, String(seconds)])) };
}

/** What a tracker gave, as the record of a file. */
export function fileTrackOf(
  {
    track,
    framesTracked,
    landmarkErrors,
    lipContrasts,
    shots,
  }: Omit<ClipTrack, 'facesDetected' | 'secondsByStage'>,
  seconds: number,
): FileTrack {
  const frames = track.timestampsSeconds.length;
  const errors = [...landmarkErrors].filter((error) => !Number.isNaN(error)).sort((a, b) => a - b);
  return {
    track,
    frames,
    framesTracked,
    framesPerSecond: frames / seconds,
    landmarkErrors,
    lipContrasts,
    shots,
    landmarkErrorMedian: errors[errors.length >> 1] ?? null,
  };
}

/**
 * The picture of a file, or null where the file is none: then it may be a clip.
 * @throws BadInputError if a piece of time is asked of a picture
 */
async function openPicture(path: string, { emit, range }: TrackFileOptions): Promise<ImageFile | null> {
  const picture = await readPicture(path);
  if (picture === null) return null;
  if (range?.fromSeconds !== undefined || range?.toSeconds !== undefined) {
    throw new BadInputError({
      code: 'range-outside-clip',
      message: `Expected a clip to take a piece of, but ${path} is a picture.`,
      hint: 'Leave the times out.',
    });
  }
  for (const message of picture.notes) emit({ kind: 'log', level: 'warning', message });
  return picture;
}

/** The picture of a file; null where it is none. */
export async function readPicture(path: string): Promise<ImageFile | null> {
  try {
    return await readImage(path);
  } catch (error) {
    if (error instanceof BadInputError && error.code === 'not-an-image') return null;
    throw error;
  }
}

async function* oneFrame(
  image: RgbImage,
): AsyncGenerator<{ readonly timestampSeconds: number; readonly image: RgbImage }, void, undefined> {
  yield { timestampSeconds: 0, image };
}

function singleFrameTrack(
  head: HeadModel,
  size: { readonly width: number; readonly height: number },
  result: ImageTrack,
  source: string | undefined,
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
    provenance: source === undefined ? {} : { source },
  };
}

/** From this length on, people should know that they can have a piece. */
const LONG_SECONDS = 30 * 60;

function sayIfLong({ name, durationSeconds, frameCountEstimate }: VideoSource, emit: EventSink): void {
  if (durationSeconds < LONG_SECONDS) return;
  const minutes = Math.round(durationSeconds / 60);
  const message = `${name}: ${minutes} minutes, about ${frameCountEstimate} frames; --from and --to track a piece.`;
  emit({ kind: 'log', level: 'info', message });
}

/** Writes a `.track`, whole or not at all. @throws BadInputError if the folder cannot be written to. */
export function writeTrack(path: string, track: HeadTrack): Promise<void> {
  return writeFileAtomic(path, encodeHeadTrack(track));
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
    hint: 'Name its head with --head, or carry it over with `head convert`.',
  });
}
