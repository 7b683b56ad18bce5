// Which triangles and vertices belong to which parts of a head.

import { type HeadModel, PART_NAMES, type PartName } from './head-model.ts';

type Parts = Pick<HeadModel, 'triangles' | 'triangleParts'>;

/** The triangles of some parts, as the head has them: `n 3`, vertex indices. */
export function trianglesOfParts({ triangles, triangleParts }: Parts, ...parts: PartName[]): Uint32Array {
  const isWanted = PART_NAMES.map((name) => parts.includes(name));
  return triangles.filter((_, corner) => isWanted[triangleParts[Math.floor(corner / 3)]!]);
}

/** The vertices of some parts, each once, in the order of the triangles. */
export function verticesOfParts(head: Parts, ...parts: PartName[]): Uint32Array {
  return Uint32Array.from(new Set(trianglesOfParts(head, ...parts)));
}
