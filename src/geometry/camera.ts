// Pinhole cameras with OpenCV's axes: x right, y down, z forward; pixel centres lie at +0.5.
// The world has y up and its viewer on +z, so a camera at the origin that looks along -z is
// `FRONT_CAMERA_FROM_WORLD`.

import type { RigidTransform, Vector3 } from './rigid-transform.ts';
import { transformPoint } from './rigid-transform.ts';

/** A pinhole camera; all `...Px` values in pixels of an image of `width` x `height`. */
export type Camera = {
  readonly width: number;
  readonly height: number;
  readonly focalXPx: number;
  readonly focalYPx: number;
  readonly centreXPx: number;
  readonly centreYPx: number;
  readonly cameraFromWorld: RigidTransform;
};

/** A square window of an image, in its pixels; it may reach over the border. */
export type CropWindow = {
  readonly leftPx: number;
  readonly topPx: number;
  readonly sizePx: number;
};

/** Turns y-up, look-along-minus-z world axes into OpenCV's camera axes, at the origin. */
export const FRONT_CAMERA_FROM_WORLD: RigidTransform = {
  rotation: [1, 0, 0, 0, -1, 0, 0, 0, -1],
  translation: [0, 0, 0],
};

/** The camera at the world's origin, looking along -z, with its centre in the image's middle. */
export function frontCamera(width: number, height: number, focalPx: number): Camera {
  return {
    width,
    height,
    focalXPx: focalPx,
    focalYPx: focalPx,
    centreXPx: width / 2,
    centreYPx: height / 2,
    cameraFromWorld: FRONT_CAMERA_FROM_WORLD,
  };
}

/** The camera whose image is `window` of this camera's image, resampled to `sizePx` x `sizePx`. */
export function cropCamera(camera: Camera, window: CropWindow, sizePx: number): Camera {
  const scale = sizePx / window.sizePx;
  return {
    width: sizePx,
    height: sizePx,
    focalXPx: camera.focalXPx * scale,
    focalYPx: camera.focalYPx * scale,
    centreXPx: (camera.centreXPx - window.leftPx) * scale,
    centreYPx: (camera.centreYPx - window.topPx) * scale,
    cameraFromWorld: camera.cameraFromWorld,
  };
}

/** Projects a world point: `[xPx, yPx, depthMetres]`; the pixel values mean nothing at depth <= 0. */
export function projectPoint(camera: Camera, pointInWorld: Vector3): [number, number, number] {
  const point = transformPoint(camera.cameraFromWorld, pointInWorld);
  const [x, y, z] = [point[0]!, point[1]!, point[2]!];
  return [(camera.focalXPx * x) / z + camera.centreXPx, (camera.focalYPx * y) / z + camera.centreYPx, z];
}
