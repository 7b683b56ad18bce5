// Eight features a pixel as three colours: the field's first three principal components as red, green and
// blue. The components belong to the field, so colours stay the same over a clip.

import type { ActivatedField } from '../gaussians/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { Tensor } from '../tensor/index.ts';

/** The view of a feature space through three directions. */
export type FeatureColours = {
  /** `C`. */
  readonly mean: Float64Array;
  /** Three rows of `C`, each over two standard deviations. */
  readonly directions: readonly Float64Array[];
};

/** Jacobi sweeps until the off-diagonal is far below what a byte shows. */
const SWEEPS = 12;
const DEVIATIONS_SHOWN = 2;

/** The principal components of a field's features. */
export function featureColours({ features, channels }: ActivatedField): FeatureColours {
  const count = features.length / channels;
  const mean = new Float64Array(channels);
  for (let i = 0; i < features.length; i++) mean[i % channels]! += features[i]! / count;
  const covariance = new Float64Array(channels * channels);
  for (let n = 0; n < count; n++) {
    for (let a = 0; a < channels; a++) {
      const value = features[n * channels + a]! - mean[a]!;
      for (let b = 0; b < channels; b++) {
        covariance[a * channels + b]! += (value * (features[n * channels + b]! - mean[b]!)) / count;
      }
    }
  }
  const vectors = eigenvectors(covariance, channels);
  const order = Array.from({ length: channels }, (_, k) => k);
  order.sort((a, b) => covariance[b * channels + b]! - covariance[a * channels + a]!);
  const directions = order.slice(0, 3).map((k) => {
    const deviation = Math.sqrt(Math.max(covariance[k * channels + k]!, 1e-12));
    return Float64Array.from(
      { length: channels },
      (_, c) => vectors[c * channels + k]! / (DEVIATIONS_SHOWN * deviation),
    );
  });
  return { mean, directions };
}

/** Paints splatted features (`C H W`, premultiplied by `alpha`, `H W`) on black. */
export function paintFeatures(
  colours: FeatureColours,
  features: Tensor<'C H W'>,
  alpha: Tensor<'H W'>,
): RgbImage {
  const [, height, width] = features.shape as [number, number, number];
  const plane = height * width;
  const data = new Uint8Array(3 * plane);
  for (let pixel = 0; pixel < plane; pixel++) {
    const coverage = alpha.data[pixel]!;
    if (coverage < 1e-3) continue;
    for (const [k, direction] of colours.directions.entries()) {
      let value = 0;
      for (let c = 0; c < direction.length; c++) {
        value += direction[c]! * (features.data[c * plane + pixel]! - coverage * colours.mean[c]!);
      }
      data[3 * pixel + k] = Math.min(255, Math.max(0, 127.5 * (coverage + value)));
    }
  }
  return { width, height, data };
}

/** Diagonalises a symmetric matrix in place by Jacobi rotations; the columns returned are its eigenvectors. */
function eigenvectors(matrix: Float64Array, n: number): Float64Array {
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const off = matrix[p * n + q]!;
        if (Math.abs(off) < 1e-15) continue;
        const angle = 0.5 * Math.atan2(2 * off, matrix[q * n + q]! - matrix[p * n + p]!);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (const target of [matrix, vectors]) turnColumns(target, n, p, q, c, s);
        turnRows(matrix, n, p, q, c, s);
      }
    }
  }
  return vectors;
}

function turnColumns(m: Float64Array, n: number, p: number, q: number, c: number, s: number): void {
  for (let i = 0; i < n; i++) {
    const [a, b] = [m[i * n + p]!, m[i * n + q]!];
    m[i * n + p] = c * a - s * b;
    m[i * n + q] = s * a + c * b;
  }
}

function turnRows(m: Float64Array, n: number, p: number, q: number, c: number, s: number): void {
  for (let i = 0; i < n; i++) {
    const [a, b] = [m[p * n + i]!, m[q * n + i]!];
    m[p * n + i] = c * a - s * b;
    m[q * n + i] = s * a + c * b;
  }
}
