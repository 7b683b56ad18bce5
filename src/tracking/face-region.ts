// Where in a picture a face is looked at: a square, turned so that the eyes lie level, as the landmark
// network was trained. Source of the rules: MediaPipe's face landmark graph (square of the longer side,
// 1.5 times as large).

import type { AffineMap } from '../media/index.ts';

/** A turned square of a picture. */
export type FaceRegion = {
  readonly centreXPx: number;
  readonly centreYPx: number;
  readonly sizePx: number;
  /** Clockwise on the screen; 0 where the eyes lie level. */
  readonly rollRadians: number;
};

const EXPANSION = 1.5;
/** Outer eye corners in the face mesh: the subject's right and left. */
const OUTER_EYE_CORNERS = [33, 263] as const;
const MESH_POINTS = 468;

/** The region around a detected box whose eyes are at the given points. */
export function regionFromBox(
  box: {
    readonly leftPx: number;
    readonly topPx: number;
    readonly rightPx: number;
    readonly bottomPx: number;
  },
  eyes: readonly [right: readonly [number, number], left: readonly [number, number]],
): FaceRegion {
  return {
    centreXPx: (box.leftPx + box.rightPx) / 2,
    centreYPx: (box.topPx + box.bottomPx) / 2,
    sizePx: EXPANSION * Math.max(box.rightPx - box.leftPx, box.bottomPx - box.topPx),
    rollRadians: Math.atan2(eyes[1][1] - eyes[0][1], eyes[1][0] - eyes[0][0]),
  };
}

/** The region for the next look at a face whose landmarks (`478 2`, pixels) are known. */
export function regionFromLandmarks(landmarksPx: Float32Array): FaceRegion {
  const [right, left] = OUTER_EYE_CORNERS;
  const rollRadians = Math.atan2(
    landmarksPx[2 * left + 1]! - landmarksPx[2 * right + 1]!,
    landmarksPx[2 * left]! - landmarksPx[2 * right]!,
  );
  const [cosine, sine] = [Math.cos(rollRadians), Math.sin(rollRadians)];
  let [minX, maxX, minY, maxY] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < MESH_POINTS; i++) {
    const [x, y] = [landmarksPx[2 * i]!, landmarksPx[2 * i + 1]!];
    const level = cosine * x + sine * y;
    const upright = cosine * y - sine * x;
    minX = Math.min(minX, level);
    maxX = Math.max(maxX, level);
    minY = Math.min(minY, upright);
    maxY = Math.max(maxY, upright);
  }
  const [level, upright] = [(minX + maxX) / 2, (minY + maxY) / 2];
  return {
    centreXPx: cosine * level - sine * upright,
    centreYPx: sine * level + cosine * upright,
    sizePx: EXPANSION * Math.max(maxX - minX, maxY - minY),
    rollRadians,
  };
}

/** The map that cuts a region out, to a square of `targetSizePx`. */
export function regionMap(region: FaceRegion, targetSizePx: number): AffineMap {
  const scale = region.sizePx / targetSizePx;
  const a = scale * Math.cos(region.rollRadians);
  const d = scale * Math.sin(region.rollRadians);
  const half = targetSizePx / 2;
  return [a, -d, region.centreXPx - a * half + d * half, d, a, region.centreYPx - d * half - a * half];
}
