// The light on a still's skin, so that it stays where it is when the head turns: spherical harmonics up to the
// second degree of the normal, fitted to the logarithm of the skin's brightness. Relighting multiplies a
// colour by the ratio of two normals' light; texture is kept, and hard shadows are not known.

import { gramMatrix, HARMONICS, harmonicsOf, projectResidual, solveInBox } from '../geometry/index.ts';

/** Coefficients of the harmonics; the light is the exponential of their sum. */
export type Light = Float64Array;

const TERMS = HARMONICS - 1;
const ROUNDS = 4;
/** Deviations beyond this, in logarithms, are brows, beards, strands and shadows rather than light. */
const OUTLIER = 0.3;
/** Draws terms to none: so many vertices' worth. */
const FIRST_DEGREE_RESTRAINT = 8;
const SECOND_DEGREE_RESTRAINT = 20;
/** With fewer skin vertices than this nothing can be said of the light. */
const LEAST_VERTICES = 100;
/** How much darker or brighter a colour may become. */
const LARGEST_CHANGE = Math.log(1.6);

/**
 * Fits the light on vertices of skin.
 * @param normals `V 3`, world
 * @param brightness `V`, 0 to 255
 * @param weights `V`, 0 where a vertex tells nothing
 */
export function fitLight(normals: Float32Array, brightness: Float32Array, weights: Float32Array): Light {
  const known: number[] = [];
  weights.forEach((weight, v) => {
    if (weight > 0) known.push(v);
  });
  if (known.length < LEAST_VERTICES) return new Float64Array(TERMS);
  const rows = Array.from({ length: TERMS + 1 }, () => new Float64Array(known.length).fill(1));
  const all = new Float64Array(HARMONICS);
  const values = new Float64Array(known.length);
  known.forEach((v, i) => {
    vertexHarmonics(normals, v, all);
    for (let k = 0; k < TERMS; k++) rows[k]![i] = all[k + 1]!;
    values[i] = Math.log(Math.max(8, brightness[v]!));
  });
  const own = Float64Array.from(known, (v) => weights[v]!);
  const unbounded = Float64Array.from({ length: TERMS + 1 }, () => Infinity);
  const prior = {
    lower: unbounded.map((value) => -value),
    upper: unbounded,
    precision: Float64Array.from({ length: TERMS + 1 }, (_, k) =>
      k < 3 ? FIRST_DEGREE_RESTRAINT : k < TERMS ? SECOND_DEGREE_RESTRAINT : 1e-6,
    ),
  };
  const robust = Float64Array.from(own);
  let solution: Float64Array = new Float64Array(TERMS + 1);
  for (let round = 0; round < ROUNDS; round++) {
    solution = solveInBox(gramMatrix(rows, robust), projectResidual(rows, robust, values), prior, solution);
    for (let i = 0; i < known.length; i++) {
      let error = values[i]!;
      for (let k = 0; k <= TERMS; k++) error -= rows[k]![i]! * solution[k]!;
      robust[i] = own[i]! / (1 + (error / OUTLIER) ** 2);
    }
  }
  return solution.subarray(0, TERMS);
}

const before = new Float64Array(HARMONICS);
const after = new Float64Array(HARMONICS);

/** The factor on a vertex's colour as its normal turns (`V 3` each, world). */
export function lightChange(
  light: Light,
  vertex: number,
  fromNormals: Float32Array,
  toNormals: Float32Array,
): number {
  vertexHarmonics(fromNormals, vertex, before);
  vertexHarmonics(toNormals, vertex, after);
  let change = 0;
  for (let k = 0; k < TERMS; k++) change += light[k]! * (after[k + 1]! - before[k + 1]!);
  return Math.exp(Math.min(LARGEST_CHANGE, Math.max(-LARGEST_CHANGE, change)));
}

/** The harmonics of a vertex's normal; the constant comes first and is no light's shape. */
function vertexHarmonics(normals: Float32Array, v: number, out: Float64Array): void {
  harmonicsOf(normals[3 * v]!, normals[3 * v + 1]!, normals[3 * v + 2]!, out);
}
