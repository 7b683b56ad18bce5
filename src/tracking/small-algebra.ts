// The few dense operations that the fit spends its time in: scaled sums, normal equations, Cholesky.

/** `target += factor x source`. */
export function addScaled(target: Float64Array, source: ArrayLike<number>, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source[i]!;
}

/** A 2 x 3 block times a 3 x 3 matrix, written to `out`; the two must not overlap. */
export function dot2x3(
  block: Float64Array,
  blockAt: number,
  matrix: Float64Array,
  matrixAt: number,
  out: Float64Array,
  outAt: number,
): void {
  for (let row = 0; row < 2; row++) {
    const [a, b, c] = [
      block[blockAt + 3 * row]!,
      block[blockAt + 3 * row + 1]!,
      block[blockAt + 3 * row + 2]!,
    ];
    for (let k = 0; k < 3; k++) {
      out[outAt + 3 * row + k] =
        a * matrix[matrixAt + k]! + b * matrix[matrixAt + 3 + k]! + c * matrix[matrixAt + 6 + k]!;
    }
  }
}

/** `A^T A` into `matrix` (`P P`, both halves) and `A^T r` into `vector`, for columns of A. */
export function normalEquations(
  columns: readonly Float64Array[],
  residual: Float64Array,
  matrix: Float64Array,
  vector: Float64Array,
): void {
  const count = columns.length;
  const rows = residual.length;
  // Two by two columns at a time: every value loaded serves two products.
  for (let i = 0; i < count; i += 2) {
    const a = columns[i]!;
    const b = columns[i + 1] ?? a;
    let [aR, bR] = [0, 0];
    for (let r = 0; r < rows; r++) {
      aR += a[r]! * residual[r]!;
      bR += b[r]! * residual[r]!;
    }
    vector[i] = aR;
    if (i + 1 < count) vector[i + 1] = bR;
    for (let j = i; j < count; j += 2) {
      const c = columns[j]!;
      const d = columns[j + 1] ?? c;
      let [ac, ad, bc, bd] = [0, 0, 0, 0];
      for (let r = 0; r < rows; r++) {
        const [av, bv, cv, dv] = [a[r]!, b[r]!, c[r]!, d[r]!];
        ac += av * cv;
        ad += av * dv;
        bc += bv * cv;
        bd += bv * dv;
      }
      matrix[i * count + j] = ac;
      matrix[j * count + i] = ac;
      if (j + 1 < count) {
        matrix[i * count + j + 1] = ad;
        matrix[(j + 1) * count + i] = ad;
      }
      if (i + 1 < count) {
        matrix[(i + 1) * count + j] = bc;
        matrix[j * count + i + 1] = bc;
        if (j + 1 < count) {
          matrix[(i + 1) * count + j + 1] = bd;
          matrix[(j + 1) * count + i + 1] = bd;
        }
      }
    }
  }
}

/** Factors a symmetric positive definite `n n` matrix in place into its lower Cholesky factor. */
export function factorCholesky(matrix: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * n + k]! * matrix[j * n + k]!;
      matrix[i * n + j] = i === j ? Math.sqrt(Math.max(sum, Number.MIN_VALUE)) : sum / matrix[j * n + j]!;
    }
  }
}

/** Solves with a factor of `factorCholesky`, in place. */
export function solveCholesky(factor: Float64Array, n: number, vector: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = vector[i]!;
    for (let k = 0; k < i; k++) sum -= factor[i * n + k]! * vector[k]!;
    vector[i] = sum / factor[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = vector[i]!;
    for (let k = i + 1; k < n; k++) sum -= factor[k * n + i]! * vector[k]!;
    vector[i] = sum / factor[i * n + i]!;
  }
}
