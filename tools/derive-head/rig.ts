// The five joints: where they lie as weighted sums of vertices, what they move, and the corrective that
// makes the jaw joint at full opening equal to the unit jawOpen.

import { invert3 } from './identity.ts';

/** How much a bone of MakeHuman's rig belongs to the head (1) rather than to the trunk (0). */
export function headShareOfBone(bone: string): number {
  if (/^(spine|breast|clavicle|shoulder|upperarm|lowerarm|pelvis|upperleg|root)/.test(bone)) return 0;
  return { neck01: 0.2, neck02: 0.55, neck03: 0.85 }[bone] ?? 1;
}

/** The jaw's share of a head: weights, the angle of full opening, and what skinning misses. */
export type JawMotion = {
  /** `V`, 0 to 1. */
  readonly weights: Float64Array;
  /** Rotation about x at jawOpen = 1, radians; positive opens. */
  readonly openRadians: number;
  /** `V 3`, metres: added at rest so that the joint at `openRadians` gives jawOpen exactly. */
  readonly corrective: Float64Array;
  /** RMS and largest distance (metres) between jawOpen and the joint without the corrective. */
  readonly missRms: number;
  readonly missMax: number;
};

/**
 * Splits jawOpen into a rotation about the jaw's pivot with solved weights and a remainder.
 * @param jawOpen `V 3` offsets of the unit, metres
 * @param rigid vertices that move as one with the jaw (lower teeth)
 * @param limits `V`: the largest weight of each vertex, its share in the head
 */
export function solveJaw(
  rest: Float64Array,
  jawOpen: Float64Array,
  pivot: readonly number[],
  rigid: readonly number[],
  limits: Float64Array,
): JawMotion {
  const openRadians = rigidPitch(rest, jawOpen, rigid).radians;
  const [c, s] = [Math.cos(openRadians), Math.sin(openRadians)];
  const rotation = Float64Array.of(1, 0, 0, 0, c, -s, 0, s, c);
  const count = rest.length / 3;
  const weights = new Float64Array(count);
  const corrective = new Float64Array(rest.length);
  let [squares, missMax, moving] = [0, 0, 0];
  for (let v = 0; v < count; v++) {
    const arm = [0, 1, 2].map((axis) => rest[3 * v + axis]! - pivot[axis]!);
    const wanted = [...jawOpen.subarray(3 * v, 3 * v + 3)];
    const turned = [0, 1, 2].map((i) =>
      [0, 1, 2].reduce((sum, j) => sum + (rotation[3 * i + j]! - (i === j ? 1 : 0)) * arm[j]!, 0),
    );
    const product = turned.reduce((sum, value, i) => sum + value * wanted[i]!, 0);
    const norm = turned.reduce((sum, value) => sum + value * value, 0);
    // Near the pivot the rotation moves nothing: the weight is free there, so leave it at zero.
    const weight = norm < 1e-8 ? 0 : Math.min(limits[v]!, Math.max(0, product / norm));
    weights[v] = weight;
    const rest3 = wanted.map((value, i) => value - weight * turned[i]!);
    const distance = Math.hypot(...rest3);
    if (weight > 0) {
      squares += distance ** 2;
      moving += 1;
      missMax = Math.max(missMax, distance);
    }
    // Skinning will turn the corrective by (1 - w) I + w R: undo that.
    const blended = rotation.map((value, k) => weight * value + (k % 4 === 0 ? 1 - weight : 0));
    const inverse = invert3(blended);
    for (let i = 0; i < 3; i++) {
      corrective[3 * v + i] = [0, 1, 2].reduce((sum, j) => sum + inverse[3 * i + j]! * rest3[j]!, 0);
    }
  }
  return { weights, openRadians, corrective, missRms: Math.sqrt(squares / moving), missMax };
}

/**
 * The rotation in the plane x = 0 that the rigid vertices make under the unit: its angle about x (radians)
 * and the point that it leaves in place.
 */
export function rigidPitch(
  rest: ArrayLike<number>,
  offsets: ArrayLike<number>,
  rigid: readonly number[],
): { radians: number; fixedPoint: [number, number, number] } {
  const mean = (values: ArrayLike<number>, axis: number): number =>
    rigid.reduce((sum, v) => sum + values[3 * v + axis]!, 0) / rigid.length;
  const [y0, z0, dy, dz] = [mean(rest, 1), mean(rest, 2), mean(offsets, 1), mean(offsets, 2)];
  let [sine, cosine] = [0, 0];
  for (const v of rigid) {
    const [y, z] = [rest[3 * v + 1]! - y0, rest[3 * v + 2]! - z0];
    const [y2, z2] = [y + offsets[3 * v + 1]! - dy, z + offsets[3 * v + 2]! - dz];
    sine += y * z2 - z * y2;
    cosine += y * y2 + z * z2;
  }
  const radians = Math.atan2(sine, cosine);
  // (I - R) (fixed - centre) = shift of the centre; I - R turns by half a right angle more and scales.
  const half = 1 / (2 * Math.tan(radians / 2));
  return { radians, fixedPoint: [0, y0 + dy / 2 - half * dz, z0 + dz / 2 + half * dy] };
}

/**
 * Weights over candidate vertices whose weighted sum follows a point over a population: ridge
 * regression in the mean-centred form, with weights that sum to 1.
 * @param samples per head: the candidates' positions and the point's, one axis after the other
 */
export function regressPoint(
  samples: readonly { readonly candidates: readonly number[][]; readonly point: readonly number[] }[],
  ridge: number,
): Float64Array {
  const count = samples[0]!.candidates.length;
  // Unknowns: the weights and one Lagrange multiplier for their sum.
  const size = count + 1;
  const matrix = Array.from({ length: size }, () => new Float64Array(size + 1));
  for (const { candidates, point } of samples) {
    for (let axis = 0; axis < 3; axis++) {
      for (let a = 0; a < count; a++) {
        const value = candidates[a]![axis]!;
        for (let b = 0; b < count; b++) matrix[a]![b]! += (value * candidates[b]![axis]!) / samples.length;
        matrix[a]![size]! += (value * point[axis]!) / samples.length;
      }
    }
  }
  for (let a = 0; a < count; a++) {
    matrix[a]![a]! += ridge;
    // Without data the weights are even, not zero.
    matrix[a]![size]! += ridge / count;
    matrix[a]![count] = 1;
    matrix[count]![a] = 1;
  }
  matrix[count]![size] = 1;
  return solveLinear(matrix).subarray(0, count);
}

/** Gaussian elimination with partial pivoting; the right side is the last column. */
function solveLinear(rows: Float64Array[]): Float64Array {
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let best = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[best]![column]!)) best = row;
    }
    [rows[column], rows[best]] = [rows[best]!, rows[column]!];
    const pivot = rows[column]!;
    for (let row = column + 1; row < size; row++) {
      const factor = rows[row]![column]! / pivot[column]!;
      if (factor === 0) continue;
      for (let i = column; i <= size; i++) rows[row]![i]! -= factor * pivot[i]!;
    }
  }
  const solution = new Float64Array(size);
  for (let row = size - 1; row >= 0; row--) {
    let sum = rows[row]![size]!;
    for (let i = row + 1; i < size; i++) sum -= rows[row]![i]! * solution[i]!;
    solution[row] = sum / rows[row]![row]!;
  }
  return solution;
}
