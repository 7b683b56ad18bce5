// Principal components of many long samples, by the eigenvectors of their small Gram matrix.
// Symmetric and mirrored parts are analysed apart: a population that holds every head's mirror image has
// components that are exactly symmetric or exactly antisymmetric.

/** Components with unit-variance coefficients. */
export type Components = {
  /** One row of `length` values per component: the change per unit of its coefficient. */
  readonly basis: readonly Float64Array[];
  /** Weighted variance that each component explains. */
  readonly variances: readonly number[];
  /** Weighted variance in all. */
  readonly totalVariance: number;
};

/**
 * The first components of centred samples.
 * @param samples rows of equal length, mean zero
 * @param weights how much each value counts in the variance
 */
export function principalComponents(
  samples: readonly Float32Array[],
  weights: Float32Array,
  count: number,
): Components {
  const gram = weightedGram(samples, weights);
  const size = samples.length;
  let totalVariance = 0;
  for (let i = 0; i < size; i++) totalVariance += gram[i * size + i]! / size;
  const { vectors, values } = leadingEigenvectors(gram, size, count);
  const basis = vectors.map((vector) => {
    const row = new Float64Array(weights.length);
    for (const [s, sample] of samples.entries()) {
      const coefficient = vector[s]! / Math.sqrt(size);
      for (let i = 0; i < row.length; i++) row[i]! += coefficient * sample[i]!;
    }
    return row;
  });
  return { basis, variances: values.map((value) => value / size), totalVariance };
}

function weightedGram(samples: readonly Float32Array[], weights: Float32Array): Float64Array {
  const size = samples.length;
  // Only values that count take part; scaled once, so that the inner loop is a dot product.
  const kept = [...weights.keys()].filter((i) => weights[i]! > 0);
  const scaled = samples.map((sample) => Float32Array.from(kept, (i) => sample[i]! * Math.sqrt(weights[i]!)));
  const gram = new Float64Array(size * size);
  for (let a = 0; a < size; a++) {
    const left = scaled[a]!;
    for (let b = 0; b <= a; b++) {
      const right = scaled[b]!;
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      const even = left.length & ~3;
      for (let i = 0; i < even; i += 4) {
        s0 += left[i]! * right[i]!;
        s1 += left[i + 1]! * right[i + 1]!;
        s2 += left[i + 2]! * right[i + 2]!;
        s3 += left[i + 3]! * right[i + 3]!;
      }
      for (let i = even; i < left.length; i++) s0 += left[i]! * right[i]!;
      gram[a * size + b] = s0 + s1 + s2 + s3;
      gram[b * size + a] = s0 + s1 + s2 + s3;
    }
  }
  return gram;
}

/** Subspace iteration with a few spare vectors; the start is fixed, so the result is too. */
function leadingEigenvectors(
  matrix: Float64Array,
  size: number,
  count: number,
): { vectors: Float64Array[]; values: number[] } {
  const width = Math.min(size, count + 20);
  let block: Float64Array[] = Array.from({ length: width }, (_, k) =>
    Float64Array.from({ length: size }, (_, i) => Math.sin(1 + 12.9898 * (i + 1) * (k + 1) + 78.233 * i)),
  );
  orthonormalise(block);
  for (let iteration = 0; iteration < 40; iteration++) {
    block = block.map((vector) => multiply(matrix, size, vector));
    orthonormalise(block);
  }
  // Rotate the block to the eigenvectors of the projected matrix (Rayleigh-Ritz).
  const images = block.map((vector) => multiply(matrix, size, vector));
  const projected = block.map((a) => Float64Array.from(images, (b) => dot(a, b)));
  const { rotations, values } = jacobiEigenvectors(projected);
  const order = [...values.keys()].sort((a, b) => values[b]! - values[a]!).slice(0, count);
  const vectors = order.map((column) => {
    const vector = new Float64Array(size);
    for (const [k, member] of block.entries()) {
      const c = rotations[k]![column]!;
      for (let i = 0; i < size; i++) vector[i]! += c * member[i]!;
    }
    return vector;
  });
  return { vectors, values: order.map((column) => values[column]!) };
}

function multiply(matrix: Float64Array, size: number, vector: Float64Array): Float64Array {
  const product = new Float64Array(size);
  for (let row = 0; row < size; row++) {
    let sum = 0;
    const start = row * size;
    for (let i = 0; i < size; i++) sum += matrix[start + i]! * vector[i]!;
    product[row] = sum;
  }
  return product;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function orthonormalise(block: Float64Array[]): void {
  for (const [k, vector] of block.entries()) {
    // Twice: once is not enough where vectors are nearly parallel.
    for (let pass = 0; pass < 2; pass++) {
      for (const other of block.slice(0, k)) {
        const share = dot(vector, other);
        for (let i = 0; i < vector.length; i++) vector[i]! -= share * other[i]!;
      }
    }
    const norm = Math.sqrt(dot(vector, vector)) || 1;
    for (let i = 0; i < vector.length; i++) vector[i]! /= norm;
  }
}

/** All eigenvectors of a small symmetric matrix by Jacobi's rotations; columns of `rotations`. */
export function jacobiEigenvectors(matrix: readonly Float64Array[]): {
  rotations: Float64Array[];
  values: number[];
} {
  const size = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const v = a.map((_, i) => Float64Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const apq = a[p]![q]!;
        off += apq * apq;
        if (Math.abs(apq) < 1e-300) continue;
        const theta = (a[q]![q]! - a[p]![p]!) / (2 * apq);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < size; k++) {
          const [akp, akq] = [a[k]![p]!, a[k]![q]!];
          a[k]![p] = c * akp - s * akq;
          a[k]![q] = s * akp + c * akq;
        }
        for (let k = 0; k < size; k++) {
          const [apk, aqk] = [a[p]![k]!, a[q]![k]!];
          a[p]![k] = c * apk - s * aqk;
          a[q]![k] = s * apk + c * aqk;
          const [vkp, vkq] = [v[k]![p]!, v[k]![q]!];
          v[k]![p] = c * vkp - s * vkq;
          v[k]![q] = s * vkp + c * vkq;
        }
      }
    }
    const scale = a.reduce((sum, row, i) => sum + row[i]! * row[i]!, 0);
    if (off <= 1e-24 * scale) break;
  }
  return { rotations: v, values: a.map((row, i) => row[i]!) };
}
