// The eyes as small grey pictures, the left one mirrored, so that both look alike. Where an iris stands shows
// in them better than in the landmarks (docs/tracking.md).

import type { AffineMap, RgbImage } from '../media/index.ts';
import { warpGrey } from '../media/index.ts';
import { faceScale } from './observe.ts';

/** Size of a patch, pixels. */
export const EYE_PATCH = { width: 32, height: 16 } as const;

/** Width of a patch over the size of the face (`faceScale`): one and a half eyes of a face seen from the front. */
const EXTENT = 0.5;
/** Outer and inner corner of each eye in the face mesh. */
const CORNERS = { right: [33, 133], left: [263, 362] } as const;

/**
 * Both eyes, right then left, `2 H W`, luma 0 to 255; the outer corner at the left in both. Level with the
 * line through both eyes and of one scale, so that the errors of an eye's own corners do not move its iris.
 */
export function eyePatches(image: RgbImage, landmarksPx: Float32Array): Uint8Array {
  const { width, height } = EYE_PATCH;
  const plane = width * height;
  const patches = new Uint8Array(2 * plane);
  const at = (l: number): readonly [number, number] => [landmarksPx[2 * l]!, landmarksPx[2 * l + 1]!];
  const [right, left] = [at(CORNERS.right[0]), at(CORNERS.left[0])];
  const roll = Math.atan2(left[1] - right[1], left[0] - right[0]);
  const scale = (EXTENT * faceScale(landmarksPx)) / width;
  for (const [slot, side] of (['right', 'left'] as const).entries()) {
    const [outer, inner] = CORNERS[side].map(at) as [readonly [number, number], readonly [number, number]];
    const mirror = side === 'right' ? 1 : -1;
    const [ax, ay] = [mirror * scale * Math.cos(roll), mirror * scale * Math.sin(roll)];
    const [bx, by] = [-scale * Math.sin(roll), scale * Math.cos(roll)];
    const sourceFromTarget: AffineMap = [
      ax,
      bx,
      (outer[0] + inner[0] - ax * width - bx * height) / 2,
      ay,
      by,
      (outer[1] + inner[1] - ay * width - by * height) / 2,
    ];
    const grey = warpGrey(image, { sourceFromTarget, width, height });
    for (let i = 0; i < plane; i++) patches[slot * plane + i] = Math.round(grey[i]!);
  }
  return patches;
}
