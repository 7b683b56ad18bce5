// Skin, lips, brows and stubble as functions of the place on the mean head (canonical metres: x to the
// subject's left, y up, z forward, the middle of the eyes at the origin), so that they stick to the skin.
// Albedo by two absorbers, melanin and haemoglobin, over a pale base; linear light.

import { createNoise, fractal, type NoiseField } from './noise.ts';
import { scalpCover } from './scalp.ts';
import type { Colour, SubjectTraits } from './traits.ts';

/** Writes the albedo (3, linear) of a skin point and returns how shiny it is, 0 to 1. */
export type SkinPainter = (x: number, y: number, z: number, lips: number, out: Float32Array) => number;

const PALE: Colour = [0.68, 0.44, 0.33];
// Absorption of a full dose, for red, green, blue.
const MELANIN: Colour = [1.75, 2.05, 2.3];
const HAEMOGLOBIN: Colour = [0.06, 0.55, 0.45];

/** The painter of a subject. */
export function createSkinPainter(traits: SubjectTraits): SkinPainter {
  const { skin, lips, hair, beard, seed } = traits;
  const noise = createNoise(seed);
  const spots = placeSpots(createNoise(seed ^ 0x5bd1e995), skin.moles);
  const hairColour = greyed(hair.colour, hair.grey);
  return (x, y, z, lipShare, out) => {
    const side = Math.abs(x);
    const coarse = fractal(noise, 3, x * 40, y * 40, z * 40);
    const fine = fractal(noise, 2, x * 600, y * 600, z * 600);
    let melanin = skin.melanin * (1 + 0.1 * coarse) + 0.02 * fine;
    let blood = skin.haemoglobin * (0.35 + 0.3 * skin.blotches * coarse);
    const cheek = bump(side - 0.038, 0.02) * bump(y + 0.035, 0.022);
    const noseTip = bump(x, 0.014) * bump(y + 0.036, 0.014) * (z > 0.025 ? 1 : 0);
    const ear = side > 0.07 && z < -0.04 ? 0.5 : 0;
    blood += skin.haemoglobin * (0.7 * cheek + 0.6 * noseTip + ear) + 0.05 * fine;
    const underEye = bump(side - 0.028, 0.014) * bump(y + 0.018, 0.006);
    melanin += 0.1 * skin.underEye * underEye;
    blood += 0.35 * skin.underEye * underEye;
    if (skin.freckles > 0) melanin += freckleDose(noise, x, y, z) * skin.freckles * (0.3 + cheek + noseTip);
    for (const [sx, sy, radius] of spots) {
      if (z > -0.05 && (x - sx) ** 2 + (y - sy) ** 2 < radius * radius) melanin += 0.5;
    }
    melanin += skin.wrinkles * wrinkleDose(noise, x, y, z);
    for (let k = 0; k < 3; k++)
      out[k] = PALE[k]! * Math.exp(-melanin * MELANIN[k]! - blood * HAEMOGLOBIN[k]!);
    let shine = skin.shine * (0.5 + 0.5 * bump(x, 0.03) + 0.3 * noseTip + 0.25 * fine);

    if (lipShare > 0) {
      const dark = Math.exp(-1.55 * skin.melanin);
      const natural: Colour = [0.46 * dark, 0.19 * dark, 0.17 * dark];
      const crease = 1 + 0.12 * noise(x * 900, y * 120, z * 200);
      for (let k = 0; k < 3; k++) {
        const tone = natural[k]! + lips.strength * (lips.colour[k]! - natural[k]!);
        out[k]! += 0.85 * lipShare * (tone * crease - out[k]!);
      }
      shine += 0.4 * lipShare;
    }
    const stubble = beardCover(x, y, z) * (1 - lipShare);
    if (stubble > 0 && traits.masculinity > 0.5) {
      const grain = 0.55 + 0.45 * noise(x * 1500, y * 1500, z * 1500);
      const styled =
        beard.style === 'full' ? 0.95 : beard.style === 'moustache' ? 0.9 * moustacheCover(side, y) : 0;
      blend(out, hairColour, stubble * Math.max(styled * (0.8 + 0.2 * grain), 0.45 * beard.stubble * grain));
      shine *= 1 - 0.7 * styled * stubble;
    }
    const brow = browCover(traits, noise, side, y, z, x);
    if (brow > 0) blend(out, greyed(traits.brows.colour, hair.grey * 0.35), brow);
    const scalp = hair.style === 'bald' ? 0 : scalpCover(traits.hair, x, y, z);
    const shadow = hair.style === 'bald' ? 0.25 * scalpCover(traits.hair, x, y, z) : 0;
    if (scalp > 0 || shadow > 0) {
      const grain = 0.75 + 0.25 * noise(x * 900, y * 900, z * 900);
      blend(out, hairColour, Math.max(shadow * 0.6, (hair.style === 'buzz' ? 0.85 : 0.97) * scalp) * grain);
      shine *= 1 - 0.8 * scalp;
    }
    return Math.max(0, shine);
  };
}

