// The similarity (rotation, translation, scale) that best lays one set of points on another.
// Source: Horn, "Closed-form solution of absolute orientation using unit quaternions", 1987.

import { type RigidTransform, rotate } from './rigid-transform.ts';

/** target = scale * rotation * source + translation. */
export type Similarity = RigidTransform & { readonly scale: number };

/**
 * Aligns `source` to `target` (`N 3` each) by weighted least squares.
 * @param weights `N`, default all alike
 * @param isScaled whether the size may change; default true
 */
export function alignPoints(
  source: ArrayLike<number>,
  target: ArrayLike<number>,
  { weights, isScaled = true }: { readonly weights?: ArrayLike<number>; readonly isScaled?: boolean } = {},
): Similarity {
  const count = source.length / 3;
  const weightOf = (i: number): number => weights?.[i] ?? 1;
  const from = weightedMean(source, count, weightOf);
  const to = weightedMean(target, count, weightOf);
  const m = new Float64Array(9);
  let spread = 0;
  for (let i = 0; i < count; i++) {
    for (let a = 0; a < 3; a++) {
      const p = source[3 * i + a]! - from[a]!;
      spread += weightOf(i) * p * p;
      for (let b = 0; b < 3; b++) m[3 * a + b]! += weightOf(i) * p * (target[3 * i + b]! - to[b]!);
    }
  }
  const rotation = rotationOf(largestQuaternion(m));
  let covered = 0;
  for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) covered += rotation[3 * b + a]! * m[3 * a + b]!;
  const scale = isScaled && spread > 0 ? covered / spread : 1;
  const turned = rotate(rotation, from);
  return { rotation, scale, translation: to.map((value, k) => value - scale * turned[k]!) };
}

/** Applies a similarity to `N 3` points. */
export function transformPoints(
  { rotation: r, scale, translation: t }: Similarity,
  points: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = [points[i]!, points[i + 1]!, points[i + 2]!];
    for (let k = 0; k < 3; k++) {
      out[i + k] = scale * (r[3 * k]! * x + r[3 * k + 1]! * y + r[3 * k + 2]! * z) + t[k]!;
    }
  }
  return out;
}

function weightedMean(
  points: ArrayLike<number>,
  count: number,
  weightOf: (i: number) => number,
): Float64Array {
  const mean = new Float64Array(3);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += weightOf(i);
    for (let k = 0; k < 3; k++) mean[k]! += weightOf(i) * points[3 * i + k]!;
  }
  return mean.map((value) => value / (sum || 1));
}

/** The unit quaternion (w, x, y, z) of Horn's matrix with the largest eigenvalue. */
function largestQuaternion(m: Float64Array): Float64Array {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = m as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const matrix = Float64Array.of(
    ...[xx + yy + zz, yz - zy, zx - xz, xy - yx],
    ...[yz - zy, xx - yy - zz, xy + yx, zx + xz],
    ...[zx - xz, xy + yx, yy - xx - zz, yz + zy],
    ...[xy - yx, zx + xz, yz + zy, zz - xx - yy],
  );
  const { values, vectors } = jacobiEigen(matrix, 4);
  let best = 0;
  for (let i = 1; i < 4; i++) if (values[i]! > values[best]!) best = i;
  return Float64Array.from({ length: 4 }, (_, row) => vectors[4 * row + best]!);
}

/** Eigenvalues and eigenvectors (columns) of a small symmetric matrix, by cyclic Jacobi rotations. */
function jacobiEigen(matrix: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice();
  const vectors = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q]!;
        if (Math.abs(apq) < 1e-300) continue;
        const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [kp, kq] = [a[k * n + p]!, a[k * n + q]!];
          a[k * n + p] = c * kp - s * kq;
          a[k * n + q] = s * kp + c * kq;
        }
        for (let k = 0; k < n; k++) {
          const [pk, qk] = [a[p * n + k]!, a[q * n + k]!];
          a[p * n + k] = c * pk - s * qk;
          a[q * n + k] = s * pk + c * qk;
          const [vp, vq] = [vectors[k * n + p]!, vectors[k * n + q]!];
          vectors[k * n + p] = c * vp - s * vq;
          vectors[k * n + q] = s * vp + c * vq;
        }
      }
    }
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), vectors };
}

function rotationOf([w, x, y, z]: ArrayLike<number> & Iterable<number>): Float64Array {
  const [qw, qx, qy, qz] = [w!, x!, y!, z!];
  return Float64Array.of(
    ...[1 - 2 * (qy * qy + qz * qz), 2 * (qx * qy - qw * qz), 2 * (qx * qz + qw * qy)],
    ...[2 * (qx * qy + qw * qz), 1 - 2 * (qx * qx + qz * qz), 2 * (qy * qz - qw * qx)],
    ...[2 * (qx * qz - qw * qy), 2 * (qy * qz + qw * qx), 1 - 2 * (qx * qx + qy * qy)],
  );
}
