// An outfit on a subject: the chosen assets as pieces of the scene with their textures in one atlas, tinted
// to the subject's own colours.

import type { AssetPiece, Outfit } from './asset-library.ts';
import { type AssetMesh, assetScale, placeAsset } from './asset-mesh.ts';
import { type AssetSkin, byteFromLinear, linearFromByte, type TexturePicture } from './asset-skin.ts';
import { strandDirections } from './asset-strands.ts';
import type { Colour } from './colour.ts';
import type { Piece } from './scene.ts';
import { greyed, skinTone } from './skin.ts';
import { placeUvs, type SubjectTextures, stackTextures } from './textures.ts';
import type { SubjectTraits } from './traits.ts';

/** How far a skin may be lightened or darkened towards a subject's tone; painted ones, and photographs, which show shine too. */
const GAINS = {
  painted: { least: 0.4, most: 1.7, share: 1 },
  photographed: { least: 0.75, most: 1.25, share: 0.5 },
} as const;

/** The pieces and textures of an outfit on a shaped head at rest (`V 3`); `grown` is hair by rule. */
export function putOn(
  outfit: Outfit,
  traits: SubjectTraits,
  shaped: Float32Array,
  grown: readonly Piece[],
): { readonly pieces: readonly Piece[]; readonly textures: SubjectTextures | null } {
  const { skin, hair, brows, lashes, iris } = outfit;
  if (!skin && !hair && !brows && !lashes && !iris) return { pieces: grown, textures: null };
  const hairColour = greyed(traits.hair.colour, traits.hair.grey);
  const browColour = greyed(traits.brows.colour, traits.hair.grey * 0.35);
  const worn = [
    ...(hair ? [{ asset: hair, picture: tinted(hair.texture, hairColour), material: 'hair' as const }] : []),
    ...(brows
      ? [{ asset: brows, picture: thickened(tinted(brows.texture, browColour)), material: 'brow' as const }]
      : []),
    ...(lashes ? [{ asset: lashes, picture: lashes.texture, material: 'lash' as const }] : []),
  ];
  const atlas = worn.length > 0 ? stackTextures(worn.map(({ picture }) => picture)) : null;
  const pieces: Piece[] = worn.map(({ asset, material }, i) => {
    const uvs = placeUvs(asset.mesh.uvs, atlas!.regions[i]!);
    return material === 'hair' ? hairPiece(asset, shaped, uvs) : facePiece(asset, material, shaped, uvs);
  });
  const own = hair
    ? []
    : grown.map((piece) => ({
        ...piece,
        uvs: piece.uvs && atlas ? placeUvs(piece.uvs, atlas.strands) : piece.uvs,
      }));
  return {
    pieces: [...own, ...pieces],
    textures: {
      skin: skin && { texture: skin, gain: gainTowards(skin, skinTone(traits)) },
      atlas,
      paintsHair: hair !== null,
      hidesBrows: brows !== null || skin?.isPhotograph === true,
      iris,
    },
  };
}

/** Hair is rigid to the skull; below the chin it half stays on the shoulders. */
function hairPiece(asset: AssetPiece, shaped: Float32Array, uvs: Float32Array): Piece {
  const { mesh, texture, strokes } = asset;
  const vertices = placeAsset(mesh, shaped, assetScale(mesh, shaped));
  shortenFringe(vertices);
  const count = vertices.length / 3;
  const headness = Float32Array.from({ length: count }, (_, v) => {
    const below = Math.min(1, Math.max(0, (-0.11 - vertices[3 * v + 1]!) / 0.12));
    return 1 - 0.45 * below;
  });
  return {
    vertices,
    triangles: mesh.triangles,
    material: 'hair',
    headness,
    extra: new Float32Array(2 * count).fill(0.5),
    directions: strandDirections(mesh, vertices, strokes, texture),
    uvs,
  };
}

// Above the brows, metres over the middle of the eyes.
const FRINGE_END = 0.036;