/** Hair colour with some of its strands gone white. */
export function greyed(colour: Colour, grey: number): Colour {
  return [
    colour[0] + grey * (0.34 - colour[0]),
    colour[1] + grey * (0.33 - colour[1]),
    colour[2] + grey * (0.31 - colour[2]),
  ];
}

function blend(out: Float32Array, colour: Colour, share: number): void {
  for (let k = 0; k < 3; k++) out[k]! += share * (colour[k]! - out[k]!);
}

/** A soft bump of height 1: a Gaussian of that half-width. */
const bump = (distance: number, width: number): number => Math.exp(-(distance * distance) / (width * width));

const ramp = (low: number, high: number, value: number): number => {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
};

function freckleDose(noise: NoiseField, x: number, y: number, z: number): number {
  const grain = noise(x * 420 + 91, y * 420, z * 420) + 0.4 * noise(x * 210, y * 210 + 37, z * 210);
  return 0.5 * ramp(0.45, 0.8, grain);
}

function wrinkleDose(noise: NoiseField, x: number, y: number, z: number): number {
  const side = Math.abs(x);
  const wobble = 0.0015 * noise(x * 60, y * 60, z * 60 + 11);
  // From the nostril's wing down past the corner of the mouth.
  const fold =
    bump(side - (0.02 + 0.32 * Math.max(0, -0.04 - y) + wobble), 0.0016) *
    ramp(-0.085, -0.075, y) *
    ramp(-0.036, -0.042, y);
  const lines = Math.max(0, Math.sin((y + wobble * 2) * 900)) ** 4;
  const forehead = lines * ramp(0.032, 0.04, y) * ramp(0.075, 0.062, y) * ramp(0.045, 0.03, side);
  const crow =
    Math.max(0, Math.sin(Math.atan2(y + 0.003, side - 0.04) * 14)) ** 3 *
    bump(side - 0.055, 0.008) *
    bump(y, 0.012);
  return 0.16 * fold + 0.06 * forehead + 0.07 * crow;
}

function placeSpots(noise: NoiseField, amount: number): readonly (readonly [number, number, number])[] {
  return Array.from({ length: Math.round(amount * 5) }, (_, i) => {
    const at = (k: number): number => noise(i * 7.7 + 0.5, k * 3.3 + 0.5, 0.5);
    return [0.065 * at(1), -0.03 + 0.08 * at(2), 0.0009 + 0.0006 * at(3)] as const;
  });
}

function browCover(
  traits: SubjectTraits,
  noise: NoiseField,
  side: number,
  y: number,
  z: number,
  x: number,
): number {
  const { thickness, density, arch } = traits.brows;
  if (z < -0.02 || side < 0.006 || side > 0.056) return 0;
  const along = (side - 0.01) / 0.042;
  const middle =
    0.0185 +
    0.0055 * arch * Math.sin(Math.min(1, Math.max(0, along) * 0.75 + 0.08) * Math.PI) -
    0.003 * along;
  const half = 0.0036 * thickness * (1.1 - 0.75 * along);
  const strand = noise(x * 350 + y * 500, y * 900 - side * 500, z * 40);
  const edge = ramp(1.25 + 0.3 * strand, 0.45 + 0.3 * strand, Math.abs(y - middle) / Math.max(0.0006, half));
  return density * edge * ramp(-0.06, 0.12, along) * ramp(1.05, 0.9, along) * (0.82 + 0.18 * strand);
}

/** Where a beard grows: jaw, chin, upper lip, up to the ears, down the throat. */
export function beardCover(x: number, y: number, z: number): number {
  const side = Math.abs(x);
  if (y > 0.005 || y < -0.15 || z < -0.075) return 0;
  const upper = side < 0.03 ? -0.052 - 0.1 * side : -0.055 + 1.15 * (side - 0.03);
  const below = ramp(0.006, -0.004, y - upper);
  const throat = ramp(-0.145, -0.115, y);
  return below * throat;
}

function moustacheCover(side: number, y: number): number {
  return ramp(0.034, 0.027, side) * ramp(-0.075, -0.068, y);
}
