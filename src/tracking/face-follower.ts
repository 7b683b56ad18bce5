// Follows one face from picture to picture: the landmarks of one frame say where to look in the next, and
// the detector is asked only at the start and when the face is lost.

import type { RgbImage } from '../media/index.ts';
import type { DetectedFace, FaceDetector } from './face-detector.ts';
import type { LandmarkNetwork } from './face-landmarks.ts';
import { type FaceRegion, regionFromBox, regionFromLandmarks } from './face-region.ts';

/** What was found in one picture. */
export type FollowedFace = {
  /** `478 2`, pixels. */
  readonly landmarksPx: Float32Array;
  readonly presence: number;
  /** Both eyes, as `eyePatches` gives them; without them nothing learned helps the fit. */
  readonly eyes?: Uint8Array;
  /** As an `ExpressionReader` gives it. */
  readonly reading?: Float32Array;
  /** How many faces the detector saw; 0 where it was not asked. */
  readonly facesDetected: number;
};

/** The state of following one face; pictures are given in order. */
export type FaceFollower = {
  /**
   * Looks at the next picture; null where no face is found.
   * @param options.isNewShot the picture cut: the face is looked for anew
   */
  next(image: RgbImage, options?: { readonly isNewShot?: boolean }): Promise<FollowedFace | null>;
};

/** Below this the network says that its region holds no face. */
const MIN_PRESENCE = 0.5;
/** A coarse region that holds a face by this much is worth a finer look. */
const GLIMPSE = 0.2;
/** How many of the detected faces are looked at. */
const MOST_CANDIDATES = 4;
/** Small faces are searched for at once, then in every so many frames: that takes long. */
const CLOSE_LOOK_INTERVAL = 12;
/** A detected face of this share of the followed one's size, or nearer than it, is taken for the same. */
const SAME_FACE_DISTANCE = 1;

/**
 * Starts following the largest face of the first picture.
 * @param options.closeLook where nobody is seen, small faces are searched for in the whole picture now and then, or
 *   `piecemeal`, a part in every picture: no picture takes long, and finding one takes about a second
 */
export function createFaceFollower(
  detector: FaceDetector,
  network: LandmarkNetwork,
  { closeLook = 'whole' }: { readonly closeLook?: 'whole' | 'piecemeal' } = {},
): FaceFollower {
  let last: Float32Array | null = null;
  let lostFor = 0;

  const acquire = async (image: RgbImage): Promise<FollowedFace | null> => {
    const closely = closeLook === 'whole' && lostFor % CLOSE_LOOK_INTERVAL === 0;
    const part = closeLook === 'piecemeal' ? { part: lostFor } : {};
    const faces = await detector.detect(image, { closely, ...part });
    const same = last === null ? undefined : sameFace(faces, last);
    // Shoes and patterns are taken for small faces now and then; their landmarks say that they are none.
    for (const face of (same ? [same, ...faces] : faces).slice(0, MOST_CANDIDATES)) {
      for (const region of regionsOf(face)) {
        const first = await network.locate(image, region);
        if (first.presence < GLIMPSE) continue;
        // The box is coarse: landmarks of a region made of landmarks are finer.
        const second = await network.locate(image, regionFromLandmarks(first.landmarksPx));
        if (second.presence >= MIN_PRESENCE) return { ...second, facesDetected: faces.length };
      }
    }
    return null;
  };

  return {
    async next(image, { isNewShot = false } = {}) {
      if (isNewShot) [last, lostFor] = [null, 0];
      if (last !== null) {
        const seen = await network.locate(image, regionFromLandmarks(last));
        if (seen.presence >= MIN_PRESENCE) {
          last = seen.landmarksPx;
          return { ...seen, facesDetected: 0 };
        }
      }
      const found = await acquire(image);
      lostFor = found === null ? lostFor + 1 : 0;
      if (found !== null) last = found.landmarksPx;
      return found;
    },
  };
}

/** How far a head in profile reaches beyond its box on the side of the nose, over the region's side. */
const PROFILE_SHIFT = 0.15;
const PROFILE_SCALE = 1.2;

/**
 * Where a detected face is looked at, one after the other. The box of a head seen from the side lies too far back for the
 * network, and its eyes too near each other to tell the roll: of 22 renders turned by 58 to 75 degrees, the first
 * region alone finds 12, all three 19.
 */
function regionsOf(face: DetectedFace): FaceRegion[] {
  const [right, left, nose, , rightEar, leftEar] = face.keyPointsPx as DetectedFace['keyPointsPx'] & Corners;
  const region = regionFromBox(face, [right, left]);
  const towards = Math.sign(nose[0] - (rightEar[0] + leftEar[0]) / 2);
  const profile = {
    ...region,
    rollRadians: 0,
    centreXPx: region.centreXPx + towards * PROFILE_SHIFT * region.sizePx,
  };
  return [region, profile, { ...profile, sizePx: PROFILE_SCALE * profile.sizePx }];
}

type Point = readonly [x: number, y: number];
type Corners = readonly [Point, Point, Point, Point, Point, Point];

/** The detected face nearest to where the followed one was, if it is near. */
function sameFace(faces: readonly DetectedFace[], landmarksPx: Float32Array): DetectedFace | undefined {
  const region = regionFromLandmarks(landmarksPx);
  const distanceOf = (face: DetectedFace): number =>
    Math.hypot(
      (face.leftPx + face.rightPx) / 2 - region.centreXPx,
      (face.topPx + face.bottomPx) / 2 - region.centreYPx,
    ) / region.sizePx;
  const near = faces.filter((face) => distanceOf(face) < SAME_FACE_DISTANCE);
  return near.sort((a, b) => distanceOf(a) - distanceOf(b))[0];
}
