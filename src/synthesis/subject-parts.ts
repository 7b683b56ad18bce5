// Which parts of a subject a seen point belongs to: what masks are made of. Material and place alone decide. Parts are
// counted together, four bits of a number for each.

import { MATERIALS, type Material, VERTEX } from './scene.ts';

/**
 * The masks of a rendered subject. `head` has its hair, without shoulders and clothes; `person` is all of it; `face` ends
 * at the outline of the face mesh and has brows, `eyes` (the eyeballs) and `mouth` (lips and what is between them);
 * `hair` also lies over the shoulders.
 */
export const SUBJECT_MASKS = ['head', 'person', 'face', 'hair', 'eyes', 'mouth'] as const;
export type SubjectMask = (typeof SUBJECT_MASKS)[number];

const COUNT_BITS = 4;
const COUNT_MASK = 2 ** COUNT_BITS - 1;
const [HEAD, PERSON, FACE, HAIR, EYES, MOUTH] = SUBJECT_MASKS.map((_, i) => 1 << (COUNT_BITS * i)) as [
  ...[number, number, number],
  ...[number, number, number],
];

const PARTS: Readonly<Record<Material, number>> = {
  skin: 0,
  eye: FACE | EYES,
  cavity: FACE | MOUTH,
  teeth: FACE | MOUTH,
  tongue: FACE | MOUTH,
  clothes: 0,
  hair: HAIR,
  lash: FACE,
  brow: FACE,
  wrap: 0,
  frame: 0,
  jewel: 0,
};
const PARTS_OF_MATERIAL = Uint32Array.from(MATERIALS, (material) => PARTS[material]);
const [SKIN, CLOTHES] = [MATERIALS.indexOf('skin'), MATERIALS.indexOf('clothes')];

/**
 * A point with these vertex values, counted once for each part that it belongs to; `isCloth`: cloth covers it. Such numbers
 * can be added up to 15 times.
 */
export function partsOf(material: number, values: Float32Array, isCloth: boolean): number {
  let parts = PERSON | PARTS_OF_MATERIAL[material]!;
  if (material === CLOTHES || isCloth) return parts;
  if (values[VERTEX.headness]! > 0.5) parts |= HEAD;
  if (material !== SKIN) return parts;
  if (values[VERTEX.first]! > 0.5) return parts | FACE | MOUTH;
  return values[VERTEX.face]! > 0 ? parts | FACE : parts;
}

/** How many of the points that were added up belong to a part. */
export function partCount(counts: number, part: SubjectMask): number {
  return (counts >> (COUNT_BITS * SUBJECT_MASKS.indexOf(part))) & COUNT_MASK;
}

/** The masks of a picture, 0 to 255, whose pixels have `counts` of so many samples. */
export function partMasks(counts: Uint32Array, samples: number): Readonly<Record<SubjectMask, Uint8Array>> {
  const shares = Uint8Array.from({ length: COUNT_MASK + 1 }, (_, count) =>
    Math.round((255 * count) / samples),
  );
  const masks = SUBJECT_MASKS.map((name, part) => {
    const mask = new Uint8Array(counts.length);
    const shift = COUNT_BITS * part;
    for (let i = 0; i < mask.length; i++) mask[i] = shares[(counts[i]! >> shift) & COUNT_MASK]!;
    return [name, mask];
  });
  return Object.fromEntries(masks);
}
