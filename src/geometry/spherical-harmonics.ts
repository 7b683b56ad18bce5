// Light as a function of the normal: real spherical harmonics, without their norms.

/** Number of harmonics up to the second degree. */
export const HARMONICS = 9;

/** Spherical harmonics up to the second degree of a unit vector: the constant, three linear ones, five quadratic ones. */
export function harmonicsOf(x: number, y: number, z: number, out: Float64Array): void {
  out[0] = 1;
  out[1] = x;
  out[2] = y;
  out[3] = z;
  out[4] = x * y;
  out[5] = x * z;
  out[6] = y * z;
  out[7] = x * x - y * y;
  out[8] = 3 * z * z - 1;
}
