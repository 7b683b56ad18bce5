// The textures of one subject: a skin in the head's own layout, and an atlas of what cuts out (hair, brows,
// lashes, the strands of what is grown by rule). A painter looks them up for a seen point.

import type { HeadModel } from '../head/index.ts';
import type { AssetIris } from './asset-iris.ts';
import { type AssetSkin, linearFromByte, type TexturePicture } from './asset-skin.ts';
import type { Colour } from './colour.ts';
import { headScenery, MATERIALS, type Scene, type TextureRegion } from './scene.ts';
import { STRAND_TEXTURE } from './strand-texture.ts';

/** Pictures above each other in one. */
export type TextureAtlas = {
  readonly alpha: { readonly width: number; readonly height: number; readonly data: Uint8Array };
  /** `H W 4`, sRGB. */
  readonly colours: TexturePicture;
  /** Where each picture lies, in the order given. */
  readonly regions: readonly TextureRegion[];
  /** Where the strands of what is grown by rule lie. */
  readonly strands: TextureRegion;
};

/** What a subject's surfaces take from pictures. */
export type SubjectTextures = {
  /** A skin and what each channel of its linear light is multiplied by. */
  readonly skin: { readonly texture: AssetSkin; readonly gain: Colour } | null;
  readonly atlas: TextureAtlas | null;
  /** Whether the hair is an asset, with its colours in the atlas. */
  readonly paintsHair: boolean;
  /** Whether brows are worn or pictured, not painted on the skin. */
  readonly hidesBrows: boolean;
  /** Fibres of the irises. */
  readonly iris: AssetIris | null;
};

/** Stacks pictures, with the strand texture last. */
export function stackTextures(pictures: readonly TexturePicture[]): TextureAtlas {
  const cells = [...pictures, strandPicture()];
  const width = Math.max(...cells.map((cell) => cell.width));
  const height = cells.reduce((sum, cell) => sum + cell.height, 0);
  const data = new Uint8Array(width * height * 4);
  const regions: TextureRegion[] = [];
  let top = 0;
  for (const cell of cells) {
    for (let y = 0; y < cell.height; y++) {
      data.set(cell.data.subarray(4 * y * cell.width, 4 * (y + 1) * cell.width), 4 * (top + y) * width);
    }
    regions.push({ u: 0, v: top / height, width: cell.width / width, height: cell.height / height });
    top += cell.height;
  }
  const alpha = new Uint8Array(width * height);
  for (let i = 0; i < alpha.length; i++) alpha[i] = data[4 * i + 3]!;
  return {
    alpha: { width, height, data: alpha },
    colours: { width, height, data },
    regions: regions.slice(0, -1),
    strands: regions[regions.length - 1]!,
  };
}

/** Texture coordinates within a region (`N 2`). */
export function placeUvs(uvs: Float32Array, region: TextureRegion): Float32Array {
  return uvs.map((value, i) =>
    i % 2 === 0 ? region.u + value * region.width : region.v + value * region.height,
  );
}

function strandPicture(): TexturePicture {
  const { width, height, data } = STRAND_TEXTURE;
  const picture = new Uint8Array(width * height * 4);
  for (let i = 0; i < data.length; i++) picture[4 * i + 3] = data[i]!;
  return { width, height, data: picture };
}

/** Writes the albedo (3, linear) of a point of a triangle, by its corners' weights; false: none is known. */
export type SurfacePainter = (
  triangle: number,
  material: number,
  weights: Float32Array,
  at: number,
  out: Float32Array,
) => boolean;

const LINEAR = Float32Array.from({ length: 256 }, (_, byte) => linearFromByte(byte));

/** The painter of a subject's scene. */
export function createSurfacePainter(
  head: HeadModel,
  { cutout }: Scene,
  { skin, atlas, paintsHair }: SubjectTextures,
): SurfacePainter {
  const own = headTriangles(head);
  const [skinMaterial, hair, brow] = (['skin', 'hair', 'brow'] as const).map((name) =>
    MATERIALS.indexOf(name),
  );
  return (triangle, material, weights, at, out) => {
    if (material === skinMaterial) {
      if (!skin) return false;
      const corner = 3 * own[triangle]!;
      const { uvs, uvTriangles } = head;
      let [u, v] = [0, 0];
      for (let k = 0; k < 3; k++) {
        u += weights[at + k]! * uvs[2 * uvTriangles[corner + k]!]!;
        v += weights[at + k]! * uvs[2 * uvTriangles[corner + k]! + 1]!;
      }
      const { sizePx, data } = skin.texture;
      lookUp(data, sizePx, sizePx, 3, u, v, out);
      for (let k = 0; k < 3; k++) out[k]! *= skin.gain[k]!;
      return true;
    }
    if (!atlas || (material !== brow && !(material === hair && paintsHair))) return false;
    const row = 3 * (triangle - cutout.firstTriangle);
    // The cap under grown hair is hair too, but opaque.
    if (row < 0) return false;
    let [u, v] = [0, 0];
    for (let k = 0; k < 3; k++) {
      u += weights[at + k]! * cutout.uvs[2 * cutout.uvTriangles[row + k]!]!;
      v += weights[at + k]! * cutout.uvs[2 * cutout.uvTriangles[row + k]! + 1]!;
    }
    lookUp(atlas.colours.data, atlas.colours.width, atlas.colours.height, 4, u, v, out);
    return true;
  };
}

/** Bilinear, in linear light. */
function lookUp(
  data: Uint8Array,
  width: number,
  height: number,
  channels: number,
  u: number,
  v: number,
  out: Float32Array,
): void {
  const x = Math.min(width - 1.001, Math.max(0, u * width - 0.5));
  const y = Math.min(height - 1.001, Math.max(0, v * height - 0.5));
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const fx = x - x0;
  const fy = y - y0;
  const at = channels * (y0 * width + x0);
  const below = at + channels * width;
  for (let k = 0; k < 3; k++) {
    const a = LINEAR[data[at + k]!]!;
    const b = LINEAR[data[at + channels + k]!]!;
    const c = LINEAR[data[below + k]!]!;
    const d = LINEAR[data[below + channels + k]!]!;
    const top = a + fx * (b - a);
    out[k] = top + fy * (c + fx * (d - c) - top);
  }
}

const headTrianglesOf = new WeakMap<HeadModel, Uint32Array>();

/** Which triangle of the head each of a scene's first triangles is: lashes are drawn later. */
function headTriangles(head: HeadModel): Uint32Array {
  let kept = headTrianglesOf.get(head);
  if (!kept) {
    const lash = MATERIALS.indexOf('lash');
    const { materials } = headScenery(head);
    kept = Uint32Array.from([...materials.keys()].filter((t) => materials[t] !== lash));
    headTrianglesOf.set(head, kept);
  }
  return kept;
}
