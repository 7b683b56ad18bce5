// Albedo and light of points seen in several frames, as logarithms: a point keeps its albedo, a frame lights
// points by their normals with nine spherical harmonics. Robust least squares, in turn.

import { factorCholesky, HARMONICS, harmonicsOf, solveCholesky } from '../geometry/index.ts';

/** Points as one frame shows them: `N` logarithms of grey, trust, and `3N` normals. */
export type LitPoints = {
  readonly values: Float64Array;
  readonly weights: Float64Array;
  readonly normals: Float64Array;
};

/** Terms of a frame's light. */
export const LIGHT_TERMS: number = HARMONICS;

const ROUNDS = 4;
/** Weight of a frame's light being that of all frames, points. */
const LIGHT_AGREEMENT = 20;
/** Weight of no light but the constant, points. */
const LIGHT_RESTRAINT = 2;

/**
 * Fits the lights of frames and the albedo of points.
 * @returns `N` logarithms of what each frame's light adds; the albedo is what is left, averaged
 */
export function fitLight(frames: readonly LitPoints[]): Float64Array[] {
  const count = frames[0]!.values.length;
  let lit: Float64Array[] = frames.map(() => new Float64Array(count));
  let lights: Float64Array[] = frames.map(() => new Float64Array(LIGHT_TERMS));
  for (let round = 0; round < ROUNDS; round++) {
    const albedo = meanAlbedo(frames, lit);
    const common = Float64Array.from(
      { length: LIGHT_TERMS },
      (_, k) => lights.reduce((sum, light) => sum + light[k]!, 0) / lights.length,
    );
    lights = frames.map((frame) => lightOf(frame, albedo, common));
    lit = frames.map((frame, i) => onPoints(frame, lights[i]!));
  }
  return lit;
}

/**
 * Adds to each frame's light what harmonics cannot say, shadows and shine: what is left after albedo and
 * light, averaged over the neighbourhood of every point.
 * @param neighbours for each point those around it
 */
export function addLocalLight(
  frames: readonly LitPoints[],
  lit: readonly Float64Array[],
  neighbours: readonly Uint32Array[],
): Float64Array[] {
  const albedo = meanAlbedo(frames, lit);
  return frames.map((frame, i) => withLocal(frame, albedo, lit[i]!, neighbours));
}

/** The light of one frame on points whose albedo is known, as `fitLight` and `addLocalLight` give it. */
export function lightAgainst(
  frame: LitPoints,
  albedo: Float64Array,
  neighbours: readonly Uint32Array[],
): Float64Array {
  const light = lightOf(frame, albedo, new Float64Array(LIGHT_TERMS));
  return withLocal(frame, albedo, onPoints(frame, light), neighbours);
}

function withLocal(
  { values, weights }: LitPoints,
  albedo: Float64Array,
  lit: Float64Array,
  neighbours: readonly Uint32Array[],
): Float64Array {
  const local = lit.slice();
  for (const [t, around] of neighbours.entries()) {
    if (weights[t] === 0) continue;
    let [sum, total] = [0, 0];
    for (const n of around) {
      sum += weights[n]! * (values[n]! - lit[n]! - albedo[n]!);
      total += weights[n]!;
    }
    if (total > 0) local[t]! += sum / total;
  }
  return local;
}

function onPoints({ normals, weights }: LitPoints, light: Float64Array): Float64Array {
  const lit = new Float64Array(weights.length);
  const terms = new Float64Array(LIGHT_TERMS);
  for (let t = 0; t < lit.length; t++) {
    if (weights[t] === 0) continue;
    harmonicsOf(normals[3 * t]!, normals[3 * t + 1]!, normals[3 * t + 2]!, terms);
    for (let k = 0; k < LIGHT_TERMS; k++) lit[t]! += light[k]! * terms[k]!;
  }
  return lit;
}

/** `N`: the weighted mean over the frames of what is seen less the light. */
export function meanAlbedo(frames: readonly LitPoints[], lit: readonly Float64Array[]): Float64Array {
  const count = lit[0]!.length;
  const albedo = new Float64Array(count);
  for (let t = 0; t < count; t++) {
    let [sum, total] = [0, 1e-9];
    for (const [i, { values, weights }] of frames.entries()) {
      sum += weights[t]! * (values[t]! - lit[i]![t]!);
      total += weights[t]!;
    }
    albedo[t] = sum / total;
  }
  return albedo;
}

function lightOf(frame: LitPoints, albedo: Float64Array, common: Float64Array): Float64Array {
  const { values, weights, normals } = frame;
  const matrix = new Float64Array(LIGHT_TERMS * LIGHT_TERMS);
  const vector = new Float64Array(LIGHT_TERMS);
  const terms = new Float64Array(LIGHT_TERMS);
  for (let t = 0; t < values.length; t++) {
    const weight = weights[t]!;
    if (weight === 0) continue;
    harmonicsOf(normals[3 * t]!, normals[3 * t + 1]!, normals[3 * t + 2]!, terms);
    const value = values[t]! - albedo[t]!;
    for (let k = 0; k < LIGHT_TERMS; k++) {
      vector[k]! += weight * terms[k]! * value;
      for (let j = 0; j <= k; j++) matrix[k * LIGHT_TERMS + j]! += weight * terms[k]! * terms[j]!;
    }
  }
  for (let k = 0; k < LIGHT_TERMS; k++) {
    const agreement = k === 0 ? 0 : LIGHT_AGREEMENT;
    matrix[k * LIGHT_TERMS + k]! += agreement + LIGHT_RESTRAINT;
    vector[k]! += agreement * common[k]!;
  }
  factorCholesky(matrix, LIGHT_TERMS);
  solveCholesky(matrix, LIGHT_TERMS, vector);
  return vector;
}
