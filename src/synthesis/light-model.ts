// Light on a surface: a sky and a ground, a key light, a fill from the other side, a broad light as of a
// window, a rim; diffuse with a soft terminator, and two lobes of reflection.

import type { Creases } from './skin-relief.ts';
import type { SubjectTraits } from './traits.ts';

/** What is known of a seen point beside its vertex values. */
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
  /** Set by the shader: whether the point turned out to be cloth. */
  isCloth: boolean;
  /** Rotation of the skull, world from rest, and of what the face does: alike all over a picture. */
  readonly turn: Float64Array;
  readonly creases: Creases;
  /** Length of a pixel on the head. */
  readonly footprintMetres: number;
};

/** The lights of a subject on a normal. */
export type LightModel = {
  readonly albedo: Float32Array;
  /** Unit normal, world; written before the light is asked for. */
  readonly normal: Float32Array;
  /** Turns what a relief adds, on the head at rest, into the world's axes and tilts the normal by it. */
  tilt(point: PointLight, relief: Float32Array): void;
  /** Writes light times albedo; `wrap` is how far light reaches round into the shade, for each channel. */
  diffuse(point: PointLight, wrap: Float64Array, out: Float32Array): void;
  /** Adds the reflections of one lobe or two: exponents and strengths. */
  reflect(
    point: PointLight,
    exponent: number,
    strength: number,
    second: number,
    secondStrength: number,
    out: Float32Array,
  ): void;
};

/** The lights of a subject. */
export function createLightModel(light: SubjectTraits['light']): LightModel {
  const [kx, ky, kz] = light.keyDirection;
  const [bx, by, bz] = light.broadDirection;
  const fillSide = Math.sign(kx || 1);
  const key = Float64Array.from(light.keyColour);
  const sky = Float64Array.from(light.skyColour);
  const ground = Float64Array.from(light.groundColour);
  const fill = Float64Array.from(light.fillColour);
  const broad = Float64Array.from(light.broadColour);
  const albedo = new Float32Array(3);
  const normal = new Float32Array(3);
  return {
    albedo,
    normal,
    tilt({ turn }, relief) {
      let length = 0;
      for (let i = 0; i < 3; i++) {
        normal[i]! +=
          turn[3 * i]! * relief[0]! + turn[3 * i + 1]! * relief[1]! + turn[3 * i + 2]! * relief[2]!;
        length += normal[i]! * normal[i]!;
      }
      const scale = 1 / Math.sqrt(length);
      for (let i = 0; i < 3; i++) normal[i]! *= scale;
    },
    diffuse(point, wrap, out) {
      const nx = normal[0]!;
      const ny = normal[1]!;
      const nz = normal[2]!;
      const toKey = nx * kx + ny * ky + nz * kz;
      const toBroad = Math.max(0, (nx * bx + ny * by + nz * bz + 0.3) / 1.3);
      const upward = 0.5 + 0.5 * ny;
      const side = Math.max(0, -nx * fillSide) * 0.7 + 0.3 * Math.max(0, nz);
      for (let k = 0; k < 3; k++) {
        const wrapped = Math.max(0, (toKey + wrap[k]!) / (1 + wrap[k]!));
        // Light bounces inside hollows: occlusion is weaker and redder in bright materials.
        const open = point.open + (1 - point.open) * 0.35 * albedo[k]!;
        const ambient =
          ground[k]! + upward * (sky[k]! - ground[k]!) + side * fill[k]! + toBroad * toBroad * broad[k]!;
        // Where a shadow falls on skin, red light still leaks in from beside.
        const lit = point.lit + (1 - point.lit) * wrap[k]! * point.lit;
        out[k] = albedo[k]! * (open * ambient + lit * wrapped * key[k]! * (0.4 + 0.6 * open));
      }
    },
    reflect(point, exponent, strength, second, secondStrength, out) {
      const nx = normal[0]!;
      const ny = normal[1]!;
      const nz = normal[2]!;
      const towards = Math.max(0, nx * point.viewX + ny * point.viewY + nz * point.viewZ);
      const away = 1 - towards;
      const fresnel = 0.04 + 0.96 * away * away * away * away * away;
      const keyLobe = lobes(kx, ky, kz, nx, ny, nz, point, exponent, strength, second, secondStrength);
      const atKey = keyLobe * point.lit * (0.04 + fresnel * 0.5);
      // A broad light shines broadly.
      const atBroad = lobes(bx, by, bz, nx, ny, nz, point, 8, 0.7 * strength, 0, 0) * point.open * 0.06;
      const rim = light.rimStrength * fresnel * Math.max(0, -0.2 - nz * 0.3 + Math.abs(nx) * 0.9);
      const grazing = (strength + secondStrength) * fresnel * 0.5 * point.open;
      const rims = (second > 0 ? 0.5 : 0.25) * rim * point.open;
      for (let k = 0; k < 3; k++) {
        out[k]! += atKey * key[k]! + atBroad * broad[k]! + grazing * sky[k]! + rims;
      }
    },
  };
}

function lobes(
  lx: number,
  ly: number,
  lz: number,
  nx: number,
  ny: number,
  nz: number,
  { viewX, viewY, viewZ }: PointLight,
  exponent: number,
  strength: number,
  second: number,
  secondStrength: number,
): number {
  const hx = lx + viewX;
  const hy = ly + viewY;
  const hz = lz + viewZ;
  const length = Math.sqrt(hx * hx + hy * hy + hz * hz) || 1;
  const facing = Math.max(0, (nx * hx + ny * hy + nz * hz) / length);
  const first = strength * ((exponent + 2) / 8) * power(facing, exponent);
  return second === 0 ? first : first + secondStrength * ((second + 2) / 8) * power(facing, second);
}

/** `base` to a whole power, by squaring. */
export function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest >>= 1) {
    if (rest & 1) result *= square;
    square *= square;
  }
  return result;
}
