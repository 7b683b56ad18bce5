// What steers the model, frame by frame, from a track and, for its pictures, the clip that it was made from.

import { existsSync } from 'node:fs';
import { BadInputError } from '../errors/index.ts';
import { type EventSink, silentSink } from '../events/index.ts';
import {
  activateField,
  bindGaussians,
  type GaussianField,
  initialiseField,
  readField,
  rebindField,
  type SplatImages,
} from '../gaussians/index.ts';
import { frameCount, type HeadModel, type HeadTrack, resizeTrack } from '../head/index.ts';
import { clipPiece, type RgbImage, resizeImage, sizeToFit, type VideoSource } from '../media/index.ts';
import { decodeWeights } from '../nn/index.ts';
import { createControlPreview } from '../tracking/index.ts';
import { SHIPPED_AVATAR } from './avatar-weights.ts';
import { readBytes } from './model-files.ts';
import { rangeOfTrack } from './track-input.ts';
import { readVideo } from './video-file.ts';

/** One frame of a control. */
export type ControlFrame = SplatImages & {
  readonly index: number;
  /** On the track's clock. */
  readonly timestampSeconds: number;
  /** Frame (where the clip is known), mesh over it with the landmarks, feature map, side by side. */
  preview(): RgbImage;
};

/** How a control is rendered. */
export type ControlOptions = {
  readonly head: HeadModel;
  /** The clip of the track, as a path or opened; without it previews have no pictures. */
  readonly clip?: string | VideoSource | undefined;
  /** Weights whose Gaussian field to show; else the package's. */
  readonly weights?: string | undefined;
  /** Longer side of the map and of the previews at most; the default is that of the pictures. */
  readonly maxSidePx?: number | undefined;
  /** Of a field that no training has seen, where there are no weights. */
  readonly seed?: number | undefined;
  readonly onEvent?: EventSink;
};

/**
 * Renders what steers the model: for every frame of a track, the Gaussian features splatted at the size of its
 * pictures. Memory does not grow with the track. An opened clip is the tracked piece itself; of a path, that
 * piece is sought.
 * @throws BadInputError `track-of-other-clip`, `no-gaussian-field`
 */
export async function* renderControl(
  track: HeadTrack,
  options: ControlOptions,
): AsyncGenerator<ControlFrame, void, undefined> {
  const { head, clip, seed = 0, onEvent = silentSink } = options;
  const loaded = await loadField(options);
  const binding = bindGaussians(head, { uvSize: loaded?.uvSize });
  const field = loaded && rebindField(loaded, binding, head.template, seed);
  if (field === null) {
    const message = 'There are no weights: the feature map shows the field as it is before training.';
    onEvent({ kind: 'log', level: 'info', message });
  }
  const shown = activateField(field ?? initialiseField(binding, head.template, seed));
  const box = { width: options.maxSidePx ?? Infinity, height: options.maxSidePx ?? Infinity };
  const isLarge = track.width > box.width || track.height > box.height;
  const { width, height } = isLarge ? sizeToFit(track, box) : track;
  const sized = isLarge ? resizeTrack(track, { width, height }) : track;
  const renderer = createControlPreview(head, sized, binding, shown);
  using whole = typeof clip === 'string' ? await readVideo(clip) : null;
  const piece = whole === null ? (clip as VideoSource | undefined) : clipPiece(whole, rangeOfTrack(track));
  if (piece !== undefined) expectSameSize(piece, track);
  const total = frameCount(track);
  let index = 0;
  for await (const image of piece === undefined ? noPictures(total) : picturesOf(piece)) {
    if (index === total) break;
    const frame = index++;
    const map = renderer.splat(frame);
    yield {
      ...map,
      index: frame,
      timestampSeconds: track.timestampsSeconds[frame]!,
      preview: () => renderer.render(frame, image && resizeImage(image, width, height), map),
    };
    onEvent({ kind: 'progress', stage: 'render', done: index, total, unit: 'frames' });
  }
}

async function* picturesOf(clip: VideoSource): AsyncGenerator<RgbImage, void, undefined> {
  for await (const { image } of clip.frames()) yield image;
}

function* noPictures(count: number): Generator<null, void, undefined> {
  for (let i = 0; i < count; i++) yield null;
}

/** The Gaussian field of the named weights, else of the package's; null where the package has none. */
async function loadField({ weights: path }: ControlOptions): Promise<GaussianField | null> {
  if (path === undefined && !existsSync(SHIPPED_AVATAR)) return null;
  const file = path ?? SHIPPED_AVATAR;
  const { weights, metadata } = decodeWeights(await readBytes(file, 'trained weights'), file);
  const field = readField(weights, metadata);
  if (field !== null) return field;
  throw new BadInputError({
    code: 'no-gaussian-field',
    message: `Expected weights with a Gaussian field, but ${file} holds none.`,
    hint: 'Give the weights that training wrote, or leave --weights out.',
  });
}

function expectSameSize({ name, width, height }: VideoSource, track: HeadTrack): void {
  if (width === track.width && height === track.height) return;
  throw new BadInputError({
    code: 'track-of-other-clip',
    message: `Expected the clip of the track, ${track.width} x ${track.height}, but ${name} is ${width} x ${height}.`,
    hint: 'Give the clip that was tracked, or track this one.',
  });
}
