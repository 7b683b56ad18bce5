// From the network's landmarks to what the fit may believe of them in this frame: weights and scale.

import type { Observation } from './frame-system.ts';
import type { LandmarkModel } from './landmark-model.ts';
import type { ImageCentre } from './landmark-projection.ts';

/** Places of the face mesh, as the subject has them. */
const EYES = {
  right: { outer: 33, inner: 133, upper: [159, 158, 160], lower: [145, 153, 144], firstIris: 468 },
  left: { outer: 263, inner: 362, upper: [386, 385, 387], lower: [374, 380, 373], firstIris: 473 },
} as const;
const [FOREHEAD, CHIN] = [10, 152];

/** Lids closer than this share of the eye's width hide the iris; at the second it is seen fully. */
const IRIS_HIDDEN = 0.1;
const IRIS_SEEN = 0.2;
/** A face's height over its outer-eye-corner distance; keeps the scale when the head is turned. */
const HEIGHT_PER_EYE_DISTANCE = 1.9;

const FAR_SIDE_TRUST = 0.1;
/** Of points beyond the picture's border: the network guesses them. */
const BEYOND_TRUST = 0.1;

/** Distance of the outer eye corners, pixels. */
export function outerEyeDistance(landmarksPx: ArrayLike<number>): number {
  return distance(landmarksPx, EYES.right.outer, EYES.left.outer);
}

/** Size of a face, pixels: about the distance of the outer eye corners, also where the head is turned. */
export function faceScale(landmarksPx: ArrayLike<number>): number {
  const height = distance(landmarksPx, FOREHEAD, CHIN) / HEIGHT_PER_EYE_DISTANCE;
  return Math.max(outerEyeDistance(landmarksPx), height);
}

/** Focal length over the longer side of a picture, where nothing is known: about 36 degrees. */
const ASSUMED_FOCAL = 1.5;
/** Faces are assumed to be at least this far away. */
const NEAR_METRES = 1;
/** Width of a face as `faceScale` measures it, metres. */
const FACE_SCALE_METRES = 0.09;

/** The focal length with which a face of such landmarks is so far away, pixels. */
export function focalAtDistance(landmarksPx: ArrayLike<number>, distanceMetres: number): number {
  return (distanceMetres * faceScale(landmarksPx)) / FACE_SCALE_METRES;
}

/**
 * The focal length assumed for a picture: that of a usual lens, or a longer one where the face would be
 * nearer than people let cameras come: a cropped picture.
 */
export function assumedFocalPx(
  size: { readonly width: number; readonly height: number },
  landmarksPx?: ArrayLike<number>,
): number {
  const usual = ASSUMED_FOCAL * Math.max(size.width, size.height);
  return landmarksPx === undefined ? usual : Math.max(usual, focalAtDistance(landmarksPx, NEAR_METRES));
}

/** How far an eye is open: the lids' distance over the eye's width; about 0.3 open, below 0.1 closed. */
export function eyeOpening(landmarksPx: ArrayLike<number>, side: 'left' | 'right'): number {
  const eye = EYES[side];
  const gaps = eye.upper.map((upper, i) => distance(landmarksPx, upper, eye.lower[i]!));
  return gaps.reduce((sum, gap) => sum + gap, 0) / (3 * distance(landmarksPx, eye.outer, eye.inner));
}

/**
 * Prepares landmarks for the fit: irises count as far as the lids are open, and points of the skin as far
 * as they face the camera (those on the far side are guessed by the network); what lies beyond the border counts little.
 * @param centre of the picture, which is taken to be twice as large
 * @param rotation the head's rotation, 3 x 3, as far as it is known
 */
export function observeLandmarks(
  model: LandmarkModel,
  landmarksPx: Float32Array,
  centre: ImageCentre,
  rotation: Float64Array | null,
): Observation {
  const weights = model.weights.slice();
  for (const side of ['left', 'right'] as const) {
    const opening = (eyeOpening(landmarksPx, side) - IRIS_HIDDEN) / (IRIS_SEEN - IRIS_HIDDEN);
    const seen = Math.min(1, Math.max(0, opening));
    for (let i = 0; i < 5; i++) weights[EYES[side].firstIris + i]! *= seen;
  }
  if (rotation !== null) {
    for (let l = 0; l < EYES.right.firstIris; l++) {
      let facing = 0;
      for (let k = 0; k < 3; k++) facing += rotation[6 + k]! * model.normals[3 * l + k]!;
      weights[l]! *= Math.min(1, Math.max(FAR_SIDE_TRUST, (facing + 0.2) / 0.5));
    }
  }
  for (let l = 0; l < weights.length; l++) {
    const [x, y] = [landmarksPx[2 * l]!, landmarksPx[2 * l + 1]!];
    if (x < 0 || y < 0 || x > 2 * centre.xPx || y > 2 * centre.yPx) weights[l]! *= BEYOND_TRUST;
  }
  return { landmarksPx, weights, scalePx: faceScale(landmarksPx), centre };
}

function distance(points: ArrayLike<number>, a: number, b: number): number {
  return Math.hypot(points[2 * a]! - points[2 * b]!, points[2 * a + 1]! - points[2 * b + 1]!);
}
