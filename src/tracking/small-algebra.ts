// The few dense operations that the fit spends its time in: scaled sums and normal equations.

/** `target += factor x source`. */
export function addScaled(target: Float64Array, source: ArrayLike<number>, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source[i]!;
}

/** `target += sum of factors x rows`, four rows at a time: each value of the target is loaded and stored less often. */
export function addCombination(
  target: Float64Array,
  rows: readonly Float64Array[],
  factors: ArrayLike<number>,
): void {
  const used = rows.flatMap((row, k) => (factors[k] === 0 ? [] : [{ row, factor: factors[k]! }]));
  const whole = used.length - (used.length % 4);
  for (let k = 0; k < whole; k += 4) {
    const [{ row: a, factor: p }, { row: b, factor: q }] = [used[k]!, used[k + 1]!];
    const [{ row: c, factor: r }, { row: d, factor: s }] = [used[k + 2]!, used[k + 3]!];
    for (let i = 0; i < target.length; i++) {
      target[i]! += p * a[i]! + q * b[i]! + r * c[i]! + s * d[i]!;
    }
  }
  for (const { row, factor } of used.slice(whole)) addScaled(target, row, factor);
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

/** `A^T r` into `vector`, for columns of A. */
export function gradientOf(
  columns: readonly Float64Array[],
  residual: Float64Array,
  vector: Float64Array,
): void {
  for (const [i, column] of columns.entries()) {
    let sum = 0;
    for (let r = 0; r < residual.length; r++) sum += column[r]! * residual[r]!;
    vector[i] = sum;
  }
}

/**
 * `A^T A` over some columns of A, written to their rows and columns of `matrix` (`P P`, both halves); the
 * rest of it is left as it was. Two by two columns at a time: every value loaded serves two products.
 */
export function normalEquations(
  columns: readonly Float64Array[],
  chosen: readonly number[],
  matrix: Float64Array,
): void {
  const size = columns.length;
  const write = (p: number, q: number, value: number): void => {
    matrix[p * size + q] = value;
    matrix[q * size + p] = value;
  };
  for (let i = 0; i < chosen.length; i += 2) {
    const [p0, p1] = [chosen[i]!, chosen[i + 1] ?? chosen[i]!];
    for (let j = i; j < chosen.length; j += 2) {
      const [q0, q1] = [chosen[j]!, chosen[j + 1] ?? chosen[j]!];
      const products = productsOf(columns[p0]!, columns[p1]!, columns[q0]!, columns[q1]!);
      write(p0, q0, products[0]!);
      write(p0, q1, products[1]!);
      write(p1, q0, products[2]!);
      write(p1, q1, products[3]!);
    }
  }
}

const products = new Float64Array(4);

/** ac, ad, bc, bd. */
function productsOf(a: Float64Array, b: Float64Array, c: Float64Array, d: Float64Array): Float64Array {
  let ac = 0;
  let ad = 0;
  let bc = 0;
  let bd = 0;
  for (let r = 0; r < a.length; r++) {
    const av = a[r]!;
    const bv = b[r]!;
    const cv = c[r]!;
    const dv = d[r]!;
    ac += av * cv;
    ad += av * dv;
    bc += bv * cv;
    bd += bv * dv;
  }
  products[0] = ac;
  products[1] = ad;
  products[2] = bc;
  products[3] = bd;
  return products;
}
