// Where a head stands that several known cameras see, each with a guess of its distance, and what the unit of
// the calibration is: linear least squares.

import { factorCholesky, invertRotation, rotate, solveCholesky } from '../geometry/index.ts';
import type { KnownView } from './camera-rig.ts';

/** Views count for their distance less than for their direction by this factor: it is a guess. */
const DEPTH_TRUST = 0.1;
/** Keeps one camera alone from having any unit; small beside metres. */
const UNIT_PRECISION = 1e-3;

/**
 * Finds the place and the unit that views agree on: V x + unit v = h for each, along its line of sight less firmly.
 * @param heads where each view alone would have the head, in its own axes, metres
 * @param knownMetres the unit where it is known
 * @returns the place in the world, metres, and the unit in metres
 */
export function headInWorld(
  views: readonly KnownView[],
  heads: readonly Float64Array[],
  knownMetres?: number,
): { readonly place: Float64Array; readonly metres: number } {
  const matrix = new Float64Array(16);
  const vector = new Float64Array(4);
  const isKnown = knownMetres !== undefined;
  for (const [i, { viewFromWorld, translation }] of views.entries()) {
    const head = heads[i]!;
    const distance = Math.hypot(...head);
    const sight = head.map((value) => value / distance);
    const back = invertRotation(viewFromWorld);
    // Rows: each axis of the view, split into what lies along the line of sight and what lies across.
    for (let axis = 0; axis < 3; axis++) {
      const across = new Float64Array(3);
      across[axis] = 1;
      const along = sight[axis]!;
      const direction = across.map((value, k) => value - (1 - DEPTH_TRUST) * along * sight[k]!);
      const row = [...rotate(back, direction), dot(direction, translation)];
      let right = dot(direction, head);
      if (isKnown) {
        right -= knownMetres * row[3]!;
        row[3] = 0;
      }
      for (let a = 0; a < 4; a++) {
        vector[a]! += row[a]! * right;
        for (let b = 0; b < 4; b++) matrix[4 * a + b]! += row[a]! * row[b]!;
      }
    }
  }
  matrix[15]! += UNIT_PRECISION;
  vector[3]! += UNIT_PRECISION * (knownMetres ?? 1);
  for (let k = 0; k < 3; k++) matrix[5 * k]! += 1e-9;
  factorCholesky(matrix, 4);
  solveCholesky(matrix, 4, vector);
  return { place: vector.slice(0, 3), metres: knownMetres ?? vector[3]! };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
}
