// The colour of one visible point: material, light, shadow and openness to linear light. Skin scatters a
// little (its terminator is soft, more so in red) and has a relief, hair shines along its strands.
// Hair's highlight: Kajiya and Kay, "Rendering fur with three dimensional textures", 1989.

import type { AssetIris } from './asset-iris.ts';
import { type ClothPoint, createTailor } from './garment.ts';
import { createLightModel, type PointLight, power } from './light-model.ts';
import { createEyeShader, createMouthShaders } from './mouth-and-eyes.ts';
import { createNoise, type NoiseField } from './noise.ts';
import { MATERIALS, type Material, VERTEX } from './scene.ts';
import { createSkinPainter, greyed, type SkinPainterOptions } from './skin.ts';
import { createSkinRelief } from './skin-relief.ts';
import type { SubjectTraits } from './traits.ts';

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

/** How far light wraps round a material's edge into the shade, for red, green, blue. */
const WRAPS = {
  skin: Float64Array.of(0.4, 0.2, 0.13),
  cloth: Float64Array.of(0.1, 0.1, 0.1),
} as const;
/** Skin this near to the edge of clothes lies in their shade. */
const COLLAR_SHADE_METRES = 0.009;

/** The shader of a subject; `MATERIALS` order. */
export function createShader(traits: SubjectTraits, options: ShaderOptions = {}): PointShader {
  const noise = createNoise(traits.seed ^ 0x1234567);
  const light = createLightModel(traits.light);
  const { albedo, normal } = light;
  const paintSkin = createSkinPainter(traits, options);
  const relieve = createSkinRelief(traits, noise);
  const tailor = createTailor(traits.garment, noise);
  const cloth: ClothPoint = { inside: 0, albedo, tilt: new Float32Array(3) };
  const relief = new Float32Array(3);

  const shadeCloth = (point: PointLight, out: Float32Array): void => {
    point.isCloth = true;
    light.tilt(point, cloth.tilt);
    light.diffuse(point, WRAPS.cloth, out);
  };

  const skin: PointShader = (_, values, at, point, out) => {
    const x = values[at]!;
    const y = values[at + 1]!;
    const z = values[at + 2]!;
    tailor(x, y, z, cloth);
    if (cloth.inside > 0) {
      shadeCloth(point, out);
      return;
    }
    if (point.isPainted) albedo.set(point.painted);
    const shine = paintSkin(x, y, z, values[at + VERTEX.first]!, albedo, point.isPainted);
    relieve(x, y, z, point.creases, point.footprintMetres, relief);
    light.tilt(point, relief);
    const nearCloth = Math.max(0, 1 + cloth.inside / COLLAR_SHADE_METRES);
    if (y < -0.1 && nearCloth > 0) point.open *= 1 - 0.45 * nearCloth * nearCloth;
    light.diffuse(point, WRAPS.skin, out);
    light.reflect(point, 12, 0.5 * shine, 44, 0.2 * shine, out);
  };

  const clothes: PointShader = (_, values, at, point, out) => {
    tailor(values[at]!, values[at + 1]!, values[at + 2]!, cloth);
    shadeCloth(point, out);
  };

  const wrap: PointShader = (_, values, at, point, out) => {
    const [x, y, z] = [values[at]!, values[at + 1]!, values[at + 2]!];
    const { clothColour, headwear } = traits.worn;
    const isKnit = headwear === 'cap';
    const rib = isKnit ? Math.sin(Math.atan2(x, z + 0.085) * 70) : 0;
    const print = headwear === 'headscarf' ? 0.25 * noise(x * 70, y * 70, z * 70) : 0;
    for (let k = 0; k < 3; k++) {
      albedo[k] = clothColour[k]! * (1 + 0.12 * rib + print + 0.06 * noise(x * 500, y * 500, z * 500));
    }
    cloth.tilt[0] = 0.3 * rib + 0.3 * noise(x * 35, y * 60 + x * 40, z * 35);
    cloth.tilt[1] = 0.35 * noise(x * 30 + 9, y * 55 + 50 * Math.abs(x), z * 45);
    cloth.tilt[2] = 0;
    light.tilt(point, cloth.tilt);
    light.diffuse(point, WRAPS.cloth, out);
  };

  const frame: PointShader = (_m, _values, _at, point, out) => {
    const { glasses } = traits.worn;
    albedo.set(glasses!.colour);
    light.diffuse(point, WRAPS.cloth, out);
    light.reflect(point, 60, 0.3 + 1.2 * glasses!.metal, 0, 0, out);
  };

  const jewel: PointShader = (_m, _values, _at, point, out) => {
    albedo.set(traits.worn.earRings!.colour);
    light.diffuse(point, WRAPS.cloth, out);
    light.reflect(point, 40, 2, 0, 0, out);
  };

  const lash: PointShader = (_m, _values, _at, point, out) => {
    const dark = 0.25 * (0.2 + point.open);
    for (let k = 0; k < 3; k++) out[k] = 0.004 + dark * 0.2 * traits.brows.colour[k]!;
  };

  const brow: PointShader = (_m, _values, _at, point, out) => {
    albedo.set(point.painted);
    light.diffuse(point, WRAPS.skin, out);
  };

  const byName: Readonly<Record<Material, PointShader>> = {
    skin,
    clothes,
    wrap,
    frame,
    jewel,
    lash,
    brow,
    eye: createEyeShader(traits, light, noise, options.iris ?? null),
    hair: createStrandShader(traits, normal, albedo),
    ...createMouthShaders(light, noise),
  };
  const byMaterial = MATERIALS.map((name) => byName[name]);
  return (material, values, at, point, out) => {
    const nx = values[at + 3]!;
    const ny = values[at + 4]!;
    const nz = values[at + 5]!;
    const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1;
    normal[0] = nx / length;
    normal[1] = ny / length;
    normal[2] = nz / length;
    point.isCloth = false;
    byMaterial[material]!(material, values, at, point, out);
  };
}

