// Skin, lips, brows and stubble as functions of the place on the mean head (canonical metres: x to the
// subject's left, y up, z forward, the middle of the eyes at the origin), so that they stick to the skin.
// Albedo by two absorbers, melanin and haemoglobin, over a pale base; linear light.

import { type Colour, mix, scaled } from './colour.ts';
import { createNoise, fractal, type NoiseField } from './noise.ts';
import { scalpCover } from './scalp.ts';
import type { SubjectTraits } from './traits.ts';

/**
 * Writes the albedo (3, linear) of a skin point and returns how shiny it is, 0 to 1. Where `isPainted`, `out`
 * comes with the albedo of a texture, and what a texture does not know is painted over it.
 */
export type SkinPainter = (
  x: number,
  y: number,
  z: number,
  lips: number,
  out: Float32Array,
  isPainted: boolean,
) => number;

/** What an outfit takes off the painted skin. */
export type SkinPainterOptions = {
  /** Brows are worn or pictured, not painted. */
  readonly hidesBrows?: boolean;
};

const PALE: Colour = [0.68, 0.44, 0.33];
// Absorption of a full dose, for red, green, blue.
const MELANIN: Colour = [1.75, 2.05, 2.3];
const HAEMOGLOBIN: Colour = [0.06, 0.55, 0.45];
const LINER: Colour = [0.015, 0.012, 0.012];

