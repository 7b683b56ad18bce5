// How the landmark network's points slide over a head as it turns: what that goes by.

import { yawAndPitch } from './head-state.ts';

/** What the points' sliding over a turned head goes by: yaw, pitch and their products. */
export function viewTerms(rotation: Float64Array): readonly number[] {
  const [yaw, pitch] = yawAndPitch(rotation);
  return [yaw, pitch, yaw * yaw, pitch * pitch, yaw * pitch];
}

/** How those terms move with a turn about each of the world's axes: `3 5`. */
export function viewTermDerivatives(rotation: Float64Array): readonly (readonly number[])[] {
  const [x, y, z] = [rotation[2]!, rotation[5]!, rotation[8]!];
  const [yaw, pitch] = viewTerms(rotation) as [number, number];
  const [level, upright] = [Math.max(1e-9, x * x + z * z), Math.sqrt(Math.max(1e-9, 1 - y * y))];
  // The direction of the face, `x y z`, turns by the cross product.
  return [
    [0, -z, y],
    [z, 0, -x],
    [-y, x, 0],
  ].map(([dx, dy, dz]) => {
    const byYaw = (z * dx! - x * dz!) / level;
    const byPitch = -dy! / upright;
    return [byYaw, byPitch, 2 * yaw * byYaw, 2 * pitch * byPitch, yaw * byPitch + pitch * byYaw];
  });
}