/** Shades hair; `direction` is the strand's, `albedo` scratch. */
function createStrandShader(
  { light, hair }: SubjectTraits,
  direction: Float32Array,
  albedo: Float32Array,
): PointShader {
  const [kx, ky, kz] = light.keyDirection;
  const [bx, by, bz] = light.broadDirection;
  const hairColour = Float64Array.from(greyed(hair.colour, hair.grey));
  const noise = createNoise(hair.partingMetres * 1e6);
  return (_, values, at, point, out) => {
    const tx = direction[0]!;
    const ty = direction[1]!;
    const tz = direction[2]!;
    const along = values[at + VERTEX.first]!;
    // A texture's light and dark strands stand for strands of their own.
    const which = point.isPainted
      ? Math.min(1, (0.45 * point.painted[1]!) / hairColour[1]!)
      : values[at + VERTEX.second]!;
    const tint = (0.7 + 0.55 * which + 0.15 * along) * streak(values, at, direction, point.turn, noise);
    if (point.isPainted) albedo.set(point.painted);
    else for (let k = 0; k < 3; k++) albedo[k] = hairColour[k]! * tint;
    const toKey = tx * kx + ty * ky + tz * kz;
    const toBroad = tx * bx + ty * by + tz * bz;
    const toView = tx * point.viewX + ty * point.viewY + tz * point.viewZ;
    const lightSine = Math.sqrt(Math.max(0, 1 - toKey * toKey));
    const broadSine = Math.sqrt(Math.max(0, 1 - toBroad * toBroad));
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
      const ambient =
        (light.skyColour[k]! * 0.75 +
          light.groundColour[k]! * 0.25 +
          0.4 * broadSine * light.broadColour[k]!) *
        point.open;
      const lit = light.keyColour[k]! * point.lit;
      const gloss = sharp + broad * albedo[k]!;
      out[k] =
        root * (albedo[k]! * (ambient + 0.75 * lightSine * lit) + gloss * (lit + 0.3 * ambient) * viewSine);
    }
  };
}

/** Light and dark strands within a ribbon or a cap: noise across the strands, even along them. */
function streak(
  values: Float32Array,
  at: number,
  direction: Float32Array,
  turn: Float64Array,
  noise: NoiseField,
): number {
  const x = values[at]!;
  const y = values[at + 1]!;
  const z = values[at + 2]!;
  const tx = turn[0]! * direction[0]! + turn[3]! * direction[1]! + turn[6]! * direction[2]!;
  const ty = turn[1]! * direction[0]! + turn[4]! * direction[1]! + turn[7]! * direction[2]!;
  const tz = turn[2]! * direction[0]! + turn[5]! * direction[1]! + turn[8]! * direction[2]!;
  const passed = 0.9 * (x * tx + y * ty + z * tz);
  return 1 + 0.45 * noise(800 * (x - passed * tx), 800 * (y - passed * ty), 800 * (z - passed * tz));
}
