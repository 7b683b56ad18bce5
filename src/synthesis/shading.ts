// The colour of one visible point: material, light, shadow and openness to linear light. Skin scatters a
// little (its terminator is soft, more so in red), hair shines along its strands, eyes are wet.
// Hair's highlight: Kajiya and Kay, "Rendering fur with three dimensional textures", 1989.

import { createNoise, fractal } from './noise.ts';
import { VERTEX } from './scene.ts';
import { createSkinPainter, greyed } from './skin.ts';
import type { Colour, SubjectTraits } from './traits.ts';

/** What the light does at a point. */
export type PointLight = {
  /** Share of the key light that arrives, 0 to 1. */
  lit: number;
  /** Openness to ambient light, 0 to 1. */
  open: number;
  /** Unit vector to the camera, world. */
  viewX: number;
  viewY: number;
  viewZ: number;
};

/** Writes the linear colour (3) of a point whose vertex values start at `values[at]`. */
export type PointShader = (
  material: number,
  values: Float32Array,
  at: number,
  light: PointLight,
  out: Float32Array,
) => void;

const IRIS_ANGLE = 0.405;
const TOOTH: Colour = [0.66, 0.6, 0.5];

/** The shader of a subject; `MATERIALS` order. */
export function createShader(traits: SubjectTraits): PointShader {
  const { light, hair, eyes, clothes, seed } = traits;
  const paintSkin = createSkinPainter(traits);
  const noise = createNoise(seed ^ 0x1234567);
  const [kx, ky, kz] = light.keyDirection;
  const hairColour = greyed(hair.colour, hair.grey);
  const albedo = new Float32Array(3);
  const normal = new Float32Array(3);

  /** Ambient and wrapped key light on `normal`, times albedo, into `out`. */
  const diffuse = (point: PointLight, wrap: Colour, out: Float32Array): void => {
    const [nx, ny, nz] = [normal[0]!, normal[1]!, normal[2]!];
    const toKey = nx * kx + ny * ky + nz * kz;
    const sky = 0.5 + 0.5 * ny;
    const side = Math.max(0, -nx * Math.sign(kx || 1)) * 0.7 + 0.3 * Math.max(0, nz);
    for (let k = 0; k < 3; k++) {
      const wrapped = Math.max(0, (toKey + wrap[k]!) / (1 + wrap[k]!));
      // Light bounces inside hollows: occlusion is weaker and redder in bright materials.
      const open = point.open + (1 - point.open) * 0.35 * albedo[k]!;
      const ambient =
        light.groundColour[k]! +
        sky * (light.skyColour[k]! - light.groundColour[k]!) +
        side * light.fillColour[k]!;
      out[k] = albedo[k]! * (open * ambient + point.lit * wrapped * light.keyColour[k]! * (0.4 + 0.6 * open));
    }
  };

  const addSpecular = (point: PointLight, exponent: number, strength: number, out: Float32Array): void => {
    const [nx, ny, nz] = [normal[0]!, normal[1]!, normal[2]!];
    let [hx, hy, hz] = [kx + point.viewX, ky + point.viewY, kz + point.viewZ];
    const length = Math.sqrt(hx * hx + hy * hy + hz * hz) || 1;
    [hx, hy, hz] = [hx / length, hy / length, hz / length];
    const facing = Math.max(0, nx * hx + ny * hy + nz * hz);
    const towards = Math.max(0, nx * point.viewX + ny * point.viewY + nz * point.viewZ);
    const fresnel = 0.04 + 0.96 * (1 - towards) ** 5;
    const lobe = ((exponent + 2) / 8) * facing ** exponent * point.lit;
    const rim = light.rimStrength * fresnel * Math.max(0, -0.2 - nz * 0.3 + Math.abs(nx) * 0.9);
    for (let k = 0; k < 3; k++) {
      const sky = light.skyColour[k]! * fresnel * 0.5 * point.open;
      out[k]! +=
        strength * (lobe * (0.04 + fresnel * 0.5) * light.keyColour[k]! + sky) + 0.25 * rim * point.open;
    }
  };

  const skin: PointShader = (_, values, at, point, out) => {
    const [x, y, z] = [values[at]!, values[at + 1]!, values[at + 2]!];
    const shine = paintSkin(x, y, z, values[at + VERTEX.first]!, albedo);
    // Pores tilt the normal a little.
    const scale = 420;
    const bump = 0.025 + 0.03 * traits.age;
    normal[0]! += bump * noise(x * scale, y * scale, z * scale);
    normal[1]! += bump * noise(x * scale + 31, y * scale, z * scale);
    diffuse(point, [0.34, 0.18, 0.13], out);
    addSpecular(point, 14, 0.45 * shine, out);
    addSpecular(point, 48, 0.16 * shine, out);
  };

  const eye: PointShader = (_, values, at, point, out) => {
    const [x, y, z] = [values[at]!, values[at + 1]!, values[at + 2]!];
    const angle = Math.atan2(Math.hypot(x, y), z);
    const around = Math.atan2(y, x);
    const isIris = angle < IRIS_ANGLE;
    const share = angle / IRIS_ANGLE;
    if (isIris) {
      const fibre =
        0.75 +
        0.35 * noise(around * 9, share * 2.5, values[at + VERTEX.second]! * 3) +
        0.2 * noise(around * 25, share * 3, 7);
      const ring = Math.exp(-(((share - eyes.pupil - 0.12) / 0.18) ** 2));
      const limbus = 1 - 0.8 * Math.max(0, (share - 0.78) / 0.22);
      const pupil = share < eyes.pupil ? 0.06 : Math.min(1, 0.06 + (share - eyes.pupil) * 14);
      for (let k = 0; k < 3; k++) {
        albedo[k] =
          (eyes.iris[k]! + ring * 0.7 * (eyes.ring[k]! - eyes.iris[k]!)) * fibre * limbus * pupil * 1.25;
      }
    } else {
      const vein =
        eyes.redness *
        Math.max(0, noise(around * 14, angle * 12, 3)) *
        Math.min(1, (angle - IRIS_ANGLE) * 1.5);
      const edge = Math.min(1, (angle - IRIS_ANGLE) * 12);
      albedo[0] = (0.58 - 0.05 * vein) * (0.55 + 0.45 * edge);
      albedo[1] = (0.54 - 0.2 * vein) * (0.55 + 0.45 * edge);
      albedo[2] = (0.51 - 0.2 * vein) * (0.55 + 0.45 * edge);
    }
    // The upper lid and its lashes shade the ball's top.
    const lid = 1 - 0.5 * Math.max(0, Math.min(1, y / 0.006));
    point.open = Math.min(point.open * 1.1, 1) * lid;
    point.lit *= lid;
    diffuse(point, [0.15, 0.12, 0.1], out);
    addSpecular(point, 300, isIris ? 0.9 : 0.35, out);
  };

  const cavity: PointShader = (_, values, at, point, out) => {
    const deep = Math.exp(-Math.max(0, 0.022 - values[at + 2]!) / 0.022);
    albedo.set([0.36, 0.09, 0.08]);
    point.open *= deep;
    point.lit *= deep;
    diffuse(point, [0.3, 0.2, 0.2], out);
    addSpecular(point, 40, 0.25 * deep, out);
  };

  const teeth: PointShader = (_, values, at, point, out) => {
    const [x, z] = [values[at]!, values[at + 2]!];
    const side = Math.min(1, Math.max(0, (z + 0.012) / 0.03));
    // Gaps between teeth of about 7.5 mm along the arch.
    const arch = Math.abs(x) + Math.max(0, 0.014 - z) * 0.9;
    const gap = 1 - 0.4 * Math.exp(-((((arch / 0.0075) % 1) - 0.98) ** 2) / 0.006);
    for (let k = 0; k < 3; k++) albedo[k] = TOOTH[k]! * gap;
    point.open *= 0.35 + 0.65 * side;
    point.lit *= side;
    diffuse(point, [0.3, 0.26, 0.22], out);
    addSpecular(point, 80, 0.4 * side, out);
  };

  const tongue: PointShader = (_, values, at, point, out) => {
    const side = Math.min(1, Math.max(0.1, (values[at + 2]! + 0.03) / 0.04));
    albedo.set([0.5, 0.18, 0.17]);
    point.open *= side;
    point.lit *= side;
    diffuse(point, [0.34, 0.2, 0.18], out);
    addSpecular(point, 30, 0.4 * side, out);
  };

  const cloth: PointShader = (_, values, at, point, out) => {
    const [x, y, z] = [values[at]!, values[at + 1]!, values[at + 2]!];
    const weave =
      1 + 0.1 * fractal(noise, 2, x * 500, y * 500, z * 500) + 0.14 * noise(x * 22, y * 14, z * 22);
    const isSecond = clothes.pattern === 'stripes' && Math.sin(y * 260) > 0.2;
    const isHem = clothes.pattern !== 'knit' && values[at + VERTEX.first]! > 0.35;
    const rib = clothes.pattern === 'knit' ? 0.85 + 0.15 * Math.sin(x * 1200) : 1;
    const tone = isSecond || isHem ? clothes.second : clothes.colour;
    for (let k = 0; k < 3; k++) albedo[k] = tone[k]! * weave * rib;
    diffuse(point, [0.1, 0.1, 0.1], out);
  };

  const strand: PointShader = (_, values, at, point, out) => {
    const [tx, ty, tz] = [normal[0]!, normal[1]!, normal[2]!];
    const [along, which] = [values[at + VERTEX.first]!, values[at + VERTEX.second]!];
    const tint = 0.7 + 0.55 * which + 0.15 * along;
    for (let k = 0; k < 3; k++) albedo[k] = hairColour[k]! * tint;
    const toKey = tx * kx + ty * ky + tz * kz;
    const toView = tx * point.viewX + ty * point.viewY + tz * point.viewZ;
    const lightSine = Math.sqrt(Math.max(0, 1 - toKey * toKey));
    const viewSine = Math.sqrt(Math.max(0, 1 - toView * toView));
    const shine = Math.max(0, lightSine * viewSine - toKey * toView);
    const shifted = Math.max(0, shine - 0.02 + 0.04 * which);
    const root = 0.45 + 0.55 * Math.min(1, along * 3);
    for (let k = 0; k < 3; k++) {
      const ambient = (light.skyColour[k]! * 0.75 + light.groundColour[k]! * 0.25) * point.open;
      const key = light.keyColour[k]! * point.lit;
      const gloss = 0.05 * shifted ** 60 + 0.5 * albedo[k]! * shine ** 14;
      out[k] =
        root * (albedo[k]! * (ambient + 0.75 * lightSine * key) + gloss * (key + 0.3 * ambient) * viewSine);
    }
  };

  const lash: PointShader = (_, _values, _at, _point, out) => {
    out.fill(0.006);
  };

  const byMaterial = [skin, eye, cavity, teeth, tongue, cloth, strand, lash];
  return (material, values, at, point, out) => {
    const [nx, ny, nz] = [values[at + 3]!, values[at + 4]!, values[at + 5]!];
    const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1;
    normal[0] = nx / length;
    normal[1] = ny / length;
    normal[2] = nz / length;
    byMaterial[material]!(material, values, at, point, out);
  };
}
