// Follows one face from picture to picture: the landmarks of one frame say where to look in the next, and
// the detector is asked only at the start and when the face is lost.

import type { RgbImage } from '../media/index.ts';
import type { DetectedFace, FaceDetector } from './face-detector.ts';
import type { LandmarkNetwork } from './face-landmarks.ts';
import { regionFromBox, regionFromLandmarks } from './face-region.ts';

/** What was found in one picture. */
export type FollowedFace = {
  /** `478 2`, pixels. */
  readonly landmarksPx: Float32Array;
  readonly presence: number;
  /** How many faces the detector saw; 0 where it was not asked. */
  readonly facesDetected: number;
};

/** The state of following one face; pictures are given in order. */
export type FaceFollower = {
  /** Looks at the next picture; null where no face is found. */
  next(image: RgbImage): Promise<FollowedFace | null>;
};

/** Below this the network says that its region holds no face. */
const MIN_PRESENCE = 0.5;
/** A detected face of this share of the followed one's size, or nearer than it, is taken for the same. */
const SAME_FACE_DISTANCE = 1;

/** Starts following the largest face of the first picture. */
export function createFaceFollower(detector: FaceDetector, network: LandmarkNetwork): FaceFollower {
  let last: Float32Array | null = null;

  const acquire = async (image: RgbImage): Promise<FollowedFace | null> => {
    const faces = await detector.detect(image);
    const face = last === null ? faces[0] : (sameFace(faces, last) ?? faces[0]);
    if (face === undefined) return null;
    const first = await network.locate(
      image,
      regionFromBox(face, [face.keyPointsPx[0]!, face.keyPointsPx[1]!]),
    );
    if (first.presence < MIN_PRESENCE) return null;
    // The box is coarse: landmarks of a region made of landmarks are finer.
    const second = await network.locate(image, regionFromLandmarks(first.landmarksPx));
    return second.presence < MIN_PRESENCE ? null : { ...second, facesDetected: faces.length };
  };

  return {
    async next(image) {
      if (last !== null) {
        const seen = await network.locate(image, regionFromLandmarks(last));
        if (seen.presence >= MIN_PRESENCE) {
          last = seen.landmarksPx;
          return { ...seen, facesDetected: 0 };
        }
      }
      const found = await acquire(image);
      if (found !== null) last = found.landmarksPx;
      return found;
    },
  };
}

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
