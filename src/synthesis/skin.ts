// Skin, lips, brows and stubble as functions of the place on the mean head (canonical metres: x to the
// subject's left, y up, z forward, the middle of the eyes at the origin), so that they stick to the skin.
// Albedo by two absorbers, melanin and haemoglobin, over a pale base; linear light.

import { createNoise, fractal, type NoiseField } from './noise.ts';
import { scalpCover } from './scalp.ts';
import { type Colour, mix, type SubjectTraits } from './traits.ts';

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
  /** Brows are worn, not painted. */
  readonly hidesBrows?: boolean;
};

const PALE: Colour = [0.68, 0.44, 0.33];
// Absorption of a full dose, for red, green, blue.
const MELANIN: Colour = [1.75, 2.05, 2.3];
const HAEMOGLOBIN: Colour = [0.06, 0.55, 0.45];

/** The painter of a subject. */
export function createSkinPainter(
  traits: SubjectTraits,
  { hidesBrows = false }: SkinPainterOptions = {},
): SkinPainter {
  const { skin, lips, hair, beard, seed } = traits;
  const noise = createNoise(seed);
  const spots = placeSpots(createNoise(seed ^ 0x5bd1e995), skin.moles);
  const hairColour = greyed(hair.colour, hair.grey);
  const browColour = greyed(traits.brows.colour, hair.grey * 0.35);
  const dark = Math.exp(-1.55 * skin.melanin);
  const natural: Colour = [0.46 * dark, 0.19 * dark, 0.17 * dark];
  const lipTone = mix(natural, lips.colour, lips.strength);
  const hasBeard = traits.masculinity > 0.5;
  const isBald = hair.style === 'bald';
  const scalpStrength = isBald ? 0.6 * 0.25 : hair.style === 'buzz' ? 0.85 : 0.97;
  return (x, y, z, lipShare, out, isPainted) => {
    const side = Math.abs(x);
    const coarse = fractal(noise, 3, x * 40, y * 40, z * 40);
    const fine = fractal(noise, 2, x * 600, y * 600, z * 600);
    let melanin = skin.melanin * (1 + 0.1 * coarse) + 0.02 * fine;
    let blood = skin.haemoglobin * (0.35 + 0.3 * skin.blotches * coarse);
    const cheek = bump(side - 0.038, 0.02) * bump(y + 0.035, 0.022);
    const noseTip = z > 0.025 ? bump(x, 0.014) * bump(y + 0.036, 0.014) : 0;
    const ear = side > 0.07 && z < -0.04 ? 0.5 : 0;
    blood += skin.haemoglobin * (0.7 * cheek + 0.6 * noseTip + ear) + 0.05 * fine;
    const underEye = bump(y + 0.018, 0.006) * bump(side - 0.028, 0.014);
    melanin += 0.1 * skin.underEye * underEye;
    blood += 0.35 * skin.underEye * underEye;
    if (skin.freckles > 0) melanin += freckleDose(noise, x, y, z) * skin.freckles * (0.3 + cheek + noseTip);
    if (z > -0.05) {
      for (let spot = 0; spot < spots.length; spot += 3) {
        const dx = x - spots[spot]!;
        const dy = y - spots[spot + 1]!;
        if (dx * dx + dy * dy < spots[spot + 2]! * spots[spot + 2]!) melanin += 0.5;
      }
    }
    if (skin.wrinkles > 0) melanin += skin.wrinkles * wrinkleDose(noise, x, y, z);
    if (isPainted) {
      // The texture has its own blood and unevenness: spots and wrinkles come on top.
      const more = Math.max(0, melanin - skin.melanin * (1 + 0.1 * coarse));
      for (let k = 0; k < 3; k++) out[k]! *= Math.exp(-0.45 * more * MELANIN[k]!);
    } else {
      for (let k = 0; k < 3; k++)
        out[k] = PALE[k]! * Math.exp(-melanin * MELANIN[k]! - blood * HAEMOGLOBIN[k]!);
    }
    let shine = skin.shine * (0.5 + 0.5 * bump(x, 0.03) + 0.3 * noseTip + 0.25 * fine);

    if (lipShare > 0) {
      const crease = 1 + 0.12 * noise(x * 900, y * 120, z * 200);
      const cover = (isPainted ? 0.8 * lips.strength : 0.85) * lipShare;
      for (let k = 0; k < 3; k++) out[k]! += cover * (lipTone[k]! * crease - out[k]!);
      shine += 0.4 * lipShare;
    }
    // On a pictured skin an even beard reads as a mask: let it thin out in places and fray at its edge.
    const fray = isPainted ? 0.007 * coarse : 0;
    const stubble = hasBeard ? beardCover(x, y + fray, z) * (1 - lipShare) : 0;
    if (stubble > 0) {
      const grain = 0.55 + 0.45 * noise(x * 1500, y * 1500, z * 1500);
      const styled =
        beard.style === 'full' ? 0.95 : beard.style === 'moustache' ? 0.9 * moustacheCover(side, y) : 0;
      const thin = isPainted ? 0.65 + 0.3 * coarse : 1;
      const cover = Math.max(styled * (0.8 + 0.2 * grain), 0.45 * beard.stubble * grain);
      blend(out, hairColour, thin * stubble * cover);
      shine *= 1 - 0.7 * styled * stubble;
    }
    const brow = hidesBrows ? 0 : browCover(traits, noise, side, y, z, x);
    if (brow > 0) blend(out, browColour, brow);
    const scalp = scalpCover(hair, x, y, z);
    if (scalp > 0) {
      const grain = 0.75 + 0.25 * noise(x * 900, y * 900, z * 900);
      blend(out, hairColour, scalpStrength * scalp * grain);
      if (!isBald) shine *= 1 - 0.8 * scalp;
    }
    return Math.max(0, shine);
  };
}

/** The usual albedo of a subject's face, linear light. */
export function skinTone({ skin }: SubjectTraits): Colour {
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
  const middle =
    0.0185 +
    0.0055 * arch * Math.sin(Math.min(1, Math.max(0, along) * 0.75 + 0.08) * Math.PI) -
    0.003 * along;
  const half = 0.0036 * thickness * (1.1 - 0.75 * along);
  // Beyond every strand's reach.
  if (Math.abs(y - middle) > 1.6 * Math.max(0.0006, half)) return 0;
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
