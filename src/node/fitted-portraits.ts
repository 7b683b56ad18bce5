// The portraits of a folder with the heads that the tracker fits to them, one after the other, framed as the
// avatar frames heads: what lifting and skin baking begin with.

import { join } from 'node:path';
import { headWindow } from '../avatar/index.ts';
import { LAYOUTS, planImport } from '../dataset/index.ts';
import { BadInputError } from '../errors/index.ts';
import { cropCamera, frontCamera } from '../geometry/index.ts';
import type { HeadPoser } from '../head/index.ts';
import type { LiftSource } from '../lift/index.ts';
import { resampleMask, resampleWindow } from '../media/index.ts';
import type { Tracker } from '../tracking/index.ts';
import { listFiles } from './dataset-sources.ts';
import { readImage } from './image-file.ts';

/** A fit beyond this share of the eyes' distance is another face than the one to be lifted. */
const MAX_LANDMARK_ERROR = 0.05;
const MIN_CONFIDENCE = 0.3;

/** A portrait that is to be fitted: its name without ending, and its file. */
export type PortraitFile = { readonly name: string; readonly path: string; readonly identity: string };

/** The pictures of a folder, also of folders within. @throws as `dataset import` where there are none. */
export async function listPortraits(folder: string): Promise<PortraitFile[]> {
  const items = planImport(LAYOUTS.images, await listFiles(folder), folder);
  return items.map(({ name, identity, files }) => ({ name, identity, path: join(folder, files[0]!) }));
}

/**
 * A portrait cut to a square of `sizePx` around its head, with the head fitted to it.
 * @throws BadInputError where it cannot be read, has no face, or the fit is poor: such portraits are passed over.
 */
export async function fitPortraitFile(
  { path }: PortraitFile,
  {
    tracker,
    poser,
    sizePx,
  }: { readonly tracker: Tracker; readonly poser: HeadPoser; readonly sizePx: number },
): Promise<LiftSource> {
  const { image } = await readImage(path);
  const { parameters, focalPx, landmarkError, confidence } = await tracker.trackImage(image);
  if (landmarkError > MAX_LANDMARK_ERROR || confidence < MIN_CONFIDENCE) {
    throw new BadInputError({
      code: 'poor-fit',
      message: `${path} fits poorly: landmark error ${(100 * landmarkError).toFixed(1)} %, confidence ${confidence.toFixed(2)}.`,
      hint: 'Take a portrait whose face is seen from the front.',
    });
  }
  const personMask = await tracker.personMask(image);
  const camera = frontCamera(image.width, image.height, focalPx);
  const joints = poser.joints(parameters);
  const eyes = [0, 1, 2].map((k) => (joints[9 + k]! + joints[12 + k]!) / 2);
  const window = headWindow(camera, eyes);
  const { leftPx, topPx, sizePx: side } = window;
  const square = { leftPx, topPx, widthPx: side, heightPx: side };
  return {
    image: resampleWindow(image, square, sizePx, sizePx),
    camera: cropCamera(camera, window, sizePx),
    parameters,
    ...(personMask && { personMask: resampleMask({ ...image, data: personMask }, square, sizePx, sizePx) }),
  };
}
