// The colour of lids. An open eye shows little of their skin, and a fit that is off by a pixel takes the brow for it: closed
// lids would be drawn out of the brow's hair. What can be a lid's skin is told by the skin below the eye.

import { luma } from './drawn-parts.ts';
import type { LiftGeometry } from './lift-geometry.ts';
import { diffuseOverMesh } from './mesh-diffusion.ts';

/** By how much, in logarithms, a lid may be darker than the skin below the eye, and where it is hair. */
const DARKER = [0.2, 0.45] as const;
const DARKEST = 16;
/** With fewer vertices seen below an eye, nothing is said of its lid. */
const LEAST_SEEN = 4;

/**
 * How far what a still shows at each vertex of lids and brows can be skin, `V`, 0 to 1; 0 for lids that it hides or shows
 * as lashes, 1 for all else.
 * @param colours `V 3`, 0 to 255, of the vertices that `isSeen` holds of
 */
export function lidPlausibility(
  { sockets }: LiftGeometry,
  colours: Float32Array,
  isSeen: Uint8Array,
): Float32Array {
  const plausibility = new Float32Array(isSeen.length).fill(1);
  for (const { lid, above, below } of sockets) {
    const tones = Array.from(below)
      .filter((v) => isSeen[v])
      .map((v) => luma(colours, v))
      .sort((a, b) => a - b);
    if (tones.length < LEAST_SEEN) continue;
    const tone = tones[tones.length >> 1]!;
    for (const v of [...above, ...lid]) {
      if (!isSeen[v]) continue;
      const darker = Math.log((tone + DARKEST) / (luma(colours, v) + DARKEST));
      const [low, high] = DARKER;
      plausibility[v] = 1 - Math.min(1, Math.max(0, (darker - low) / (high - low)));
    }
    for (const v of lid) if (!isSeen[v]) plausibility[v] = 0;
  }
  return plausibility;
}

/** Colours the lids' hidden skin out of what is skin around it, not out of the brows. */
export function fillLids(
  { sockets, neighbours }: LiftGeometry,
  colours: Float32Array,
  isSeen: Uint8Array,
  plausibility: Float32Array,
): void {
  const spread = Float32Array.from(colours);
  const isKnown = new Uint8Array(isSeen.length).fill(1);
  for (const { lid, above } of sockets) {
    for (const v of above) if (plausibility[v]! < 0.5) isKnown[v] = 0;
    for (const v of lid) if (!isSeen[v] || plausibility[v]! < 0.5) isKnown[v] = 0;
  }
  diffuseOverMesh(spread, isKnown, neighbours);
  for (const { lid } of sockets) {
    for (const v of lid) {
      if (isKnown[v]) continue;
      for (let k = 3 * v; k < 3 * v + 3; k++) colours[k] = spread[k]!;
    }
  }
}
