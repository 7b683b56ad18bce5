// Symmetric positive definite systems by Cholesky's factors; `n n` matrices in rows, float64.

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

/** The solution of `matrix x = right`; both stay as they are. */
export function solvePositive(matrix: Float64Array, right: Float64Array): Float64Array {
  const factor = matrix.slice();
  const solution = right.slice();
  factorCholesky(factor, right.length);
  solveCholesky(factor, right.length, solution);
  return solution;
}
