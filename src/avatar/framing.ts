// Which square of a picture the model works on: a fixed extent in metres around the head, so that every
// head is framed alike, whatever the picture's size. Training data and use share this.

import type { Camera, CropWindow, Vector3 } from '../geometry/index.ts';
import { projectPoint } from '../geometry/index.ts';

/** Side of the square around the head, metres at the eyes' depth: hair and the base of the neck fit in. */
export const FRAME_METRES = 0.4;
/** How far below the eyes the square's centre lies, metres. */
export const CENTRE_BELOW_EYES_METRES = 0.025;

/** Options of `headWindow`. */
export type FramingOptions = {
  /** Factor on the square's side; training jitters it. */
  readonly scale?: number;
};

/**
 * The square window around a head, moved and shrunk to lie inside the picture.
 * @param eyesMidpoint world position of the middle between the eyeballs' centres, metres
 */
export function headWindow(
  camera: Camera,
  eyesMidpoint: Vector3,
  { scale = 1 }: FramingOptions = {},
): CropWindow {
  const centre = [eyesMidpoint[0]!, eyesMidpoint[1]! - CENTRE_BELOW_EYES_METRES, eyesMidpoint[2]!];
  const [xPx, yPx, depth] = projectPoint(camera, centre);
  const wantedPx = (scale * FRAME_METRES * camera.focalYPx) / depth;
  const sizePx = Math.min(wantedPx, camera.width, camera.height);
  return {
    leftPx: clamp(xPx - sizePx / 2, 0, camera.width - sizePx),
    topPx: clamp(yPx - sizePx / 2, 0, camera.height - sizePx),
    sizePx,
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
