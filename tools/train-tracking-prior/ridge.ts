// Ridge regression from sums over rows, which may be many: the sums are kept, the rows are not.

import { factorCholesky, solveCholesky } from '../../src/geometry/index.ts';
import { type Device, emitModel, encodeOnnxModel, input, matmul, transpose } from '../../src/tensor/index.ts';

/** Weight of the squared weights; chosen on held-out subjects, flat over a factor of ten. */
const RIDGE = 0.1;
const CHUNK = 512;

/** Rows of inputs and of targets. */
export type Table = { readonly inputs: readonly Float32Array[]; readonly targets: readonly Float32Array[] };

/** `outputs used`, and `outputs`. */
export type LinearMap = { readonly weight: Float32Array; readonly bias: Float32Array };

/** What a regression needs of its rows: count, sums, and sums of products of inputs with inputs and targets. */
export type Sums = {
  readonly count: number;
  readonly width: number;
  readonly outputs: number;
  /** `width + outputs`. */
  readonly sum: Float64Array;
  /** `width (width + outputs)`. */
  readonly products: Float64Array;
};

/** Sums over all rows; the products run on the device. */
export async function sumProducts(device: Device, { inputs, targets }: Table): Promise<Sums> {
  const [width, outputs] = [inputs[0]!.length, targets[0]!.length];
  const all = width + outputs;
  const both = input('both', [CHUNK, all]);
  const left = input('left', [CHUNK, width]);
  const model = emitModel({ name: 'products', outputs: { products: matmul(transpose(left, [1, 0]), both) } });
  await using session = await device.createSession(encodeOnnxModel(model));
  const sum = new Float64Array(all);
  const products = new Float64Array(width * all);
  for (let first = 0; first < inputs.length; first += CHUNK) {
    const leftRows = new Float32Array(CHUNK * width);
    const bothRows = new Float32Array(CHUNK * all);
    for (let r = 0; r < Math.min(CHUNK, inputs.length - first); r++) {
      leftRows.set(inputs[first + r]!, r * width);
      bothRows.set(inputs[first + r]!, r * all);
      bothRows.set(targets[first + r]!, r * all + width);
      for (let i = 0; i < all; i++) sum[i]! += bothRows[r * all + i]!;
    }
    const out = await session.run({
      left: { dtype: 'float32', shape: [CHUNK, width], data: leftRows },
      both: { dtype: 'float32', shape: [CHUNK, all], data: bothRows },
    });
    const part = out.products!.data as Float32Array;
    for (let i = 0; i < products.length; i++) products[i]! += part[i]!;
  }
  return { count: inputs.length, width, outputs, sum, products };
}

/** Solves (X'X + ridge) w = X'y about the means, for the first `used` inputs. */
export function solveRidge({ count, width, outputs, sum, products }: Sums, used: number): LinearMap {
  const all = width + outputs;
  const centred = (i: number, j: number): number => products[i * all + j]! - (sum[i]! * sum[j]!) / count;
  const matrix = new Float64Array(used * used);
  for (let i = 0; i < used; i++) {
    for (let j = 0; j <= i; j++) matrix[i * used + j] = centred(i, j);
    matrix[i * used + i]! += RIDGE;
  }
  factorCholesky(matrix, used);
  const weight = new Float32Array(outputs * used);
  const bias = new Float32Array(outputs);
  for (let t = 0; t < outputs; t++) {
    const solution = Float64Array.from({ length: used }, (_, i) => centred(i, width + t));
    solveCholesky(matrix, used, solution);
    weight.set(solution, t * used);
    bias[t] = (sum[width + t]! - solution.reduce((total, w, i) => total + w * sum[i]!, 0)) / count;
  }
  return { weight, bias };
}
