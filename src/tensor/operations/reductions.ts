// Sums, means and maxima over axes.

import { applyOne, axisIndex, indices, type Operator, type Value } from '../graph/value.ts';
import { mul } from './elementwise.ts';
import { reshape } from './shape.ts';

/** Which axes to reduce (all by default), and whether they stay with extent 1. */
export type ReductionOptions = { readonly axes?: readonly number[]; readonly keepDims?: boolean };

// The gradient of a sum is the same number all over: it stays small and broadcasts.
const REDUCE_SUM: Operator = {
  type: 'ReduceSum',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [x, axes], outputs: [y] }, [g]) => [withAxes(g!, y!, x!, axes!), undefined],
};

const REDUCE_MEAN: Operator = {
  type: 'ReduceMean',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [x, axes], outputs: [y] }, [g]) => {
    const share =
      y!.shape.reduce((n, extent) => n * extent, 1) / x!.shape.reduce((n, extent) => n * extent, 1);
    return [mul(withAxes(g!, y!, x!, axes!), share), undefined];
  },
};

const REDUCE_MAX: Operator = { type: 'ReduceMax' };

/** The sum over axes. */
export function sum(x: Value, options: ReductionOptions = {}): Value {
  return reduce(REDUCE_SUM, x, options);
}

/** The mean over axes. */
export function mean(x: Value, options: ReductionOptions = {}): Value {
  return reduce(REDUCE_MEAN, x, options);
}

/** The largest element over axes. No gradient flows through it. */
export function max(x: Value, options: ReductionOptions = {}): Value {
  return reduce(REDUCE_MAX, x, options);
}

function reduce(operator: Operator, x: Value, { axes, keepDims = false }: ReductionOptions): Value {
  const reduced = (axes ?? x.shape.map((_, i) => i))
    .map((axis) => axisIndex(axis, x, operator.type))
    .sort((a, b) => a - b);
  if (reduced.length === 0) return x;
  const shape = x.shape.flatMap((extent, i) => (reduced.includes(i) ? (keepDims ? [1] : []) : [extent]));
  return applyOne(operator, [x, indices(reduced)], shape, { keepdims: keepDims ? 1 : 0 });
}

/** Gives the gradient of a reduction the rank of what was reduced, so that it broadcasts to it. */
function withAxes(g: Value, y: Value, x: Value, axes: Value): Value {
  if (y.shape.length === x.shape.length || axes.source.kind !== 'constant') return g;
  const reduced = new Set(Array.from(axes.source.tensor.data, Number));
  const rest = [...y.shape.map(() => 1), ...g.shape].slice(
    -y.shape.length || y.shape.length + g.shape.length,
  );
  return reshape(
    g,
    x.shape.map((_, axis) => (reduced.has(axis) ? 1 : rest.shift()!)),
  );
}
