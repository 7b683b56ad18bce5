// The landmarks by what they lie on, and how far each group may be trusted in a fit.
// The oval follows the silhouette, not the skin; brows follow hair. Figures: docs/tracking.md.

import { LEFT_EYE_POINTS, LIP_POINTS, RIGHT_EYE_POINTS } from '../convert-perception/landmark-order.ts';

/** The lids' rims: the first 16 of each eye's refinement list. */
export const LID_POINTS: ReadonlySet<number> = new Set([
  ...RIGHT_EYE_POINTS.slice(0, 16),
  ...LEFT_EYE_POINTS.slice(0, 16),
]);

/** All points of the lips. */
export const MOUTH_POINTS: ReadonlySet<number> = new Set(LIP_POINTS);

/** The subject's right iris, then the left, five points each. */
export const IRIS_POINTS: {
  readonly rightEyeball: readonly number[];
  readonly leftEyeball: readonly number[];
} = {
  rightEyeball: [468, 469, 470, 471, 472],
  leftEyeball: [473, 474, 475, 476, 477],
};

// biome-ignore format: contours
/** The face's outline and the points beside it that slide along the silhouette. */
const OVAL_POINTS: ReadonlySet<number> = new Set([
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
  152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
  366, 137, 447, 227, 401, 177,
]);

// biome-ignore format: contours
const BROW_POINTS: ReadonlySet<number> = new Set([
  70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282, 283, 276,
]);

/** Trust in a landmark before its own spread is known. */
export function groupWeight(landmark: number): number {
  if (LID_POINTS.has(landmark) || landmark >= 468) return 1.6;
  if (MOUTH_POINTS.has(landmark)) return 1.5;
  if (OVAL_POINTS.has(landmark)) return 0.35;
  if (BROW_POINTS.has(landmark)) return 1;
  return 0.8;
}