/** Draws up what hangs over the eyes: a portrait shows them. */
function shortenFringe(vertices: Float32Array): void {
  const within = (low: number, high: number, value: number): number =>
    Math.min(1, Math.max(0, (value - low) / (high - low)));
  for (let v = 0; v < vertices.length; v += 3) {
    const below = FRINGE_END - vertices[v + 1]!;
    if (below <= 0) continue;
    const share = within(0.066, 0.05, Math.abs(vertices[v]!)) * within(-0.015, 0.005, vertices[v + 2]!);
    vertices[v + 1]! += 0.85 * share * below;
    // Brought up, it lies before the forehead, which stands further forward than the eyes.
    vertices[v + 2]! += share * Math.min(0.006, 0.15 * below);
  }
}

/** Brows and lashes move with the skin that they sit on. */
function facePiece(
  asset: AssetPiece,
  material: 'brow' | 'lash',
  shaped: Float32Array,
  uvs: Float32Array,
): Piece {
  const scale = assetScale(asset.mesh, shaped);
  const mesh = material === 'brow' ? relaxed(asset.mesh, shaped, scale) : asset.mesh;
  const vertices = placeAsset(mesh, shaped, scale);
  const count = vertices.length / 3;
  return {
    vertices,
    triangles: mesh.triangles,
    material,
    headness: new Float32Array(count).fill(1),
    extra: new Float32Array(2 * count),
    directions: null,
    uvs,
    follow: (posed, turn) => placeAsset(mesh, posed, scale, turn),
  };
}

/** MakeHuman's brows frown on this head's resting face: their inner ends rise by 3 mm. */
function relaxed(mesh: AssetMesh, shaped: Float32Array, scale: readonly [number, number, number]): AssetMesh {
  const vertices = placeAsset(mesh, shaped, scale);
  const offsets = mesh.offsets.slice();
  for (let v = 0; v < offsets.length; v += 3) {
    const inner = Math.min(1, Math.max(0, (0.036 - Math.abs(vertices[v]!)) / 0.024));
    offsets[v + 1]! += (0.003 * inner) / scale[1];
    offsets[v + 2]! += (0.0015 * inner) / scale[2];
  }
  return { ...mesh, offsets };
}

/** Fine hairs fade when they are narrower than a pixel; cut out at half cover, they would vanish. */
function thickened({ width, height, data }: TexturePicture): TexturePicture {
  const out = data.slice();
  for (let i = 3; i < out.length; i += 4) out[i] = Math.min(255, 2.2 * data[i]!);
  return { width, height, data: out };
}

function gainTowards({ tone, isPhotograph }: AssetSkin, wanted: Colour): Colour {
  const { least, most, share } = GAINS[isPhotograph ? 'photographed' : 'painted'];
  const gain = (k: 0 | 1 | 2): number =>
    Math.min(most, Math.max(least, (wanted[k] / Math.max(0.01, tone[k])) ** share));
  return [gain(0), gain(1), gain(2)];
}

/** The light and dark of a texture in another colour. */
function tinted({ width, height, data }: TexturePicture, colour: Colour): TexturePicture {
  const lightness = new Float32Array(width * height);
  let [sum, count] = [0, 0];
  for (let i = 0; i < lightness.length; i++) {
    const [r, g, b] = [data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!];
    lightness[i] = linearFromByte(0.3 * r + 0.55 * g + 0.15 * b);
    if (data[4 * i + 3]! < 128) continue;
    sum += lightness[i]!;
    count++;
  }
  const mean = Math.max(0.002, sum / Math.max(1, count));
  const out = new Uint8Array(data.length);
  for (let i = 0; i < lightness.length; i++) {
    const share = Math.min(2.2, Math.max(0.3, (lightness[i]! / mean) ** 0.7));
    for (let k = 0; k < 3; k++) out[4 * i + k] = byteFromLinear(colour[k]! * share);
    out[4 * i + 3] = data[4 * i + 3]!;
  }
  return { width, height, data: out };
}
