// Skins: pictures in the texture layout of MakeHuman's base mesh, resampled once into the head's own layout,
// whose face is more than three times as large.

import { type HeadModel, PART_NAMES } from '../head/index.ts';
import { damagedAsset } from './asset-text.ts';
import type { BaseMesh } from './base-mesh.ts';
import type { Colour } from './colour.ts';

/** An 8-bit sRGB picture with alpha, `H W 4`, v down. */
export type TexturePicture = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** A skin in the head's layout; plain data. */
export type AssetSkin = {
  readonly name: string;
  readonly sizePx: number;
  /** `S S 3`, sRGB. */
  readonly data: Uint8Array;
  /** Mean colour of the face, linear light. */
  readonly tone: Colour;
  /** Baked from a photograph: it shows its own brows, so that none are painted or worn over them. */
  readonly isPhotograph: boolean;
};

const GUTTER_PX = 4;

/** Resamples skins into the head's layout of `sizePx` squared. */
export function createSkinResampler(
  head: HeadModel,
  base: BaseMesh,
  sizePx: number,
): (picture: TexturePicture, name: string) => AssetSkin {
  const map = layoutMap(head, base.cornerUvs, sizePx);
  return (picture, name) => {
    const data = new Uint8Array(sizePx * sizePx * 3);
    const texel = new Float32Array(3);
    for (let i = 0; i < sizePx * sizePx; i++) {
      if (map[2 * i]! < 0) continue;
      sampleBilinear(picture, map[2 * i]!, map[2 * i + 1]!, texel);
      for (let k = 0; k < 3; k++) data[3 * i + k] = Math.round(texel[k]!);
    }
    const tone = meanTone(head, picture, (corner, k) => base.cornerUvs[2 * corner + k]!);
    return { name, sizePx, data, tone, isPhotograph: false };
  };
}

/** 8-bit sRGB to linear light, 0 to 1. */
export function linearFromByte(byte: number): number {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** Linear light to 8-bit sRGB, within its range. */
export function byteFromLinear(light: number): number {
  const value = light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}

/** How bright the colour of a vertex is. @param colours `V 3`, linear light */
export function brightness(colours: Float32Array, v: number): number {
  return 0.21 * colours[3 * v]! + 0.72 * colours[3 * v + 1]! + 0.07 * colours[3 * v + 2]!;
}

/** A picture that is in the head's layout already, as baked skins are: a photograph, with its brows. */
export function skinInHeadLayout(head: HeadModel, picture: TexturePicture, name: string): AssetSkin {
  const { width, height, data } = picture;
  if (width !== height) throw damagedAsset(name, `its picture is ${width} x ${height}, not square`);
  const colours = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) colours.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
  return {
    name,
    sizePx: width,
    data: colours,
    tone: meanTone(head, picture, (corner, k) => head.uvs[2 * head.uvTriangles[corner]! + k]!),
    isPhotograph: true,
  };
}

/** Mean colour of the face in a picture, linear light, by its corners' coordinates. */
function meanTone(
  head: HeadModel,
  picture: TexturePicture,
  uvOf: (corner: number, k: 0 | 1) => number,
): Colour {
  const face = faceCorners(head);
  const tone = [0, 0, 0];
  const texel = new Float32Array(3);
  for (const corner of face) {
    sampleBilinear(picture, uvOf(corner, 0), uvOf(corner, 1), texel);
    for (let k = 0; k < 3; k++) tone[k]! += linearFromByte(texel[k]!) / face.length;
  }
  return [tone[0]!, tone[1]!, tone[2]!];
}

/** Writes the colour (3, 0 to 255) of a picture at (u, v), clamped at its border. */
export function sampleBilinear(
  { width, height, data }: TexturePicture,
  u: number,
  v: number,
  out: Float32Array,
): void {
  const x = Math.min(width - 1, Math.max(0, u * width - 0.5));
  const y = Math.min(height - 1, Math.max(0, v * height - 0.5));
  const [x0, y0] = [Math.min(width - 2, Math.floor(x)), Math.min(height - 2, Math.floor(y))];
  const [fx, fy] = [x - x0, y - y0];
  const at = 4 * (y0 * width + x0);
  for (let k = 0; k < 3; k++) {
    const top = data[at + k]! + fx * (data[at + 4 + k]! - data[at + k]!);
    const below = at + 4 * width + k;
    const bottom = data[below]! + fx * (data[below + 4]! - data[below]!);
    out[k] = top + fy * (bottom - top);
  }
}

/** `S S 2`: for each texel of the head's layout its place in the base mesh's; -1 where none is. */
function layoutMap(head: HeadModel, cornerUvs: Float32Array, sizePx: number): Float32Array {
  const map = new Float32Array(sizePx * sizePx * 2).fill(-1);
  for (let t = 0; t < head.triangles.length; t += 3) {
    if (cornerUvs[2 * t]! < 0) continue;
    const at = (corner: number, k: number): number =>
      head.uvs[2 * head.uvTriangles[t + corner]! + k]! * sizePx;
    const [ax, ay, bx, by, cx, cy] = [at(0, 0), at(0, 1), at(1, 0), at(1, 1), at(2, 0), at(2, 1)];
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (area === 0) continue;
    for (let y = Math.floor(Math.min(ay, by, cy)); y <= Math.max(ay, by, cy) && y < sizePx; y++) {
      for (let x = Math.floor(Math.min(ax, bx, cx)); x <= Math.max(ax, bx, cx) && x < sizePx; x++) {
        const [px, py] = [x + 0.5, y + 0.5];
        const wb = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) / area;
        const wc = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) / area;
        const wa = 1 - wb - wc;
        if (wa < -1e-4 || wb < -1e-4 || wc < -1e-4) continue;
        for (let k = 0; k < 2; k++) {
          map[2 * (y * sizePx + x) + k] =
            wa * cornerUvs[2 * t + k]! + wb * cornerUvs[2 * t + 2 + k]! + wc * cornerUvs[2 * t + 4 + k]!;
        }
      }
    }
  }
  for (let pass = 0; pass < GUTTER_PX; pass++) widen(map, sizePx);
  return map;
}

/** Gives texels beside covered ones their neighbour's place, so that no look-up meets an empty one. */
function widen(map: Float32Array, sizePx: number): void {
  const before = map.slice();
  for (let i = 0; i < sizePx * sizePx; i++) {
    if (before[2 * i]! >= 0) continue;
    const x = i % sizePx;
    const near = [x > 0 ? i - 1 : -1, x + 1 < sizePx ? i + 1 : -1, i - sizePx, i + sizePx].find(
      (j) => j >= 0 && j < sizePx * sizePx && before[2 * j]! >= 0,
    );
    if (near !== undefined) map.set(before.subarray(2 * near, 2 * near + 2), 2 * i);
  }
}

/** Corners of the skin of cheeks, nose and forehead. */
function faceCorners(head: HeadModel): number[] {
  const skin = PART_NAMES.indexOf('skin');
  const corners: number[] = [];
  for (const [c, v] of head.triangles.entries()) {
    const [x, y, z] = [head.template[3 * v]!, head.template[3 * v + 1]!, head.template[3 * v + 2]!];
    const isFace = Math.abs(x) < 0.055 && y > -0.05 && y < 0.05 && z > 0;
    const isEye = Math.abs(y) < 0.014 && Math.abs(x) > 0.015;
    if (isFace && !isEye && head.triangleParts[Math.floor(c / 3)] === skin) corners.push(c);
  }
  return corners;
}
