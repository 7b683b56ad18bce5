// A library of assets bound to the head, and what a subject takes from it: by sex, age, tone and style, in a
// share of all subjects; the rest keep what is grown and painted by rule.

import type { HeadModel } from '../head/index.ts';
import { createRandom, deriveSeed, type Random } from '../tensor/index.ts';
import { type AssetIris, cutIris } from './asset-iris.ts';
import { type AssetMesh, bindAsset } from './asset-mesh.ts';
import { type AssetSkin, createSkinResampler, skinInHeadLayout, type TexturePicture } from './asset-skin.ts';
import { strokeAngles } from './asset-strands.ts';
import { joinBaseMesh } from './base-mesh.ts';
import { styleUnder } from './hair.ts';
import { parseMhclo } from './mhclo.ts';
import { parseObj } from './obj-mesh.ts';
import { skinTone } from './skin.ts';
import type { SubjectTraits } from './traits.ts';

/** Something worn: a bound mesh with its picture; plain data. */
export type AssetPiece = {
  readonly name: string;
  /** Lower case, from its clothes file: `female`, `short`. */
  readonly tags: readonly string[];
  readonly mesh: AssetMesh;
  readonly texture: TexturePicture;
  /** `N`: which way the texture's strokes run at each vertex, radians from its u axis. */
  readonly strokes: Float32Array;
};

/** All that subjects can wear; plain data that a worker can be sent. */
export type AssetLibrary = {
  readonly skins: readonly AssetSkin[];
  readonly hair: readonly AssetPiece[];
  readonly brows: readonly AssetPiece[];
  readonly lashes: readonly AssetPiece[];
  readonly irises: readonly AssetIris[];
};

/** A worn asset as its files have it. */
export type AssetSource = {
  readonly name: string;
  readonly mhclo: string;
  readonly obj: string;
  readonly texture: TexturePicture;
};

/** The files of a library. */
export type AssetSources = {
  /** MakeHuman's base.obj, and what to call it in errors; null: nothing but baked skins. */
  readonly base: { readonly text: string; readonly name: string } | null;
  /** The bytes of `models/head/base-vertices.safetensors`. */
  readonly table: Uint8Array;
  readonly skins: readonly { readonly name: string; readonly texture: TexturePicture }[];
  /** Skins in the head's own layout. */
  readonly bakedSkins: readonly { readonly name: string; readonly texture: TexturePicture }[];
  readonly hair: readonly AssetSource[];
  readonly brows: readonly AssetSource[];
  readonly lashes: readonly AssetSource[];
  /** Pictures of eyes. */
  readonly eyes: readonly { readonly name: string; readonly texture: TexturePicture }[];
};

const SKIN_SIZE_PX = 1024;

/** Binds a library to the head. @throws BadInputError naming the file that cannot be used. */
export function buildAssetLibrary(head: HeadModel, sources: AssetSources): AssetLibrary {
  const baked = sources.bakedSkins.map(({ name, texture }) => skinInHeadLayout(head, texture, name));
  if (!sources.base) return { skins: baked, hair: [], brows: [], lashes: [], irises: [] };
  const base = joinBaseMesh(
    head,
    sources.table,
    parseObj(sources.base.text, sources.base.name),
    sources.base.name,
  );
  const resample = createSkinResampler(head, base, SKIN_SIZE_PX);
  const bind = ({ name, mhclo, obj, texture }: AssetSource): AssetPiece => {
    const clothes = parseMhclo(mhclo, name);
    const mesh = bindAsset(base, clothes, parseObj(obj, clothes.objFile), name);
    return { name, tags: clothes.tags, mesh, texture, strokes: strokeAngles(mesh, texture) };
  };
  return {
    skins: [...sources.skins.map(({ name, texture }) => resample(texture, name)), ...baked],
    hair: sources.hair.map(bind),
    brows: sources.brows.map(bind),
    lashes: sources.lashes.map(bind),
    irises: sources.eyes.map(({ name, texture }) => cutIris(texture, name)),
  };
}

/** What one subject takes from the library; null: grown or painted by rule. */
export type Outfit = {
  readonly skin: AssetSkin | null;
  readonly hair: AssetPiece | null;
  readonly brows: AssetPiece | null;
  readonly lashes: AssetPiece | null;
  readonly iris: AssetIris | null;
};

// How many subjects wear each, where the library has something that suits them.
const SHARES = { skin: 0.75, hair: 0.65, brows: 0.6, lashes: 1, iris: 0.6 } as const;

/** Chooses a subject's outfit; the same traits and library give the same outfit, always. */
export function chooseOutfit(traits: SubjectTraits, library: AssetLibrary): Outfit {
  const random = createRandom(deriveSeed(traits.seed, 51));
  const wears = (share: number): boolean => random.uniform() < share;
  // Every draw happens for every subject, so that one choice does not shift the next.
  const [wearsSkin, wearsHair, wearsBrows, wearsLashes] = [
    wears(SHARES.skin),
    wears(SHARES.hair),
    wears(SHARES.brows),
    wears(SHARES.lashes),
  ];
  const skin = chooseSkin(traits, library.skins, random);
  const hair = pick(
    library.hair.filter((piece) => suits(piece, traits)),
    random,
  );
  const brows = pick(library.brows, random);
  const lashes = pick(library.lashes, random);
  const iris = pick(library.irises, random);
  const wearsIris = wears(SHARES.iris);
  const hasOwnBrows = wearsSkin && skin?.isPhotograph === true;
  return {
    skin: wearsSkin ? skin : null,
    hair: wearsHair ? hair : null,
    brows: wearsBrows && !hasOwnBrows ? brows : null,
    lashes: wearsLashes ? lashes : null,
    iris: wearsIris ? iris : null,
  };
}

function pick<Item>(items: readonly Item[], random: Random): Item | null {
  const at = Math.floor(random.uniform() * items.length);
  return items[at] ?? null;
}

function suits({ tags }: AssetPiece, traits: SubjectTraits): boolean {
  const { masculinity } = traits;
  const style = styleUnder(traits);
  if (style === 'bald' || style === 'buzz') return false;
  const wantsLong = style === 'bob' || style === 'long' || style === 'tied';
  const isLong = !tags.includes('short') || tags.includes('bob');
  // Anybody wears long hair; short hair is cut for men or for women.
  return isLong === wantsLong && (isLong || !tags.includes(masculinity > 0.5 ? 'female' : 'male'));
}

/** The skin nearest in tone, sex and age, with some chance for those nearly as near. */
function chooseSkin(traits: SubjectTraits, skins: readonly AssetSkin[], random: Random): AssetSkin | null {
  const wanted = skinTone(traits);
  let best: { skin: AssetSkin; cost: number } | null = null;
  for (const skin of skins) {
    const cost =
      1.2 * Math.abs(Math.log(wanted[1] / Math.max(0.01, skin.tone[1]))) +
      ageCost(skin.name, traits.age) +
      sexCost(skin.name, traits.masculinity) +
      random.uniform(0, 0.7);
    if (!best || cost < best.cost) best = { skin, cost };
  }
  return best?.skin ?? null;
}

function ageCost(name: string, age: number): number {
  const own = /young/.test(name) ? 0.2 : /middle/.test(name) ? 0.55 : /old/.test(name) ? 0.9 : 0.5;
  return 1.2 * Math.abs(own - age);
}

function sexCost(name: string, masculinity: number): number {
  const own = /female/.test(name) ? 0 : /male/.test(name) ? 1 : 0.5;
  return 0.9 * Math.abs(own - masculinity);
}
