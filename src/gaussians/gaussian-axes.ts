// Rotations of Gaussians as quaternions w x y z: to a matrix, and its gradient back.
// Source: gsplat's convention, quaternions of any length, normalised on use.

/** Four values: w x y z. */
export type Quaternion = readonly [number, number, number, number];

/** The rotation (3 x 3, row-major) of a quaternion of any length above 0; NaN for one of length 0. */
export function rotationFromQuaternion(quaternion: Quaternion): number[] {
  const [w, x, y, z] = normalise(quaternion);
  return [
    ...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    ...[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    ...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ];
}

/** Carries the gradient of the rotation's nine values back to the quaternion as it was given. */
export function rotationFromQuaternionBackward(
  quaternion: Quaternion,
  gradient: Readonly<ArrayLike<number>>,
): [number, number, number, number] {
  const unit = normalise(quaternion);
  const [w, x, y, z] = unit;
  const g = Array.from(gradient) as [number, number, number, number, number, number, number, number, number];
  const ofUnit = [
    2 * (x * (g[7] - g[5]) + y * (g[2] - g[6]) + z * (g[3] - g[1])),
    2 * (w * (g[7] - g[5]) + y * (g[1] + g[3]) + z * (g[2] + g[6]) - 2 * x * (g[4] + g[8])),
    2 * (w * (g[2] - g[6]) + x * (g[1] + g[3]) + z * (g[5] + g[7]) - 2 * y * (g[0] + g[8])),
    2 * (w * (g[3] - g[1]) + x * (g[2] + g[6]) + y * (g[5] + g[7]) - 2 * z * (g[0] + g[4])),
  ];
  // The length does not matter, so the gradient has no part along the quaternion.
  const along = ofUnit.reduce((sum, value, i) => sum + value * unit[i]!, 0);
  const length = Math.hypot(...quaternion);
  return ofUnit.map((value, i) => (value - along * unit[i]!) / length) as [number, number, number, number];
}

function normalise(quaternion: Quaternion): Quaternion {
  const length = Math.hypot(...quaternion);
  return [quaternion[0] / length, quaternion[1] / length, quaternion[2] / length, quaternion[3] / length];
}
