// Other people's data into a dataset: every clip is read at 25 frames a second, tracked, cut to the head, and written.
// What cannot be used is skipped, with its reason on record.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { headWindow } from '../avatar/index.ts';
import {
  type CalibratedCamera,
  type ClipInfo,
  type ClipLabel,
  clipKey,
  DATASET_FRAMES_PER_SECOND,
  type DatasetTotals,
  type EncodedClip,
  type EncodedPicture,
  encodeClip,
  type Layout,
  parseCalibration,
  planImport,
  type SourceItem,
} from '../dataset/index.ts';
import { type AvatarError, BadInputError, MissingResourceError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { type Camera, type CropWindow, cropCamera } from '../geometry/index.ts';
import {
  createHeadPoser,
  frameCount,
  type HeadModel,
  type HeadPoser,
  type HeadTrack,
  parametersAt,
  trackCamera,
} from '../head/index.ts';
import { type RgbImage, resampleWindow } from '../media/index.ts';
import type { PersonSegmenter, Tracker } from '../tracking/index.ts';
import { abortable } from './abortable.ts';
import { beginDataset } from './dataset-builder.ts';
import { encodeFrame, encodeMask, storableBytes } from './dataset-pictures.ts';
import { listFiles, openSourceClip, type SourceClip, type SourceFrame } from './dataset-sources.ts';

/** What is imported, and how. */
export type ImportOptions = {
  readonly source: string;
  readonly out: string;
  readonly layout: Layout;
  readonly label: ClipLabel;
  readonly licence: string;
  /** What people call the source. */
  readonly name: string;
  /** Side of the square around the head; null keeps frames as they are. */
  readonly sizePx: number | null;
  /** Null where nothing is tracked; then frames stay as they are. */
  readonly tracker: Tracker | null;
  readonly head: HeadModel;
  /** Null where no masks of people are wanted. */
  readonly segmenter: PersonSegmenter | null;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
};

/** What an import came to. */
export type ImportResult = {
  readonly totals: DatasetTotals;
  readonly heldOutItems: number;
  /** Of this run. */
  readonly itemsImported: number;
  readonly skipped: readonly { readonly item: string; readonly reason: string }[];
};

/** Sequences are cut into clips of ten seconds, so that a clip fits into memory. */
const MAX_CLIP_FRAMES = 250;

/** Imports a source; a run that was stopped is continued. @throws BadInputError as `planImport` and `beginDataset`. */
export async function importDataset(options: ImportOptions): Promise<ImportResult> {
  const { source, out, layout, label, licence, name, sizePx, tracker, head, segmenter, emit, signal } =
    options;
  const items = planImport(layout, await listFiles(source), source);
  const heldOut = items.filter(({ split }) => split === 'heldOut').length;
  if (heldOut === items.length) {
    const message = `All ${items.length} clips are held out for evaluation: a mapping file with heldOut says otherwise.`;
    emit({ kind: 'log', level: 'warning', message });
  }
  using dataset = await beginDataset({
    path: out,
    name,
    request: {
      command: 'dataset import',
      layout,
      label,
      licence,
      sizePx,
      isTracked: tracker !== null,
      hasMasks: segmenter !== null,
    },
    headName: tracker === null ? null : head.name,
    items: items.map((item) => item.name),
  });
  const calibrations = createCalibrations(source, layout);
  const poser = createHeadPoser(head);
  const skipped: { item: string; reason: string }[] = [];
  let done = items.length - dataset.missing.length;
  for (const number of dataset.missing) {
    signal.throwIfAborted();
    const item = items[number]!;
    const calibration = await calibrations(item);
    const problem: { error?: unknown } = {};
    const clips = noting(problem, async function* () {
      const clip = await openSourceClip(source, item, layout);
      yield* clipsOf({ ...options, clip, item, poser, calibration });
    });
    try {
      await dataset.put(number, { clips });
    } catch (error) {
      // Only what is wrong with a file of the source is passed over; a full disk or a bug ends the run.
      if (error !== problem.error || !isFileProblem(error)) throw error;
      await dataset.put(number, { skipped: error.message });
      skipped.push({ item: item.name, reason: error.message });
    }
    emit({ kind: 'progress', stage: 'import', done: ++done, total: items.length, unit: 'items' });
  }
  const totals = await dataset.finish();
  const itemsImported = dataset.missing.length - skipped.length;
  return { totals, heldOutItems: heldOut, itemsImported, skipped };
}

/** The steps of a generator; what it throws is noted. */
async function* noting<T>(
  problem: { error?: unknown },
  steps: () => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* steps();
  } catch (error) {
    problem.error = error;
    throw error;
  }
}

