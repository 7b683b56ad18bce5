// The identity of a head whose neutral mesh meets given places: coefficients and a rigid motion, in turns.

import { alignPoints, gramMatrix, projectResidual, solveInBox, transformPoints } from '../geometry/index.ts';
import type { HeadModel } from '../head/index.ts';
import { atPoints } from './point-head.ts';
import { rms, type SharedPlaces } from './shared-places.ts';

const IDENTITY_ROUNDS = 8;

/**
 * The target's identity whose neutral mesh meets the places (`N 3`), wherever they lie.
 * @returns the identity; where the places lie beyond its mesh, `3N`; and the root mean square of that
 */
export function fitIdentity(
  target: HeadModel,
  { vertices, weights, precision }: SharedPlaces,
  places: Float64Array,
): { identity: Float32Array; offsets: Float64Array; rmsMetres: number } {
  const length = target.template.length;
  const rest = atPoints(target, target.template, vertices);
  const rows = Array.from({ length: target.identityCount }, (_, k) =>
    atPoints(target, target.identityBasis.subarray(k * length, (k + 1) * length), vertices),
  );
  const gram = gramMatrix(rows, precision);
  const prior = { lower: rows.map(() => -5), upper: rows.map(() => 5), precision: rows.map(() => 1) };
  let coefficients: Float64Array = new Float64Array(rows.length);
  let residual: Float64Array = new Float64Array(0);
  for (let round = 0; round < IDENTITY_ROUNDS; round++) {
    const shaped = Float64Array.from(rest);
    for (const [k, row] of rows.entries()) addScaled(shaped, row, coefficients[k]!);
    const aligned = transformPoints(alignPoints(places, shaped, { weights, isScaled: false }), places);
    residual = aligned.map((value, i) => value - shaped[i]!);
    if (rows.length === 0 || round === IDENTITY_ROUNDS - 1) break;
    const right = projectResidual(
      rows,
      precision,
      aligned.map((value, i) => value - rest[i]!),
    );
    coefficients = solveInBox(gram, right, prior, coefficients);
  }
  return {
    identity: Float32Array.from(coefficients),
    offsets: residual,
    rmsMetres: rms(residual, weights),
  };
}

function addScaled(target: Float64Array, row: ArrayLike<number>, factor: number): void {
  if (factor === 0) return;
  for (let i = 0; i < target.length; i++) target[i]! += factor * row[i]!;
}