/** The painter of a subject. */
export function createSkinPainter(
  traits: SubjectTraits,
  { hidesBrows = false }: SkinPainterOptions = {},
): SkinPainter {
  const { skin, lips, makeUp, hair, beard, seed } = traits;
  const noise = createNoise(seed);
  const spots = placeSpots(createNoise(seed ^ 0x5bd1e995), skin.moles);
  const hairColour = greyed(hair.colour, hair.grey);
  const beardColour = greyed(mix(hair.colour, [0.05, 0.03, 0.02], 0.35), hair.grey * 0.55);
  const browColour = greyed(traits.brows.colour, hair.grey * 0.35);
  const dark = Math.exp(-1.55 * skin.melanin);
  const tone = skinTone(traits);
  const natural = mix(
    [0.46 * dark, 0.19 * dark, 0.17 * dark],
    [0.8 * tone[0], 0.58 * tone[1], 0.62 * tone[2]],
    0.6,
  );
  const lipTone = mix(natural, scaled(lips.colour, 0.35 + 0.65 * dark), lips.strength);
  const hasBeard = traits.masculinity > 0.5;
  const isBald = hair.style === 'bald';
  const scalpStrength = isBald ? 0.6 * 0.25 : hair.style === 'buzz' ? 0.85 : 0.97;
  return (x, y, z, lipShare, out, isPainted) => {
    const side = Math.abs(x);
    const coarse = fractal(noise, 3, x * 40, y * 40, z * 40);
    const fine = fractal(noise, 2, x * 600, y * 600, z * 600);
    let melanin = skin.melanin * (1 + 0.1 * coarse) + 0.02 * fine;
    const middle = noise(x * 130 + 7, y * 130, z * 130);
    let blood = skin.haemoglobin * (0.35 + 0.3 * skin.blotches * (coarse + 0.5 * middle));
    melanin *= 1 + 0.06 * middle;
    const cheek = bump(side - 0.038, 0.02) * bump(y + 0.035, 0.022);
    const noseTip = z > 0.025 ? bump(x, 0.014) * bump(y + 0.036, 0.014) : 0;
    const ear = side > 0.07 && z < -0.04 ? 0.5 : 0;
    blood += skin.haemoglobin * ((0.35 + 0.8 * makeUp.blush) * cheek + 0.35 * noseTip + ear) + 0.05 * fine;
    const underEye = bump(y + 0.018, 0.006) * bump(side - 0.028, 0.014);
    // The thin skin around the eyes and beside the nose is darker and redder.
    const socket =
      bump(y - 0.001, 0.012) * bump(side - 0.026, 0.017) +
      0.5 * bump(y + 0.04, 0.01) * bump(side - 0.017, 0.006);
    melanin += 0.1 * skin.underEye * underEye + 0.07 * socket;
    blood += 0.35 * skin.underEye * underEye + 0.18 * socket;
    if (skin.freckles > 0) melanin += freckleDose(noise, x, y, z) * skin.freckles * (0.3 + cheek + noseTip);
    if (z > -0.05) {
      for (let spot = 0; spot < spots.length; spot += 3) {
        const dx = x - spots[spot]!;
        const dy = y - spots[spot + 1]!;
        if (dx * dx + dy * dy < spots[spot + 2]! * spots[spot + 2]!) melanin += 0.5;
      }
    }
    if (skin.wrinkles > 0) melanin += 0.5 * skin.wrinkles * wrinkleDose(noise, x, y, z);
    if (isPainted) {
      // The texture has its own blood and unevenness: spots and wrinkles come on top.
      const more = Math.max(0, melanin - skin.melanin * (1 + 0.1 * coarse));
      for (let k = 0; k < 3; k++) out[k]! *= Math.exp(-0.45 * more * MELANIN[k]!);
    } else {
      for (let k = 0; k < 3; k++)
        out[k] = PALE[k]! * Math.exp(-melanin * MELANIN[k]! - blood * HAEMOGLOBIN[k]!);
    }
    const patch = 0.5 + 0.25 * coarse + 0.3 * middle;
    let shine = skin.shine * (patch + 0.5 * bump(x, 0.03) + 0.4 * noseTip + 0.25 * fine);
    paintLids(makeUp, side, y, z, out);

    if (lipShare > 0) {
      const crease = 1 + 0.12 * noise(x * 900, y * 120, z * 200);
      const cover = (isPainted ? 0.8 * lips.strength : 0.85) * lipShare;
      for (let k = 0; k < 3; k++) out[k]! += cover * (lipTone[k]! * crease - out[k]!);
      shine += 0.4 * lipShare;
    }
    // An even beard reads as a mask: let it thin out in places and fray at its edge.
    const fray = 0.006 * coarse + 0.003 * middle;
    const stubble = hasBeard ? beardCover(x, y + fray, z) * (1 - lipShare) : 0;
    if (stubble > 0) {
      const grain = 0.55 + 0.45 * noise(x * 1500, y * 1500, z * 1500);
      const styled =
        beard.style === 'full' ? 0.95 : beard.style === 'moustache' ? 0.9 * moustacheCover(side, y) : 0;
      const thin = (isPainted ? 0.65 : 0.78) + 0.3 * coarse;
      const cover = Math.max(styled * (0.8 + 0.2 * grain), 0.45 * beard.stubble * grain);
      blend(out, beardColour, thin * stubble * cover);
      shine *= 1 - 0.7 * styled * stubble;
    }
    const brow = hidesBrows ? 0 : browCover(traits, noise, side, y, z, x);
    if (brow > 0) blend(out, browColour, brow);
    const scalp = scalpCover(hair, x, y, z);
    if (scalp > 0) {
      // Near the hairline single strands begin, not a stain: they run up and back.
      const strand = 0.5 + 0.5 * noise(x * 900, (y - z) * 130, z * 200);
      const grown = isBald ? scalp : ramp(0.25 * strand, 0.35 + 0.6 * strand, scalp);
      blend(out, hairColour, scalpStrength * grown * (0.8 + 0.2 * strand));
      if (!isBald) shine *= 1 - 0.8 * scalp;
    }
    return Math.max(0, shine);
  };
}

