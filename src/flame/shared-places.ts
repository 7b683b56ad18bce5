// The places by which two heads are compared: points of the skin, then the joints, and how far each is believed.

import type { Correspondence } from './head-correspondence.ts';

/** Places of a head: chosen vertices, then its five joints; `N` in all. */
export type SharedPlaces = {
  readonly vertices: Uint32Array;
  /** `N`. */
  readonly weights: Float64Array;
  /** `3N`: 1 / variance of each coordinate. */
  readonly precision: Float64Array;
};

/** Of the joints, only the eyes' centres mean the same on any head. */
const JOINT_WEIGHTS = [0, 0, 0, 25, 25];
/** Standard deviation of a place, metres, and how many places err by themselves. */
const PLACE_DEVIATION = 0.001;
const INDEPENDENT_PLACES = 400;
/** The same deviation where two heads have one mesh. */
const VERTEX_DEVIATION = 0.0002;

/** The places of a correspondence on its target. */
export function sharedPlaces({ targetVertices, weights: own, rmsMetres }: Correspondence): SharedPlaces {
  const weights = Float64Array.of(...own, ...JOINT_WEIGHTS);
  const deviation = rmsMetres === 0 ? VERTEX_DEVIATION : PLACE_DEVIATION;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const factor = INDEPENDENT_PLACES / total / deviation ** 2;
  return {
    vertices: targetVertices,
    weights,
    precision: Float64Array.from(
      { length: 3 * weights.length },
      (_, i) => factor * weights[Math.floor(i / 3)]!,
    ),
  };
}

/** The weighted root mean square length of residuals (`N 3`). */
export function rms(residual: Float64Array, weights: Float64Array): number {
  let [sum, total] = [0, 0];
  for (const [i, weight] of weights.entries()) {
    total += weight;
    for (let k = 0; k < 3; k++) sum += weight * residual[3 * i + k]! ** 2;
  }
  return Math.sqrt(sum / (total || 1));
}
