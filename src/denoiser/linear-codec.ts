// The best linear autoencoder of small patches: their principal components. The convolutional
// autoencoder starts from it and learns what it lacks: about 30 dB before any training.
// Departs: half-whitened. Unwhitened components leave the fine ones below the noise at every sampling
// step, whitened ones take noise badly; each component is scaled by the root of its deviation's inverse.

import type { Random } from '../tensor/index.ts';

/** A linear map from patches (`block block 3`, planar values in [-1, 1]) to components and back. */
export type LinearCodec = {
  /** `components patch`: analysis. */
  readonly encode: Float32Array;
  /** `components`: added after `encode`. */
  readonly encodeBias: Float32Array;
  /** `patch components`: synthesis. */
  readonly decode: Float32Array;
  /** `patch`: added after `decode`. */
  readonly decodeBias: Float32Array;
};

/** Patches of pictures, as rows. */
export type PatchRows = { readonly rows: Float32Array; readonly count: number; readonly width: number };

/**
 * Takes random patches out of 8-bit pictures (`size size 3`), in the order of `spaceToDepth`'s channels.
 */
export function samplePatches(
  pictures: readonly Uint8Array[],
  { size, block, count, random }: { size: number; block: number; count: number; random: Random },
): PatchRows {
  const width = block * block * 3;
  const rows = new Float32Array(count * width);
  for (let n = 0; n < count; n++) {
    const picture = random.choose(pictures);
    const [left, top] = [random.integer(size - block + 1), random.integer(size - block + 1)];
    for (let y = 0; y < block; y++) {
      for (let i = 0; i < block * 3; i++) {
        const value = picture[((top + y) * size + left) * 3 + i]!;
        rows[n * width + y * block * 3 + i] = value / 127.5 - 1;
      }
    }
  }
  return { rows, count, width };
}

/**
 * Solves the codec: principal components by orthogonal iteration on the covariance, scaled so that the
 * latents have unit mean variance.
 */
export function fitLinearCodec(
  { rows, count, width }: PatchRows,
  { components, random, iterations = 60 }: { components: number; random: Random; iterations?: number },
): LinearCodec {
  const mean = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width]! += rows[i]! / count;
  const covariance = covarianceOf(rows, mean, count);
  let basis = orthonormalised(
    Array.from({ length: components }, () => Float64Array.from({ length: width }, () => random.normal())),
  );
  for (let i = 0; i < iterations; i++) basis = orthonormalised(basis.map((v) => times(covariance, v)));
  const deviations = basis.map((v) => Math.sqrt(dot(v, times(covariance, v))));
  const raw = deviations.map((deviation) => 1 / Math.sqrt(deviation));
  const meanVariance = deviations.reduce((total, d, k) => total + (d * raw[k]!) ** 2, 0) / components;
  const scales = raw.map((scale) => scale / Math.sqrt(meanVariance));
  const encode = new Float32Array(components * width);
  const decode = new Float32Array(width * components);
  const encodeBias = new Float32Array(components);
  for (const [k, v] of basis.entries()) {
    encodeBias[k] = -scales[k]! * dot(v, mean);
    for (let i = 0; i < width; i++) {
      encode[k * width + i] = v[i]! * scales[k]!;
      decode[i * components + k] = v[i]! / scales[k]!;
    }
  }
  return { encode, encodeBias, decode, decodeBias: Float32Array.from(mean) };
}

function covarianceOf(rows: Float32Array, mean: Float64Array, count: number): Float64Array[] {
  const width = mean.length;
  const covariance = Array.from({ length: width }, () => new Float64Array(width));
  const row = new Float64Array(width);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < width; i++) row[i] = rows[n * width + i]! - mean[i]!;
    for (let i = 0; i < width; i++) {
      const [target, factor] = [covariance[i]!, row[i]! / count];
      for (let j = 0; j <= i; j++) target[j]! += factor * row[j]!;
    }
  }
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) covariance[j]![i] = covariance[i]![j]!;
  return covariance;
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

function times(matrix: readonly Float64Array[], vector: Float64Array): Float64Array {
  return Float64Array.from(matrix, (row) => dot(row, vector));
}

/** Gram and Schmidt, in order, so that the first vectors settle on the largest components. */
function orthonormalised(vectors: readonly Float64Array[]): Float64Array[] {
  const done: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = vector.slice();
    for (const other of done) {
      const along = dot(rest, other);
      for (let i = 0; i < rest.length; i++) rest[i]! -= along * other[i]!;
    }
    const length = Math.sqrt(dot(rest, rest));
    done.push(rest.map((x) => x / length));
  }
  return done;
}
