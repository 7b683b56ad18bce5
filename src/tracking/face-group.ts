// Follows every face of a clip, each by its own landmarks: whoever is where a face just was is that face, so
// that two who look alike stay apart as long as they do not cross.

import type { RgbImage } from '../media/index.ts';
import type { DetectedFace, FaceDetector } from './face-detector.ts';
import type { FollowedFace } from './face-follower.ts';
import type { LandmarkNetwork } from './face-landmarks.ts';
import { type FaceRegion, regionFromBox, regionFromLandmarks } from './face-region.ts';

/** The state of following all faces; pictures are given in order. */
export type FaceGroup = {
  /**
   * Looks at the next picture: one entry for every face met so far, null where it is not seen now.
   * @param options.isNewShot the picture cut: faces are looked for anew
   */
  next(
    image: RgbImage,
    options?: { readonly isNewShot?: boolean },
  ): Promise<readonly (FollowedFace | null)[]>;
};

/** Below this the network says that its region holds no face. */
const MIN_PRESENCE = 0.5;
/** Newcomers are looked for this often, in frames; at once after a face was lost, for as long. */
const DETECTION_INTERVAL = 5;
/** Regions whose centres are nearer than this share of their size hold one face. */
const SAME_PLACE = 0.4;
/**
 * A face that comes back within this share of its size, and within this ratio of it, is the one that went. After a
 * cut it must be in the same place.
 */
const RETURN_DISTANCE = 1;
const RETURN_SIZE_RATIO = 2;

type Member = { landmarksPx: Float32Array; lostFor: number };

/** Starts following the faces of a clip. */
export function createFaceGroup(detector: FaceDetector, network: LandmarkNetwork): FaceGroup {
  const members: Member[] = [];
  let frame = 0;

  /** The landmarks of a detected box, if they are those of a face. */
  const look = async (image: RgbImage, box: DetectedFace): Promise<FollowedFace | null> => {
    const first = await network.locate(image, regionFromBox(box, [box.keyPointsPx[0]!, box.keyPointsPx[1]!]));
    if (first.presence < MIN_PRESENCE) return null;
    const second = await network.locate(image, regionFromLandmarks(first.landmarksPx));
    return second.presence < MIN_PRESENCE ? null : { ...second, facesDetected: 0 };
  };

  const follow = async (image: RgbImage, isNewShot: boolean): Promise<(FollowedFace | null)[]> => {
    if (isNewShot) return members.map(() => null);
    const found: (FollowedFace | null)[] = [];
    for (const { landmarksPx, lostFor } of members) {
      const seen = lostFor > 0 ? null : await network.locate(image, regionFromLandmarks(landmarksPx));
      found.push(seen === null || seen.presence < MIN_PRESENCE ? null : { ...seen, facesDetected: 0 });
    }
    return found;
  };

  /** Of two that ended on one face, the one that moved less is right. */
  const part = (found: (FollowedFace | null)[]): void => {
    const moved = found.map((face, i) => {
      if (face === null) return 0;
      const [before, now] = [members[i]!.landmarksPx, face.landmarksPx].map(regionFromLandmarks);
      return apart(before!, now!);
    });
    for (let a = 0; a < found.length; a++) {
      for (let b = 0; b < a; b++) {
        const [one, other] = [found[a], found[b]];
        if (!one || !other || !isSamePlace(one, other)) continue;
        found[moved[a]! > moved[b]! ? a : b] = null;
      }
    }
  };

  const welcome = async (
    image: RgbImage,
    found: (FollowedFace | null)[],
    isNewShot: boolean,
  ): Promise<void> => {
    const returnDistance = isNewShot ? SAME_PLACE : RETURN_DISTANCE;
    // Small faces take long to find: once a shot.
    for (const box of await detector.detect(image, { closely: isNewShot || frame === 0 })) {
      const place = regionFromBox(box, [box.keyPointsPx[0]!, box.keyPointsPx[1]!]);
      if (found.some((face) => face && apart(regionFromLandmarks(face.landmarksPx), place) < SAME_PLACE))
        continue;
      const face = await look(image, box);
      if (face === null || found.some((other) => other && isSamePlace(other, face))) continue;
      const known = nearestLost(members, found, regionFromLandmarks(face.landmarksPx), returnDistance);
      if (known < 0) {
        members.push({ landmarksPx: face.landmarksPx, lostFor: 0 });
        found.push(face);
      } else {
        found[known] = face;
      }
    }
  };

  return {
    async next(image, { isNewShot = false } = {}) {
      const found = await follow(image, isNewShot);
      part(found);
      const isLost =
        isNewShot || members.some(({ lostFor }, i) => found[i] === null && lostFor < DETECTION_INTERVAL);
      if (isLost || frame % DETECTION_INTERVAL === 0) {
        await welcome(image, found, isNewShot);
      }
      frame++;
      for (const [i, face] of found.entries()) {
        members[i]!.lostFor = face === null ? members[i]!.lostFor + 1 : 0;
        if (face !== null) members[i]!.landmarksPx = face.landmarksPx;
      }
      return found;
    },
  };
}

/** Distance of two regions' centres over the size of the larger. */
function apart(a: FaceRegion, b: FaceRegion): number {
  return Math.hypot(a.centreXPx - b.centreXPx, a.centreYPx - b.centreYPx) / Math.max(a.sizePx, b.sizePx);
}

function isSamePlace(a: FollowedFace, b: FollowedFace): boolean {
  return apart(regionFromLandmarks(a.landmarksPx), regionFromLandmarks(b.landmarksPx)) < SAME_PLACE;
}

/** Which of the faces that are away was nearest to a place; -1 if none was near. */
function nearestLost(
  members: readonly Member[],
  found: readonly (FollowedFace | null)[],
  place: FaceRegion,
  returnDistance: number,
): number {
  let [nearest, least] = [-1, returnDistance];
  for (const [i, { landmarksPx }] of members.entries()) {
    if (found[i] !== null) continue;
    const region = regionFromLandmarks(landmarksPx);
    const ratio = Math.max(region.sizePx, place.sizePx) / Math.min(region.sizePx, place.sizePx);
    const distance = apart(region, place);
    if (ratio > RETURN_SIZE_RATIO || distance >= least) continue;
    [nearest, least] = [i, distance];
  }
  return nearest;
}
