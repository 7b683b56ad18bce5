// Where a lash lies in the strand texture. The head's lashes are strips along the lids: dense at the lid,
// where they stand for its dark rim, and frayed towards their ends; thinner and shorter below the eye.

import { type HeadModel, verticesOfParts } from '../head/index.ts';

/** Length of an upper and a lower lash. */
const UPPER_METRES = 0.0034;
const LOWER_METRES = 0.0042;
/** Rows of the strand texture that a lash begins at: further down it is sparser. */
const UPPER_ROOT = 0.05;
const LOWER_ROOT = 0.74;
/** Strips of the texture along a metre of lid: finer than hair. */
const STRIPS_A_METRE = 130;

type Texel = { readonly u: number; readonly v: number };
const cache = new WeakMap<HeadModel, readonly (Texel | undefined)[]>();

/** A place in the strand texture for every vertex of the lashes; nothing for others. */
export function lashTexels(head: HeadModel): readonly (Texel | undefined)[] {
  let texels = cache.get(head);
  if (!texels) {
    texels = layLashes(head);
    cache.set(head, texels);
  }
  return texels;
}

function layLashes(head: HeadModel): (Texel | undefined)[] {
  const { template } = head;
  const lashes = verticesOfParts(head, 'lashes');
  const near = [...verticesOfParts(head, 'skin')].filter(
    (v) => template[3 * v + 2]! > 0 && Math.abs(template[3 * v + 1]!) < 0.02,
  );
  const texels: Texel[] = [];
  for (const v of lashes) {
    const [x, y, z] = [template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!];
    const fromLid = near.reduce(
      (least, s) =>
        Math.min(least, Math.hypot(x - template[3 * s]!, y - template[3 * s + 1]!, z - template[3 * s + 2]!)),
      1,
    );
    // The lids meet at the outer corner, somewhat below the middle of the eye.
    const isUpper = y > -0.0035 + 0.04 * Math.max(0, Math.abs(x) - 0.03);
    const place = Math.abs(x) * STRIPS_A_METRE;
    const along = fromLid / (isUpper ? UPPER_METRES : LOWER_METRES);
    const root = isUpper ? UPPER_ROOT : LOWER_ROOT;
    texels[v] = { u: Math.abs(1 - (place % 2)), v: Math.min(0.99, root + (1 - root) * along) };
  }
  return texels;
}
