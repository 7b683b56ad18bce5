// How a head is turned as its picture shows it: along the ray from the camera to the face, once the picture is turned so that
// the eyes lie level. That is all that a patch of the face can tell (`face-patch.ts`): where in the picture the face
// stands, and how it rolls, is known from the landmarks.

import { invertRotation, multiplyRotations, rotationFromAxisAngle } from '../geometry/index.ts';
import { patchCentre } from './face-patch.ts';
import { hingeRotation, yawAndPitch } from './head-state.ts';
import type { ImageCentre } from './landmark-projection.ts';

/** `rotation = ray * roll * hingeRotation(yaw, pitch)`; radians. */
export type ApparentTurn = { readonly yaw: number; readonly pitch: number; readonly roll: number };

/** The rotation, `3 3`, that brings a head which looks along the axis to one that looks along the ray of its face. */
export function faceRay(landmarksPx: ArrayLike<number>, centre: ImageCentre, focalPx: number): Float64Array {
  const [xPx, yPx] = patchCentre(landmarksPx);
  // The picture's y points down, the world's up.
  const [right, up] = [(xPx - centre.xPx) / focalPx, (centre.yPx - yPx) / focalPx];
  return hingeRotation(-Math.atan(right), Math.atan2(up, Math.hypot(1, right)));
}

/** Takes a head's rotation, `3 3`, apart. */
export function apparentTurn(rotation: Float64Array, ray: Float64Array): ApparentTurn {
  const seen = multiplyRotations(invertRotation(ray), rotation);
  const roll = Math.atan2(seen[3]!, seen[0]!);
  const level = multiplyRotations(rotationFromAxisAngle([0, 0, -roll]), seen);
  const [yaw, pitch] = yawAndPitch(level);
  return { yaw, pitch, roll };
}

/** Puts it together. */
export function rotationOfTurn({ yaw, pitch, roll }: ApparentTurn, ray: Float64Array): Float64Array {
  const level = hingeRotation(yaw, pitch);
  return multiplyRotations(ray, multiplyRotations(rotationFromAxisAngle([0, 0, roll]), level));
}
