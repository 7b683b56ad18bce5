// Where hair grows on the mean head, in canonical metres: a hairline by the angle about the skull's axis.

import type { SubjectTraits } from './traits.ts';

/** Depth of the vertical axis through the skull's middle. */
export const SKULL_AXIS_Z = -0.085;

// Height of the hairline by angle from the front: forehead, temple, in front of the ear, behind it, nape.
const HAIRLINE: readonly (readonly [degrees: number, height: number])[] = [
  [0, 0.067],
  [25, 0.064],
  [42, 0.05],
  [58, 0.03],
  [72, 0.0],
  [88, -0.005],
  [105, -0.02],
  [130, -0.055],
  [180, -0.075],
];

/** How much hair grows at a point of the skin: 0 none to 1 full, soft over about 8 mm at the hairline. */
export function scalpCover(hair: SubjectTraits['hair'], x: number, y: number, z: number): number {
  const degrees = (Math.atan2(Math.abs(x), z - SKULL_AXIS_Z) * 180) / Math.PI;
  const recession = Math.min(1.2, hair.recession);
  // Temples go back first, then the whole front.
  const receding =
    recession * (0.012 + 0.022 * Math.exp(-(((degrees - 28) / 16) ** 2))) * (degrees < 75 ? 1 : 0);
  const height = hairlineHeight(degrees) + receding;
  const t = Math.min(1, Math.max(0, (y - height + 0.003) / 0.009));
  return t * t * (3 - 2 * t);
}

function hairlineHeight(degrees: number): number {
  for (let i = 1; i < HAIRLINE.length; i++) {
    const [d0, h0] = HAIRLINE[i - 1]!;
    const [d1, h1] = HAIRLINE[i]!;
    if (degrees <= d1) return h0 + ((h1 - h0) * (degrees - d0)) / (d1 - d0);
  }
  return HAIRLINE[HAIRLINE.length - 1]![1];
}
