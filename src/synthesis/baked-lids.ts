// Lids of a skin from a photograph. Open eyes show a narrow band of them, between lashes, the eye's white and the brow's
// shadow, which a closing lid would stretch over itself: they take the colour of the bare skin around them instead.

import type { VertexNeighbours } from '../geometry/index.ts';
import { diffuseOverMesh, type EyeSocket } from '../lift/index.ts';
import { brightness } from './asset-skin.ts';

/** By how much, in logarithms of light, skin beside a lid departs from that below the eye before it is hair, rim or shine. */
const LIKE_SKIN = 0.5;
/** With fewer vertices seen below an eye, its lid takes the colour of whatever is around it. */
const LEAST_SEEN = 4;
/** Light that is added before logarithms are taken: the darkest differ by noise. */
const DARKEST = 0.01;

/** Takes lids out of what a photograph shows. @param weights `V`, how far each vertex is seen */
export function hideLids(sockets: readonly EyeSocket[], weights: Float32Array): void {
  for (const { lid } of sockets) for (const v of lid) weights[v] = 0;
}

/**
 * Colours the lids, in place, out of the skin around them.
 * @param colours `V 3`, linear light, of all vertices
 */
export function colourLids(
  sockets: readonly EyeSocket[],
  neighbours: VertexNeighbours,
  colours: Float32Array,
  weights: Float32Array,
): void {
  const tone = (v: number): number => Math.log(brightness(colours, v) + DARKEST);
  for (const { lid, above, below } of sockets) {
    const tones = Array.from(below)
      .filter((v) => weights[v]! > 0.4)
      .map(tone)
      .sort((a, b) => a - b);
    if (tones.length < LEAST_SEEN) continue;
    const usual = tones[tones.length >> 1]!;
    const spread = colours.slice();
    const isKnown = new Uint8Array(weights.length).fill(1);
    for (const v of [...around(lid, neighbours), ...above]) {
      if (Math.abs(tone(v) - usual) > LIKE_SKIN) isKnown[v] = 0;
    }
    for (const v of lid) isKnown[v] = 0;
    diffuseOverMesh(spread, isKnown, neighbours, 60);
    for (const v of lid) colours.set(spread.subarray(3 * v, 3 * v + 3), 3 * v);
  }
}

/** The vertices within two steps of some others. */
function around(vertices: Uint32Array, { starts, indices }: VertexNeighbours): Set<number> {
  const found = new Set(vertices);
  for (let step = 0; step < 2; step++) {
    for (const v of [...found]) for (const w of indices.subarray(starts[v]!, starts[v + 1]!)) found.add(w);
  }
  return found;
}