function isFileProblem(error: unknown): error is AvatarError {
  if (error instanceof BadInputError) return true;
  // A link to nowhere.
  return error instanceof MissingResourceError && error.code === 'file-not-found';
}

type ClipContext = ImportOptions & {
  readonly clip: SourceClip;
  readonly item: SourceItem;
  readonly poser: HeadPoser;
  readonly calibration: CalibratedCamera | null;
};

/** The clips of an item, one after the other. */
async function* clipsOf(context: ClipContext): AsyncGenerator<EncodedClip, void, undefined> {
  const { clip, item, sizePx, poser, signal } = context;
  const track = await trackOf(context);
  const window = track === null || sizePx === null ? null : clipWindow(track, poser);
  let [part, first] = [0, 0];
  let frames: EncodedPicture[] = [];
  let masks: Uint8Array[] = [];
  let size: { readonly width: number; readonly height: number } | null = null;
  const encodePart = (): EncodedClip => {
    const key = clip.isSequence ? `${item.name}-${String(part).padStart(3, '0')}` : item.name;
    const last = first + frames.length;
    const encoded = encodeClip({
      key: clipKey(key),
      info: infoOf(context, size!, track, window),
      track: track && partOfTrack(track, first, last, window && { window, sizePx: sizePx! }),
      frames,
      maps: masks.length > 0 ? { person: masks } : {},
    });
    [part, first, frames, masks] = [part + 1, last, [], []];
    return encoded;
  };
  for await (const frame of clip.frames()) {
    signal.throwIfAborted();
    const { width, height } = frame.image;
    if (size !== null && (size.width !== width || size.height !== height))
      throw sizeChange(item, size, frame.image);
    size = { width, height };
    const cut = window === null ? frame.image : cutWindow(frame.image, window, sizePx!);
    frames.push(await storedPicture(frame, window === null ? null : cut));
    if (context.segmenter !== null) masks.push(await personMask(context.segmenter, cut));
    if (frames.length === MAX_CLIP_FRAMES) yield encodePart();
  }
  if (frames.length > 0) yield encodePart();
}

async function trackOf({
  tracker,
  clip,
  item,
  calibration,
  head,
  signal,
}: ClipContext): Promise<HeadTrack | null> {
  if (tracker === null) return null;
  const provenance = { source: item.name };
  const focal = calibration === null ? {} : { focalPx: calibration.focalXPx };
  if (clip.isSequence) {
    const { track } = await tracker.trackClip(abortable(clip.frames(), signal), { provenance, ...focal });
    return track;
  }
  for await (const { image } of clip.frames()) {
    const { parameters, focalPx, confidence, landmarksPx } = await tracker.trackImage(image, focal);
    const { width, height } = image;
    return {
      ...{ headName: head.name, width, height, focalPx, ...parameters, landmarksPx, provenance },
      timestampsSeconds: Float64Array.of(0),
      confidence: Float32Array.of(confidence),
    };
  }
  return null;
}

/**
 * One square for the whole clip: it holds the head's own window in every tracked frame, and lies inside the picture.
 */
function clipWindow(track: HeadTrack, poser: HeadPoser): CropWindow {
  const camera = trackCamera(track);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let frame = 0; frame < frameCount(track); frame++) {
    if (track.confidence[frame] === 0) continue;
    const joints = poser.joints(parametersAt(track, frame));
    const middle = [0, 1, 2].map((axis) => (joints[9 + axis]! + joints[12 + axis]!) / 2);
    const { leftPx, topPx, sizePx } = headWindow(camera, middle);
    [left, top] = [Math.min(left, leftPx), Math.min(top, topPx)];
    [right, bottom] = [Math.max(right, leftPx + sizePx), Math.max(bottom, topPx + sizePx)];
  }
  const sizePx = Math.min(Math.max(right - left, bottom - top), track.width, track.height);
  const place = (low: number, high: number, extent: number): number =>
    Math.min(extent - sizePx, Math.max(0, (low + high - sizePx) / 2));
  return { leftPx: place(left, right, track.width), topPx: place(top, bottom, track.height), sizePx };
}

