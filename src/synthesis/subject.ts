// A subject: a seed's traits with what is built from them once and rendered often: hair and clothes.

import { type HeadModel, type HeadPoser, neutralParameters } from '../head/index.ts';
import { makeAccessories } from './accessories.ts';
import { type AssetLibrary, chooseOutfit } from './asset-library.ts';
import { tailorClothes } from './clothes.ts';
import { growHair } from './hair.ts';
import { putOn } from './outfit.ts';
import type { Piece } from './scene.ts';
import type { SubjectTextures } from './textures.ts';
import { type SubjectTraits, sampleTraits } from './traits.ts';

/** A person made from a seed. */
export type Subject = {
  readonly traits: SubjectTraits;
  /** What the head wears: clothes and hair, in the head's rest pose. */
  readonly pieces: readonly Piece[];
  /** Pictures of skin, hair, brows and lashes; null: everything is painted by rule. */
  readonly textures: SubjectTextures | null;
};

/**
 * Makes the subject of a seed: the same seed, head and assets give the same person, always. Assets dress a
 * share of all subjects and change nothing else about them.
 */
export function createSubject(
  seed: number,
  { head, poser }: { readonly head: HeadModel; readonly poser: HeadPoser },
  { assets = null }: { readonly assets?: AssetLibrary | null } = {},
): Subject {
  const traits = sampleTraits(seed, head);
  const shaped = poser.pose({ ...neutralParameters(head), identity: traits.identity });
  const worn = [tailorClothes(head, shaped, traits), ...makeAccessories(head, shaped, traits)];
  if (!assets) return { traits, pieces: [...worn, ...growHair(head, shaped, traits)], textures: null };
  const outfit = chooseOutfit(traits, assets);
  const grown = outfit.hair ? [] : growHair(head, shaped, traits);
  const { pieces, textures } = putOn(outfit, traits, shaped, grown);
  return { traits, pieces: [...worn, ...pieces], textures };
}
