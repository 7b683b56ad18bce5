// A subject: a seed's traits with what is built from them once and rendered often: hair and clothes.

import { type HeadModel, type HeadPoser, neutralParameters } from '../head/index.ts';
import { tailorClothes } from './clothes.ts';
import { growHair } from './hair.ts';
import type { Piece } from './scene.ts';
import { type SubjectTraits, sampleTraits } from './traits.ts';

/** A person made from a seed. */
export type Subject = {
  readonly traits: SubjectTraits;
  /** What the head wears: clothes and hair, in the head's rest pose. */
  readonly pieces: readonly Piece[];
};

/** Makes the subject of a seed: the same seed and head give the same person, always. */
export function createSubject(
  seed: number,
  { head, poser }: { readonly head: HeadModel; readonly poser: HeadPoser },
): Subject {
  const traits = sampleTraits(seed, head);
  const shaped = poser.pose({ ...neutralParameters(head), identity: traits.identity });
  return { traits, pieces: [tailorClothes(head, shaped, traits), ...growHair(head, shaped, traits)] };
}
