// Products of matrices: batched, with a transposed side, and the linear layer's.

import { applyOne, graphError, type Operator, type Value } from '../graph/value.ts';
import { elementCount } from '../host-tensor.ts';
import { broadcastShapes, isSameShape, sumToShape } from './broadcasting.ts';
import { sum } from './reductions.ts';
import { reshape, transpose } from './shape.ts';

const MATMUL: Operator = {
  type: 'MatMul',
  gradient: ({ inputs: [a, b] }, [g]) => {
    const toA = matmul(g!, swapLastAxes(b!));
    // One matrix shared by a whole batch gets its gradient from one product over the batch.
    if (b!.shape.length === 2) {
      const toB = gemm(rowsOf(a!), rowsOf(g!), { transposeA: true });
      return [toA, toB];
    }
    const toB = matmul(swapLastAxes(a!), g!);
    return [sumToShape(toA, toA, a!), sumToShape(toB, toB, b!)];
  },
};

const GEMM: Operator = {
  type: 'Gemm',
  gradient: ({ inputs: [a, b, bias], attributes }, [g]) => {
    const transposeA = attributes.transA === 1;
    const transposeB = attributes.transB === 1;
    const toA = transposeA
      ? gemm(b!, g!, { transposeA: transposeB, transposeB: true })
      : gemm(g!, b!, { transposeB: !transposeB });
    const toB = transposeB
      ? gemm(g!, a!, { transposeA: true, transposeB: transposeA })
      : gemm(a!, g!, { transposeA: !transposeA });
    return bias === undefined ? [toA, toB] : [toA, toB, sum(g!, { axes: [0] })];
  },
};

/** Options of `gemm`: which side is read transposed, and a bias of one row. */
export type GemmOptions = {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly bias?: Value | undefined;
};

/** The product of the last two axes; leading axes broadcast. `[..., m, k] x [..., k, n]` to `[..., m, n]`. */
export function matmul(a: Value, b: Value): Value {
  const [rankA, rankB] = [a.shape.length, b.shape.length];
  if (rankA < 2 || rankB < 2 || a.shape[rankA - 1] !== b.shape[rankB - 2]) {
    throw graphError(`matmul expected shapes [..., m, k] and [..., k, n], got [${a.shape}] and [${b.shape}]`);
  }
  const leading = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul');
  return applyOne(MATMUL, [a, b], [...leading, a.shape[rankA - 2]!, b.shape[rankB - 1]!]);
}

/** The product of two plain matrices, either side transposed, plus a bias `[n]`. */
export function gemm(
  a: Value,
  b: Value,
  { transposeA = false, transposeB = false, bias }: GemmOptions = {},
): Value {
  const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const [k2, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
  if (a.shape.length !== 2 || b.shape.length !== 2 || k !== k2) {
    throw graphError(
      `a product of matrices expected inner extents that agree, got [${a.shape}] and [${b.shape}]`,
    );
  }
  if (bias !== undefined && !isSameShape(bias.shape, [n!])) {
    throw graphError(`a product with ${n} columns expected a bias [${n}], got [${bias.shape}]`);
  }
  const inputs = bias === undefined ? [a, b] : [a, b, bias];
  return applyOne(GEMM, inputs, [m!, n!], { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 });
}

/** x · weightᵀ + bias: `[..., i]` with a weight `[o, i]` to `[..., o]`. */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  const features = x.shape.at(-1);
  if (weight.shape.length !== 2 || features !== weight.shape[1]) {
    throw graphError(
      `linear expected x [..., ${weight.shape[1]}] for a weight [${weight.shape}], got [${x.shape}]`,
    );
  }
  const product = gemm(rowsOf(x), weight, { transposeB: true, bias });
  return reshape(product, [...x.shape.slice(0, -1), weight.shape[0]!]);
}

/** Exchanges the last two axes. */
export function swapLastAxes(x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  return transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
}

function rowsOf(x: Value): Value {
  const columns = x.shape.at(-1)!;
  return reshape(x, [elementCount(x.shape) / columns, columns]);
}
