// The colour of one visible point: material, light, shadow and openness to linear light. Skin scatters a
// little (its terminator is soft, more so in red), hair shines along its strands, eyes are wet.
// Hair's highlight: Kajiya and Kay, "Rendering fur with three dimensional textures", 1989.

import { type AssetIris, irisLightness } from './asset-iris.ts';
import { createNoise, fractal } from './noise.ts';
import { VERTEX } from './scene.ts';
import { createSkinPainter, greyed, type SkinPainterOptions } from './skin.ts';
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
  /** Whether a texture gives the albedo here, and which (3, linear). */
  isPainted: boolean;
  readonly painted: Float32Array;
};

/** What an outfit changes. */
export type ShaderOptions = SkinPainterOptions & {
  /** The fibres of a pictured iris; null: drawn by rule. */
  readonly iris?: AssetIris | null;
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
const CAVITY: Colour = [0.36, 0.09, 0.08];
const TONGUE: Colour = [0.5, 0.18, 0.17];
/** How far light wraps round a material's edge into the shade, for red, green, blue. */
const WRAPS = {
  skin: Float64Array.of(0.34, 0.18, 0.13),
  eye: Float64Array.of(0.15, 0.12, 0.1),
  cavity: Float64Array.of(0.3, 0.2, 0.2),
  teeth: Float64Array.of(0.3, 0.26, 0.22),
  tongue: Float64Array.of(0.34, 0.2, 0.18),
  cloth: Float64Array.of(0.1, 0.1, 0.1),
} as const;

/** The shader of a subject; `MATERIALS` order. */
export function createShader(traits: SubjectTraits, options: ShaderOptions = {}): PointShader {
  const { light, hair, eyes, clothes, seed } = traits;
  const paintSkin = createSkinPainter(traits, options);
  const { iris = null } = options;
  const noise = createNoise(seed ^ 0x1234567);
  const [kx, ky, kz] = light.keyDirection;
  const fillSide = Math.sign(kx || 1);
  const key = Float64Array.from(light.keyColour);
  const sky = Float64Array.from(light.skyColour);
  const ground = Float64Array.from(light.groundColour);
  const fill = Float64Array.from(light.fillColour);
  const hairColour = Float64Array.from(greyed(hair.colour, hair.grey));
  const albedo = new Float32Array(3);
  const normal = new Float32Array(3);

  /** Ambient and wrapped key light on `normal`, times albedo, into `out`. */
  const diffuse = (point: PointLight, wrap: Float64Array, out: Float32Array): void => {
    const nx = normal[0]!;
    const ny = normal[1]!;
    const nz = normal[2]!;
    const toKey = nx * kx + ny * ky + nz * kz;
    const upward = 0.5 + 0.5 * ny;
    const side = Math.max(0, -nx * fillSide) * 0.7 + 0.3 * Math.max(0, nz);
    for (let k = 0; k < 3; k++) {
      const wrapped = Math.max(0, (toKey + wrap[k]!) / (1 + wrap[k]!));
      // Light bounces inside hollows: occlusion is weaker and redder in bright materials.
      const open = point.open + (1 - point.open) * 0.35 * albedo[k]!;
      const ambient = ground[k]! + upward * (sky[k]! - ground[k]!) + side * fill[k]!;
      out[k] = albedo[k]! * (open * ambient + point.lit * wrapped * key[k]! * (0.4 + 0.6 * open));
    }
  };

  /** Adds one or two lobes of the key light's reflection, the sky's at grazing angles, the rim's. */
  const addSpecular = (
    point: PointLight,
    exponent: number,
    strength: number,
    second: number,
    secondStrength: number,
    out: Float32Array,
  ): void => {
    const nx = normal[0]!;
    const ny = normal[1]!;
    const nz = normal[2]!;
    const hx = kx + point.viewX;
    const hy = ky + point.viewY;
    const hz = kz + point.viewZ;
    const length = Math.sqrt(hx * hx + hy * hy + hz * hz) || 1;
    const facing = Math.max(0, (nx * hx + ny * hy + nz * hz) / length);
    const towards = Math.max(0, nx * point.viewX + ny * point.viewY + nz * point.viewZ);
    const away = 1 - towards;
    const fresnel = 0.04 + 0.96 * away * away * away * away * away;
    let lobes = strength * ((exponent + 2) / 8) * power(facing, exponent);
    if (second > 0) lobes += secondStrength * ((second + 2) / 8) * power(facing, second);
    lobes *= point.lit * (0.04 + fresnel * 0.5);
    const rim = light.rimStrength * fresnel * Math.max(0, -0.2 - nz * 0.3 + Math.abs(nx) * 0.9);
    const grazing = (strength + secondStrength) * fresnel * 0.5 * point.open;
    const rims = (second > 0 ? 0.5 : 0.25) * rim * point.open;
    for (let k = 0; k < 3; k++) out[k]! += lobes * key[k]! + grazing * sky[k]! + rims;
  };

  const bump = 0.025 + 0.03 * traits.age;
  const skin: PointShader = (_, values, at, point, out) => {
    const x = values[at]!;
    const y = values[at + 1]!;
    const z = values[at + 2]!;
    if (point.isPainted) albedo.set(point.painted);
    const shine = paintSkin(x, y, z, values[at + VERTEX.first]!, albedo, point.isPainted);
    // Pores tilt the normal a little.
    const scale = 420;
    normal[0]! += bump * noise(x * scale, y * scale, z * scale);
    normal[1]! += bump * noise(x * scale + 31, y * scale, z * scale);
    diffuse(point, WRAPS.skin, out);
    addSpecular(point, 14, 0.45 * shine, 48, 0.16 * shine, out);
  };

  const eye: PointShader = (_, values, at, point, out) => {
    const x = values[at]!;
    const y = values[at + 1]!;
    const z = values[at + 2]!;
    const angle = Math.atan2(Math.sqrt(x * x + y * y), z);
    const around = Math.atan2(y, x);
    const isIris = angle < IRIS_ANGLE;
    const share = angle / IRIS_ANGLE;
    if (isIris) {
      const fibre = iris
        ? 0.25 + 0.75 * irisLightness(iris, around, (share - eyes.pupil) / (1 - eyes.pupil))
        : 0.75 +
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
    diffuse(point, WRAPS.eye, out);
    addSpecular(point, 300, isIris ? 0.9 : 0.35, 0, 0, out);
  };

  const cavity: PointShader = (_, values, at, point, out) => {
    const deep = Math.exp(-Math.max(0, 0.022 - values[at + 2]!) / 0.022);
    albedo.set(CAVITY);
    point.open *= deep;
    point.lit *= deep;
    diffuse(point, WRAPS.cavity, out);
    addSpecular(point, 40, 0.25 * deep, 0, 0, out);
  };

  const teeth: PointShader = (_, values, at, point, out) => {
    const x = values[at]!;
    const z = values[at + 2]!;
    const side = Math.min(1, Math.max(0, (z + 0.012) / 0.03));
    // Gaps between teeth of about 7.5 mm along the arch.
    const arch = Math.abs(x) + Math.max(0, 0.014 - z) * 0.9;
    const gap = 1 - 0.4 * Math.exp(-((((arch / 0.0075) % 1) - 0.98) ** 2) / 0.006);
    for (let k = 0; k < 3; k++) albedo[k] = TOOTH[k]! * gap;
    point.open *= 0.35 + 0.65 * side;
    point.lit *= side;
    diffuse(point, WRAPS.teeth, out);
    addSpecular(point, 80, 0.4 * side, 0, 0, out);
  };

  const tongue: PointShader = (_, values, at, point, out) => {
    const side = Math.min(1, Math.max(0.1, (values[at + 2]! + 0.03) / 0.04));
    albedo.set(TONGUE);
    point.open *= side;
    point.lit *= side;
    diffuse(point, WRAPS.tongue, out);
    addSpecular(point, 30, 0.4 * side, 0, 0, out);
  };

  const cloth: PointShader = (_, values, at, point, out) => {
    const x = values[at]!;
    const y = values[at + 1]!;
    const z = values[at + 2]!;
    const weave =
      1 + 0.1 * fractal(noise, 2, x * 500, y * 500, z * 500) + 0.14 * noise(x * 22, y * 14, z * 22);
    const isSecond = clothes.pattern === 'stripes' && Math.sin(y * 260) > 0.2;
    const isHem = clothes.pattern !== 'knit' && values[at + VERTEX.first]! > 0.35;
    const rib = clothes.pattern === 'knit' ? 0.85 + 0.15 * Math.sin(x * 1200) : 1;
    const tone = isSecond || isHem ? clothes.second : clothes.colour;
    for (let k = 0; k < 3; k++) albedo[k] = tone[k]! * weave * rib;
    diffuse(point, WRAPS.cloth, out);
  };

  const strand: PointShader = (_, values, at, point, out) => {
    const tx = normal[0]!;
    const ty = normal[1]!;
    const tz = normal[2]!;
    const along = values[at + VERTEX.first]!;
    // A texture's light and dark strands stand for strands of their own.
    const which = point.isPainted
      ? Math.min(1, (0.45 * point.painted[1]!) / hairColour[1]!)
      : values[at + VERTEX.second]!;
    const tint = 0.7 + 0.55 * which + 0.15 * along;
    if (point.isPainted) albedo.set(point.painted);
    else for (let k = 0; k < 3; k++) albedo[k] = hairColour[k]! * tint;
    const toKey = tx * kx + ty * ky + tz * kz;
    const toView = tx * point.viewX + ty * point.viewY + tz * point.viewZ;
    const lightSine = Math.sqrt(Math.max(0, 1 - toKey * toKey));
    const viewSine = Math.sqrt(Math.max(0, 1 - toView * toView));
    const shine = Math.max(0, lightSine * viewSine - toKey * toView);
    const shifted = point.isPainted
      ? Math.min(1, Math.max(0, shine - 0.02 + 0.12 * which))
      : Math.max(0, shine - 0.02 + 0.04 * which);
    const root = 0.45 + 0.55 * Math.min(1, along * 3);
    // Wide cards would shine as sheets: there only the light strands do.
    const share = point.isPainted ? which * which : 1;
    const sharp = 0.05 * share * power(shifted, 60);
    const broad = 0.5 * share * power(shine, 14);
    for (let k = 0; k < 3; k++) {
      const ambient = (sky[k]! * 0.75 + ground[k]! * 0.25) * point.open;
      const lit = key[k]! * point.lit;
      const gloss = sharp + broad * albedo[k]!;
      out[k] =
        root * (albedo[k]! * (ambient + 0.75 * lightSine * lit) + gloss * (lit + 0.3 * ambient) * viewSine);
    }
  };

  const lash: PointShader = (_, _values, _at, _point, out) => {
    out.fill(0.006);
  };

  const brow: PointShader = (_, _values, _at, point, out) => {
    albedo.set(point.painted);
    diffuse(point, WRAPS.skin, out);
  };

  const byMaterial = [skin, eye, cavity, teeth, tongue, cloth, strand, lash, brow];
  return (material, values, at, point, out) => {
    const nx = values[at + 3]!;
    const ny = values[at + 4]!;
    const nz = values[at + 5]!;
    const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1;
    normal[0] = nx / length;
    normal[1] = ny / length;
    normal[2] = nz / length;
    byMaterial[material]!(material, values, at, point, out);
  };
}

/** `base` to a whole power, by squaring. */
function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest >>= 1) {
    if (rest & 1) result *= square;
    square *= square;
  }
  return result;
}