function infoOf(
  { item, label, licence, clip, name, sizePx, calibration }: ClipContext,
  size: { readonly width: number; readonly height: number },
  track: HeadTrack | null,
  window: CropWindow | null,
): ClipInfo {
  const seen = (camera: Camera): Camera =>
    plainCamera(window === null ? camera : cropCamera(camera, window, sizePx!));
  return {
    identity: item.identity,
    label,
    kind: clip.isSequence ? 'sequence' : 'views',
    split: item.split,
    licence,
    origin: `${name}: ${item.files[0]}`,
    sequence: item.sequence,
    view: item.view,
    width: window === null ? size.width : sizePx!,
    height: window === null ? size.height : sizePx!,
    framesPerSecond: clip.isSequence ? DATASET_FRAMES_PER_SECOND : null,
    camera: track === null || window === null ? null : seen(trackCamera(track)),
    calibration: calibration && seen({ ...size, ...calibration }),
  };
}

/** As lists, so that it can be written as JSON. */
function plainCamera(camera: Camera): Camera {
  const { rotation, translation } = camera.cameraFromWorld;
  return {
    ...camera,
    cameraFromWorld: { rotation: Array.from(rotation), translation: Array.from(translation) },
  };
}

/** Frames from `first` to before `last`, with sizes and landmarks of the cut pictures. */
function partOfTrack(
  track: HeadTrack,
  first: number,
  last: number,
  cut: { readonly window: CropWindow; readonly sizePx: number } | null,
): HeadTrack {
  const count = frameCount(track);
  const part = (values: Float32Array): Float32Array => {
    const width = values.length / count;
    return values.slice(first * width, last * width);
  };
  const whole = {
    ...track,
    timestampsSeconds: track.timestampsSeconds.slice(first, last),
    expression: part(track.expression),
    jointRotations: part(track.jointRotations),
    translation: part(track.translation),
    confidence: part(track.confidence),
    landmarksPx: part(track.landmarksPx),
  };
  if (cut === null) return whole;
  const { leftPx, topPx, sizePx: side } = cut.window;
  const scale = cut.sizePx / side;
  return {
    ...whole,
    width: cut.sizePx,
    height: cut.sizePx,
    focalPx: track.focalPx * scale,
    landmarksPx: whole.landmarksPx.map((value, i) => {
      const frame = Math.floor(i / (whole.landmarksPx.length / (last - first)));
      if (whole.confidence[frame] === 0) return value;
      return (value - (i % 2 === 0 ? leftPx : topPx)) * scale;
    }),
  };
}

function cutWindow(image: RgbImage, { leftPx, topPx, sizePx: side }: CropWindow, sizePx: number): RgbImage {
  return resampleWindow(image, { leftPx, topPx, widthPx: side, heightPx: side }, sizePx, sizePx);
}

/** A cut frame newly encoded; a whole one as its file has it, if that can be. */
async function storedPicture(frame: SourceFrame, cut: RgbImage | null): Promise<EncodedPicture> {
  if (cut !== null) return encodeFrame(cut);
  const asIs = frame.file === null ? null : await storableBytes(new Uint8Array(await readFile(frame.file)));
  return asIs ?? encodeFrame(frame.image);
}

async function personMask(segmenter: PersonSegmenter, image: RgbImage): Promise<Uint8Array> {
  return encodeMask(await segmenter.mask(image), image.width, image.height);
}

/** The camera of an item, its calibration file read once. */
function createCalibrations(
  source: string,
  { calibrationScale }: Layout,
): (item: SourceItem) => Promise<CalibratedCamera | null> {
  let known: { readonly file: string; readonly cameras: ReadonlyMap<string, CalibratedCamera> } | null = null;
  return async ({ calibration: file, view }) => {
    if (file === null || view === null) return null;
    if (known?.file !== file) {
      const bytes = new Uint8Array(await readFile(join(source, file)));
      known = { file, cameras: parseCalibration(bytes, join(source, file), calibrationScale) };
    }
    return known.cameras.get(view) ?? null;
  };
}

function sizeChange(
  { name }: SourceItem,
  was: { readonly width: number; readonly height: number },
  is: { readonly width: number; readonly height: number },
): BadInputError {
  return new BadInputError({
    code: 'frame-sizes',
    message: `Expected all pictures of ${name} to be ${was.width} x ${was.height}, but one is ${is.width} x ${is.height}.`,
    hint: 'Bring them to one size, or group them differently in a mapping file.',
  });
}
