// The face as a small grey picture, for what the expression network sees beyond the landmarks: creases, shadows,
// teeth, the form of the brows. Placed by points that expressions hardly move, so that the jaw and the brows move in it.

import type { AffineMap, RgbImage } from '../media/index.ts';
import { warpGrey } from '../media/index.ts';

/** Side of a patch, pixels. */
export const FACE_PATCH_SIZE = 128;

/** Places of the face mesh: outer corners of the eyes, bridge and base of the nose. */
const [RIGHT_EYE, LEFT_EYE, BRIDGE, NOSE_BASE] = [33, 263, 168, 2] as const;
/** The nose's length over the distance of the outer eye corners; keeps the scale when the head turns. */
const NOSE_PER_EYE_DISTANCE = 0.53;
/** Side of the patch over that scale. */
const EXTENT = 2.6;
/** The patch's centre on the way from bridge to base of the nose: hairline, ears and chin lie within. */
const CENTRE_SHARE = 0.65;

/** The middle of the patch, pixels of the picture. */
export function patchCentre(landmarksPx: ArrayLike<number>): readonly [x: number, y: number] {
  const along = (axis: number): number => {
    const bridge = landmarksPx[2 * BRIDGE + axis]!;
    return bridge + CENTRE_SHARE * (landmarksPx[2 * NOSE_BASE + axis]! - bridge);
  };
  return [along(0), along(1)];
}

/** How a patch lies in a picture: its middle, its side in pixels of the picture, and its roll, radians. */
type PatchFrame = {
  readonly centre: readonly [x: number, y: number];
  readonly sidePx: number;
  readonly roll: number;
};

function patchFrame(landmarksPx: ArrayLike<number>): PatchFrame {
  const at = (l: number): readonly [number, number] => [landmarksPx[2 * l]!, landmarksPx[2 * l + 1]!];
  const [right, left, bridge, base] = [at(RIGHT_EYE), at(LEFT_EYE), at(BRIDGE), at(NOSE_BASE)];
  const roll = Math.atan2(left[1] - right[1], left[0] - right[0]);
  const eyes = Math.hypot(left[0] - right[0], left[1] - right[1]);
  const nose = Math.hypot(base[0] - bridge[0], base[1] - bridge[1]);
  const sidePx = EXTENT * Math.max(eyes, nose / NOSE_PER_EYE_DISTANCE);
  return { centre: patchCentre(landmarksPx), sidePx, roll };
}

/** What a patch shows of a picture: the map from its pixels to the picture's. */
function patchMap(landmarksPx: ArrayLike<number>): AffineMap {
  const { centre, sidePx, roll } = patchFrame(landmarksPx);
  const scale = sidePx / FACE_PATCH_SIZE;
  const [a, d] = [scale * Math.cos(roll), scale * Math.sin(roll)];
  const half = FACE_PATCH_SIZE / 2;
  const [x, y] = centre;
  return [a, -d, x - a * half + d * half, d, a, y - d * half - a * half];
}

/** The face of a picture, `H W`, luma 0 to 255; level with the line through both eyes. */
export function facePatch(image: RgbImage, landmarksPx: ArrayLike<number>): Uint8Array {
  const size = { width: FACE_PATCH_SIZE, height: FACE_PATCH_SIZE };
  const grey = warpGrey(image, { sourceFromTarget: patchMap(landmarksPx), ...size });
  const patch = new Uint8Array(grey.length);
  for (let i = 0; i < patch.length; i++) patch[i] = Math.round(grey[i]!);
  return patch;
}

/** Where landmarks (`L 2`) lie in the patch, from its middle, over half its side: to the right and down. */
export function patchPlaces(landmarksPx: ArrayLike<number>): Float32Array {
  const { centre, sidePx, roll } = patchFrame(landmarksPx);
  const [cosine, sine] = [(2 * Math.cos(roll)) / sidePx, (2 * Math.sin(roll)) / sidePx];
  const places = new Float32Array(landmarksPx.length);
  for (let l = 0; l < places.length; l += 2) {
    const [x, y] = [landmarksPx[l]! - centre[0], landmarksPx[l + 1]! - centre[1]];
    places[l] = cosine * x + sine * y;
    places[l + 1] = cosine * y - sine * x;
  }
  return places;
}
