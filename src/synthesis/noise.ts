// Smooth seeded noise over space: what skin, irises, cloth and backgrounds vary by.
// Value noise on the integer lattice with quintic easing; octaves by halving.

/** Noise in [-1, 1] at a point; the same seed gives the same field. Feature size 1. */
export type NoiseField = (x: number, y: number, z: number) => number;

const PERIOD = 32;
const MASK = PERIOD - 1;

/** A field of value noise; it repeats after 32 units, so that its lattice is a small table. */
export function createNoise(seed: number): NoiseField {
  const lattice = new Float32Array(PERIOD ** 3);
  for (let i = 0; i < lattice.length; i++) {
    let hash = Math.imul(i, 0x27d4eb2d) ^ seed;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
    lattice[i] = ((hash ^ (hash >>> 15)) >>> 0) / 2147483648 - 1;
  }
  return (x, y, z) => {
    const floorX = Math.floor(x);
    const floorY = Math.floor(y);
    const floorZ = Math.floor(z);
    const u = ease(x - floorX);
    const v = ease(y - floorY);
    const w = ease(z - floorZ);
    const x0 = floorX & MASK;
    const x1 = (floorX + 1) & MASK;
    const y0 = (floorY & MASK) * PERIOD;
    const y1 = ((floorY + 1) & MASK) * PERIOD;
    const z0 = (floorZ & MASK) * PERIOD * PERIOD;
    const z1 = ((floorZ + 1) & MASK) * PERIOD * PERIOD;
    const a = lattice[z0 + y0 + x0]!;
    const b = lattice[z0 + y1 + x0]!;
    const c = lattice[z1 + y0 + x0]!;
    const d = lattice[z1 + y1 + x0]!;
    const near = a + u * (lattice[z0 + y0 + x1]! - a);
    const nearBelow = b + u * (lattice[z0 + y1 + x1]! - b);
    const far = c + u * (lattice[z1 + y0 + x1]! - c);
    const farBelow = d + u * (lattice[z1 + y1 + x1]! - d);
    const front = near + v * (nearBelow - near);
    return front + w * (far + v * (farBelow - far) - front);
  };
}

/** A sum of octaves of a field, each twice as fine and half as strong; about [-1, 1]. */
export function fractal(noise: NoiseField, octaves: number, x: number, y: number, z: number): number {
  let sum = 0;
  let strength = 1;
  let total = 0;
  let scale = 1;
  for (let octave = 0; octave < octaves; octave++) {
    sum += strength * noise(x * scale + octave * 17.3, y * scale, z * scale - octave * 5.7);
    total += strength;
    strength /= 2;
    scale *= 2;
  }
  return sum / total;
}

const ease = (t: number): number => t * t * t * (t * (6 * t - 15) + 10);
