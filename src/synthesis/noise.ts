// Smooth seeded noise over space: what skin, irises, cloth and backgrounds vary by.
// Value noise on the integer lattice with quintic easing; octaves by halving.

/** Noise in [-1, 1] at a point; the same seed gives the same field. Feature size 1. */
export type NoiseField = (x: number, y: number, z: number) => number;

/** A field of value noise. */
export function createNoise(seed: number): NoiseField {
  const corner = (x: number, y: number, z: number): number => {
    let hash = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x3c6ef372) ^ seed;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
    return ((hash ^ (hash >>> 15)) >>> 0) / 2147483648 - 1;
  };
  return (x, y, z) => {
    const [x0, y0, z0] = [Math.floor(x), Math.floor(y), Math.floor(z)];
    const [u, v, w] = [ease(x - x0), ease(y - y0), ease(z - z0)];
    const near = bilinear(
      corner(x0, y0, z0),
      corner(x0 + 1, y0, z0),
      corner(x0, y0 + 1, z0),
      corner(x0 + 1, y0 + 1, z0),
      u,
      v,
    );
    const z1 = z0 + 1;
    const far = bilinear(
      corner(x0, y0, z1),
      corner(x0 + 1, y0, z1),
      corner(x0, y0 + 1, z1),
      corner(x0 + 1, y0 + 1, z1),
      u,
      v,
    );
    return near + w * (far - near);
  };
}

/** A sum of octaves of a field, each twice as fine and half as strong; about [-1, 1]. */
export function fractal(noise: NoiseField, octaves: number, x: number, y: number, z: number): number {
  let [sum, strength, total, scale] = [0, 1, 0, 1];
  for (let octave = 0; octave < octaves; octave++) {
    sum += strength * noise(x * scale + octave * 17.3, y * scale, z * scale - octave * 5.7);
    total += strength;
    strength /= 2;
    scale *= 2;
  }
  return sum / total;
}

const ease = (t: number): number => t * t * t * (t * (6 * t - 15) + 10);

function bilinear(a: number, b: number, c: number, d: number, u: number, v: number): number {
  const top = a + u * (b - a);
  return top + v * (c + u * (d - c) - top);
}