/** The usual albedo of a subject's face, linear light. */
export function skinTone({ skin }: Pick<SubjectTraits, 'skin'>): Colour {
  const tone = (k: 0 | 1 | 2): number =>
    PALE[k] * Math.exp(-skin.melanin * MELANIN[k] - 0.35 * skin.haemoglobin * HAEMOGLOBIN[k]);
  return [tone(0), tone(1), tone(2)];
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

/** A soft bump of height 1: a Gaussian of that half-width, 0 beyond four of them. */
function bump(distance: number, width: number): number {
  const share = (distance * distance) / (width * width);
  return share > 16 ? 0 : Math.exp(-share);
}

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
  const foldSide = 0.02 + 0.32 * Math.max(0, -0.04 - y);
  const isFold = y > -0.085 && y < -0.036 && Math.abs(side - foldSide) < 0.008;
  const isForehead = y > 0.032 && y < 0.075 && side < 0.045;
  const wobble = isFold || isForehead ? 0.0015 * noise(x * 60, y * 60, z * 60 + 11) : 0;
  let dose = 0;
  // From the nostril's wing down past the corner of the mouth.
  if (isFold) {
    const fold = bump(side - (foldSide + wobble), 0.0016);
    if (fold > 0) dose += 0.16 * fold * ramp(-0.085, -0.075, y) * ramp(-0.036, -0.042, y);
  }
  if (isForehead) {
    const line = Math.max(0, Math.sin((y + wobble * 2) * 900));
    const forehead = ramp(0.032, 0.04, y) * ramp(0.075, 0.062, y) * ramp(0.045, 0.03, side);
    dose += 0.06 * line * line * line * line * forehead;
  }
  const crow = bump(side - 0.055, 0.008) * bump(y, 0.012);
  if (crow > 0) {
    const ray = Math.max(0, Math.sin(Math.atan2(y + 0.003, side - 0.04) * 14));
    dose += 0.07 * ray * ray * ray * crow;
  }
  return dose;
}

/** Shadow on the upper lid and a dark line at its rim. */
function paintLids(
  { lids, lidColour, liner }: SubjectTraits['makeUp'],
  side: number,
  y: number,
  z: number,
  out: Float32Array,
): void {
  if (side < 0.012 || side > 0.05 || y < -0.012 || y > 0.016 || z < 0) return;
  const lid = bump(side - 0.03, 0.013) * ramp(-0.004, 0.003, y) * ramp(0.014, 0.006, y);
  blend(out, lidColour, 0.75 * lids * lid);
  const rim = bump(y - 0.0021 + 30 * (side - 0.0295) ** 2, 0.0009) * ramp(0.0135, 0.018, side);
  // Where lashes stand, every lid is dark.
  blend(out, LINER, (0.45 + 0.5 * liner) * rim);
  const lower = bump(y + 0.0062 - 22 * (side - 0.029) ** 2, 0.001) * ramp(0.0135, 0.02, side);
  blend(out, LINER, (0.15 + 0.3 * liner) * lower);
}

/** Moles: x, y and radius each. */
function placeSpots(noise: NoiseField, amount: number): Float64Array {
  const spots = new Float64Array(3 * Math.round(amount * 5));
  for (let i = 0; i < spots.length / 3; i++) {
    const at = (k: number): number => noise(i * 7.7 + 0.5, k * 3.3 + 0.5, 0.5);
    spots.set([0.065 * at(1), -0.03 + 0.08 * at(2), 0.0009 + 0.0006 * at(3)], 3 * i);
  }
  return spots;
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
  // Level at the inner end, highest two thirds of the way out, low at the tail.
  const rise = Math.min(1, Math.max(0, along));
  const middle = 0.0168 + (0.0025 + 0.0055 * arch) * Math.sin(rise ** 1.4 * 2.55) - 0.0028 * rise * rise;
  const half = 0.0046 * thickness * (1.05 - 0.72 * along);
  // Beyond every strand's reach.
  if (Math.abs(y - middle) > 1.6 * Math.max(0.0006, half)) return 0;
  const strand = noise(x * 350 + y * 500, y * 900 - side * 500, z * 40);
  const edge = ramp(1.25 + 0.3 * strand, 0.45 + 0.3 * strand, Math.abs(y - middle) / Math.max(0.0006, half));
  return 0.92 * density * edge * ramp(-0.06, 0.12, along) * ramp(1.05, 0.9, along) * (0.82 + 0.18 * strand);
}

/** Where a beard grows: jaw, chin, upper lip, up to the ears, down the throat. */
export function beardCover(x: number, y: number, z: number): number {
  const side = Math.abs(x);
  if (y > 0.005 || y < -0.15 || z < -0.075) return 0;
  const upper = side < 0.03 ? -0.052 - 0.1 * side : -0.055 + 1.15 * (side - 0.03);
  const below = ramp(0.01, -0.012, y - upper);
  const throat = ramp(-0.145, -0.115, y);
  return below * throat;
}

function moustacheCover(side: number, y: number): number {
  return ramp(0.034, 0.027, side) * ramp(-0.075, -0.068, y);
}
