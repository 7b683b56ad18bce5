// What makes pictures of a portrait in motion. The assembled model is one renderer, the lift alone another:
// commands see only this.

import type { Camera, CropWindow } from '../geometry/index.ts';
import { cropCamera, frontCamera } from '../geometry/index.ts';
import type { HeadModel, HeadParameters, HeadPoser } from '../head/index.ts';
import { JOINT_NAMES } from '../head/index.ts';
import { type RgbImage, resampleMask, resampleWindow } from '../media/index.ts';
import { headWindow } from './framing.ts';

/** A picture of a person and the head fitted to it. */
export type FittedPortrait = {
  readonly image: RgbImage;
  readonly parameters: HeadParameters;
  /** Of a `frontCamera` of the picture's size. */
  readonly focalPx: number;
  /** The share of each pixel that the person covers, `H W`, 0 to 255: with it the background stays still. */
  readonly personMask?: Uint8Array | undefined;
  /** The shoulders stay where they are as the head is displaced: for a square that goes back into the portrait. */
  readonly bodyStays?: boolean;
};

/** A portrait cut to the square that the model works on. */
export type FramedPortrait = {
  readonly image: RgbImage;
  readonly parameters: HeadParameters;
  /** The camera of the square; output frames are seen through it too. */
  readonly camera: Camera;
  /** As for the portrait. */
  readonly personMask?: Uint8Array | undefined;
  readonly bodyStays?: boolean;
};

/** Which weights made a picture. */
export type WeightsName = { readonly name: string; readonly sha256: string };

/** Renders one portrait in motion. */
export type AvatarRenderer = {
  readonly head: HeadModel;
  /** Side of the square around the head, in pixels of the pictures. */
  readonly sizePx: number;
  /** Size of the pictures: that of the square, unless it is laid back into the whole portrait. */
  readonly width: number;
  readonly height: number;
  /** Null where no network takes part. */
  readonly weights: WeightsName | null;
  /** How many earlier frames a frame depends on; 0 where each stands by itself. */
  readonly memoryFrames: number;
  /**
   * One picture for each placement of the head, in order. Placements are drawn as they are needed, a window
   * of frames at most ahead, so that memory does not grow with the motion.
   */
  render(
    motion: Iterable<HeadParameters> | AsyncIterable<HeadParameters>,
  ): AsyncGenerator<RgbImage, void, undefined>;
};

/** The square around a portrait's head, in pixels of the portrait. */
export function portraitWindow(poser: HeadPoser, { image, parameters, focalPx }: FittedPortrait): CropWindow {
  const joints = poser.joints(parameters);
  const eyes = (['leftEye', 'rightEye'] as const).map((name) => 3 * JOINT_NAMES.indexOf(name));
  const middle = [0, 1, 2].map((axis) => (joints[eyes[0]! + axis]! + joints[eyes[1]! + axis]!) / 2);
  return headWindow(frontCamera(image.width, image.height, focalPx), middle);
}

/** Cuts a portrait to the square around its head, at `sizePx`. */
export function framePortrait(poser: HeadPoser, portrait: FittedPortrait, sizePx: number): FramedPortrait {
  const { image, parameters, focalPx, personMask, bodyStays = false } = portrait;
  const camera = frontCamera(image.width, image.height, focalPx);
  const window = portraitWindow(poser, portrait);
  const { leftPx: left, topPx: top, sizePx: side } = window;
  const square = { leftPx: left, topPx: top, widthPx: side, heightPx: side };
  return {
    image: resampleWindow(image, square, sizePx, sizePx),
    parameters,
    camera: cropCamera(camera, window, sizePx),
    personMask: personMask && resampleMask({ ...image, data: personMask }, square, sizePx, sizePx),
    bodyStays,
  };
}
