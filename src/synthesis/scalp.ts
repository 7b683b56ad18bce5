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

/** The hairline's height by whole degrees. */
const HEIGHTS = Float64Array.from({ length: 181 }, (_, degrees) => {
  const i = Math.max(
    1,
    HAIRLINE.findIndex(([d]) => degrees <= d),
  );
  const [d0, h0] = HAIRLINE[i - 1]!;
  const [d1, h1] = HAIRLINE[i]!;
  return h0 + ((h1 - h0) * (degrees - d0)) / (d1 - d0);
});

/** How much hair grows at a point of the skin: 0 none to 1 full, soft over about 12 mm at the hairline. */
export function scalpCover(hair: SubjectTraits['hair'], x: number, y: number, z: number): number {
  const side = Math.abs(x);
  const front = z - SKULL_AXIS_Z;
  // No hairline is lower than this: not at the nape, not before 45 degrees.
  if (y < -0.08 || (front > side && y < 0.043)) return 0;
  const degrees = (Math.atan2(side, front) * 180) / Math.PI;
  let height = hairlineHeight(degrees);
  if (degrees < 75) {
    // Temples go back first, then the whole front.
    const temple = (degrees - 28) / 16;
    height += Math.min(1.2, hair.recession) * (0.012 + 0.022 * Math.exp(-(temple * temple)));
  }
  const t = Math.min(1, Math.max(0, (y - height + 0.005) / 0.013));
  return t * t * (3 - 2 * t);
}

function hairlineHeight(degrees: number): number {
  const whole = Math.min(179, Math.floor(degrees));
  return HEIGHTS[whole]! + (degrees - whole) * (HEIGHTS[whole + 1]! - HEIGHTS[whole]!);
}
