// The wet parts of a face: eyes, the mouth's inside, teeth, tongue.

import { type AssetIris, irisLightness } from './asset-iris.ts';
import type { Colour } from './colour.ts';
import type { LightModel } from './light-model.ts';
import type { NoiseField } from './noise.ts';
import { VERTEX } from './scene.ts';
import type { PointShader } from './shading.ts';
import type { SubjectTraits } from './traits.ts';

const IRIS_ANGLE = 0.405;
const TOOTH: Colour = [0.56, 0.5, 0.4];
const GUM: Colour = [0.42, 0.14, 0.13];
const CAVITY: Colour = [0.36, 0.09, 0.08];
const TONGUE: Colour = [0.5, 0.18, 0.17];
const WRAPS = {
  eye: Float64Array.of(0.2, 0.14, 0.12),
  cavity: Float64Array.of(0.3, 0.2, 0.2),
  teeth: Float64Array.of(0.3, 0.26, 0.22),
  tongue: Float64Array.of(0.34, 0.2, 0.18),
} as const;

/** Shades an eyeball. */
export function createEyeShader(
  { eyes, light: { skyColour } }: SubjectTraits,
  light: LightModel,
  noise: NoiseField,
  iris: AssetIris | null,
): PointShader {
  const { albedo, normal } = light;
  return (_, values, at, point, out) => {
    const x = values[at]!;
    const y = values[at + 1]!;
    const z = values[at + 2]!;
    const angle = Math.atan2(Math.sqrt(x * x + y * y), z);
    const around = Math.atan2(y, x);
    const isIris = angle < IRIS_ANGLE;
    const share = angle / IRIS_ANGLE;
    // A ball darkens towards the lids all around; veins and yellow gather in the corners.
    const corner = Math.min(1, Math.max(0, (Math.abs(x) - 0.006) / 0.007));
    if (isIris) {
      const fibre = iris
        ? 0.25 + 0.75 * irisLightness(iris, around, (share - eyes.pupil) / (1 - eyes.pupil))
        : 0.75 +
          0.35 * noise(around * 9, share * 2.5, values[at + VERTEX.second]! * 3) +
          0.2 * noise(around * 25, share * 3, 7);
      const ring = Math.exp(-(((share - eyes.pupil - 0.12) / 0.18) ** 2));
      const limbus = 1 - 0.85 * Math.max(0, (share - 0.72) / 0.28);
      const pupil = share < eyes.pupil ? 0.05 : Math.min(1, 0.05 + (share - eyes.pupil) * 14);
      // The cornea gathers the light on the side away from it.
      const caustic = 1 + 0.5 * Math.max(0, -y / 0.006);
      for (let k = 0; k < 3; k++) {
        albedo[k] =
          (eyes.iris[k]! + ring * 0.7 * (eyes.ring[k]! - eyes.iris[k]!)) * fibre * limbus * pupil * caustic;
      }
    } else {
      const vein =
        eyes.redness *
        Math.max(0, noise(around * 14, angle * 12, 3)) *
        Math.min(1, (angle - IRIS_ANGLE) * 1.5);
      const edge = 0.45 + 0.55 * Math.min(1, (angle - IRIS_ANGLE) * 9);
      albedo[0] = (0.5 - 0.05 * vein - 0.04 * corner) * edge;
      albedo[1] = (0.465 - 0.2 * vein - 0.12 * corner) * edge;
      albedo[2] = (0.45 - 0.2 * vein - 0.13 * corner) * edge;
    }
    // The upper lid and its lashes shade the ball's top, both lids its rims.
    const lid = 1 - 0.62 * Math.max(0, Math.min(1, (y + 0.0005) / 0.0055));
    point.open = Math.min(point.open * 1.1, 1) * lid * (1 - 0.35 * corner);
    point.lit *= lid;
    light.diffuse(point, WRAPS.eye, out);
    light.reflect(point, 300, isIris ? 0.9 : 0.35, 0, 0, out);
    // A wet ball mirrors the sky above what it looks at.
    const upward =
      2 * (normal[0]! * point.viewX + normal[1]! * point.viewY + normal[2]! * point.viewZ) * normal[1]! -
      point.viewY;
    const mirrored = 0.028 * Math.max(0, Math.min(1, (upward - 0.12) * 4)) * point.open;
    // The tear's line on the lower lid.
    const tear = y < -0.0045 && y > -0.0058 ? 0.05 * point.lit : 0;
    for (let k = 0; k < 3; k++) out[k]! += mirrored * skyColour[k]! + tear;
  };
}

/** Shades the inside of the mouth: cavity, teeth and tongue. */
export function createMouthShaders(
  light: LightModel,
  noise: NoiseField,
): Record<'cavity' | 'teeth' | 'tongue', PointShader> {
  const { albedo } = light;
  return {
    cavity(_, values, at, point, out) {
      const deep = Math.exp(-Math.max(0, 0.022 - values[at + 2]!) / 0.022);
      albedo.set(CAVITY);
      point.open *= deep;
      point.lit *= deep;
      light.diffuse(point, WRAPS.cavity, out);
      light.reflect(point, 40, 0.25 * deep, 0, 0, out);
    },
    teeth(_, values, at, point, out) {
      const x = values[at]!;
      const y = values[at + 1]!;
      const z = values[at + 2]!;
      const side = Math.min(1, Math.max(0, (z + 0.012) / 0.03));
      // Teeth of about 7.5 mm along the arch, each rounded: dark in the gaps, a little apart in tone.
      const arch = (Math.abs(x) + Math.max(0, 0.014 - z) * 0.9) / 0.0075;
      const tooth = Math.floor(arch);
      const within = arch - tooth;
      const gap = 1 - 0.55 * Math.exp(-((Math.min(within, 1 - within) / 0.07) ** 2));
      const tone = 1 + 0.06 * noise(tooth * 3.7 + 0.5, x > 0 ? 0.5 : 4.5, 0.5);
      // Gums at the roots, by the distance from the line where the rows meet.
      const gum = Math.min(
        1,
        Math.max(0, (Math.abs(y + 0.0665) - 0.0085 + 0.0015 * Math.cos(6.28 * within)) / 0.002),
      );
      for (let k = 0; k < 3; k++) albedo[k] = (TOOTH[k]! + gum * (GUM[k]! - TOOTH[k]!)) * gap * tone;
      point.open *= 0.3 + 0.6 * side;
      point.lit *= 0.8 * side;
      light.diffuse(point, WRAPS.teeth, out);
      light.reflect(point, 80, 0.5 * side, 0, 0, out);
    },
    tongue(_, values, at, point, out) {
      const side = Math.min(1, Math.max(0.1, (values[at + 2]! + 0.03) / 0.04));
      albedo.set(TONGUE);
      point.open *= side;
      point.lit *= side;
      light.diffuse(point, WRAPS.tongue, out);
      light.reflect(point, 30, 0.4 * side, 0, 0, out);
    },
  };
}
