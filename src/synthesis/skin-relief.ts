// The relief of skin as what it adds to the normal: pores, and wrinkles that come with age and with what the
// face does (a smile folds the cheeks, raised brows the forehead). Canonical metres of the mean head.

import type { NoiseField } from './noise.ts';
import type { SubjectTraits } from './traits.ts';

/** How deep the wrinkles of a face are at the moment, 0 to about 1 each. */
export type Creases = {
  /** From the nostrils past the corners of the mouth. */
  readonly fold: number;
  /** Across the forehead, and between the brows. */
  readonly forehead: number;
  readonly frown: number;
  /** Beside the eyes, below them, and on the root of the nose. */
  readonly crow: number;
  readonly bag: number;
  readonly nose: number;
};

/** The creases of an expression (`E`, by name) on a face of that age. */
export function creasesOf(
  names: readonly string[],
  expression: Float32Array,
  { age, skin }: SubjectTraits,
): Creases {
  const unit = (name: string): number => {
    const [single, left, right] = [name, `${name}Left`, `${name}Right`].map((n) => names.indexOf(n));
    if (single! >= 0) return expression[single!]!;
    return left! < 0 ? 0 : (expression[left!]! + expression[right!]!) / 2;
  };
  const depth = 0.35 + 0.65 * Math.min(1, skin.wrinkles + 0.2);
  const smile = unit('mouthSmile');
  return {
    fold: Math.min(
      1,
      skin.wrinkles * 0.7 + depth * (smile + 0.6 * unit('noseSneer') + 0.5 * unit('mouthUpperUp')),
    ),
    forehead: Math.min(1, 0.4 * skin.wrinkles + depth * Math.max(unit('browInnerUp'), unit('browOuterUp'))),
    frown: Math.min(1, 0.35 * skin.wrinkles + depth * unit('browDown')),
    crow: Math.min(
      1,
      0.45 * skin.wrinkles + depth * Math.max(0.8 * smile, unit('cheekSquint'), unit('eyeSquint')),
    ),
    bag: Math.min(1, 0.25 + 0.6 * age + 0.4 * unit('cheekSquint')),
    nose: depth * unit('noseSneer'),
  };
}

/** Writes what the relief adds to the normal at a place of the skin (3, on the mean head). */
export type SkinRelief = (
  x: number,
  y: number,
  z: number,
  creases: Creases,
  footprintMetres: number,
  out: Float32Array,
) => void;

const STEP_METRES = 0.0004;

/** The relief of a subject's skin. */
export function createSkinRelief({ age }: SubjectTraits, noise: NoiseField): SkinRelief {
  const roughness = 0.05 + 0.05 * age;
  return (x, y, z, creases, footprintMetres, out) => {
    // What is finer than a pixel is not seen one by one.
    const pores = roughness * Math.min(1, 0.0009 / footprintMetres);
    const soft = roughness * 1.1;
    for (let k = 0; k < 3; k++) {
      const shift = 31 * k;
      out[k] =
        pores * noise(x * 1100 + shift, y * 1100, z * 1100) + soft * noise(x * 330 + shift, y * 330, z * 330);
    }
    if (z < -0.045 || y < -0.1 || y > 0.08) return;
    const here = height(noise, creases, x, y, z);
    const dx = (height(noise, creases, x + STEP_METRES, y, z) - here) / STEP_METRES;
    const dy = (height(noise, creases, x, y + STEP_METRES, z) - here) / STEP_METRES;
    out[0]! -= dx;
    out[1]! -= dy;
  };
}

/** Height of the face's wrinkles over smooth skin, metres. */
function height(noise: NoiseField, creases: Creases, x: number, y: number, z: number): number {
  const side = Math.abs(x);
  let sum = 0;
  if (y > 0.028 && side < 0.055) {
    const wobble = 0.0022 * noise(x * 45, y * 20, z * 20 + 11);
    const lines = groove(Math.sin((y + wobble - 0.4 * x * x) * 720));
    const within = ramp(0.028, 0.036, y) * ramp(0.074, 0.06, y) * ramp(0.055, 0.03, side);
    sum -= 0.0007 * creases.forehead * lines * within;
  }
  if (side < 0.02 && y > 0.004 && y < 0.04) {
    const line = bump(side - 0.0055 - 0.1 * Math.max(0, 0.018 - y), 0.0013);
    sum -= 0.0009 * creases.frown * line * ramp(0.006, 0.014, y) * ramp(0.036, 0.026, y);
  }
  if (side < 0.012 && y > -0.02 && y < 0.012) {
    sum -= 0.0003 * creases.nose * groove(Math.sin(y * 900 + 60 * side)) * ramp(0.012, 0.004, side);
  }
  if (y < -0.03 && y > -0.09) {
    const place = 0.0195 + 0.34 * Math.max(0, -0.038 - y) + 0.0012 * noise(x * 60, y * 60, 3.5);
    const across = side - place;
    if (Math.abs(across) < 0.015) {
      const within = ramp(-0.088, -0.07, y) * ramp(-0.031, -0.042, y);
      // The cheek swells beside the fold.
      sum += creases.fold * within * (0.0011 * bump(across - 0.006, 0.006) - 0.0011 * bump(across, 0.0019));
    }
  }
  if (side > 0.038 && side < 0.075 && y > -0.022 && y < 0.02) {
    const rays = groove(Math.sin(Math.atan2(y + 0.003, side - 0.034) * 13 + 2 * noise(x * 90, y * 90, 1.5)));
    sum -= 0.0006 * creases.crow * rays * bump(side - 0.055, 0.01) * ramp(0.02, 0.006, Math.abs(y));
  }
  if (side > 0.01 && side < 0.048 && y < -0.008 && y > -0.03) {
    const rim = -0.0175 - 0.003 * Math.cos((side - 0.03) * 90);
    sum +=
      creases.bag *
      (0.0006 * bump(y - rim - 0.003, 0.003) - 0.0007 * bump(y - rim, 0.0018)) *
      bump(side - 0.028, 0.014);
  }
  return sum;
}

/** A sine made into narrow valleys. */
const groove = (value: number): number => (value > 0 ? value ** 4 : 0);

function bump(distance: number, width: number): number {
  const share = (distance * distance) / (width * width);
  return share > 12 ? 0 : Math.exp(-share);
}

function ramp(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
