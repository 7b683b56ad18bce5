// Which parts of a subject a seen point belongs to: what masks are made of. Material and place alone decide.

import { MATERIALS, type Material, VERTEX } from './scene.ts';

/**
 * The masks of a rendered subject. `head` has its hair, without shoulders and clothes; `person` is all of it; `face` ends
 * at the outline of the face mesh and has brows, `eyes` (the eyeballs) and `mouth` (lips and what is between them);
 * `hair` also lies over the shoulders.
 */
export const SUBJECT_MASKS = ['head', 'person', 'face', 'hair', 'eyes', 'mouth'] as const;
export type SubjectMask = (typeof SUBJECT_MASKS)[number];

const [HEAD, PERSON, FACE, HAIR, EYES, MOUTH] = SUBJECT_MASKS.map((_, i) => 1 << i) as [
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
const PARTS_OF_MATERIAL = Uint8Array.from(MATERIALS, (material) => PARTS[material]);
const [SKIN, CLOTHES] = [MATERIALS.indexOf('skin'), MATERIALS.indexOf('clothes')];

/** The parts of a point with these vertex values, a bit for each of `SUBJECT_MASKS`; `isCloth`: cloth covers it. */
export function partsOf(material: number, values: Float32Array, isCloth: boolean): number {
  let parts = PERSON | PARTS_OF_MATERIAL[material]!;
  if (material === CLOTHES || isCloth) return parts;
  if (values[VERTEX.headness]! > 0.5) parts |= HEAD;
  if (material !== SKIN) return parts;
  if (values[VERTEX.first]! > 0.5) return parts | FACE | MOUTH;
  return values[VERTEX.face]! > 0 ? parts | FACE : parts;
}
