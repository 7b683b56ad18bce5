// One small graph per operator and variant: the list that the gradient tests and the parity tests share.

import {
  abs,
  add,
  attention,
  averagePool2d,
  clip,
  concat,
  constant,
  conv2d,
  depthToSpace,
  div,
  exp,
  expand,
  gatherRows,
  gelu,
  greater,
  groupNorm,
  groupNormThen,
  layerNorm,
  leakyRelu,
  linear,
  log,
  matmul,
  max,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  pad2d,
  parameter,
  reciprocal,
  relu,
  reshape,
  sigmoid,
  silu,
  slice,
  softmax,
  softplus,
  spaceToDepth,
  split,
  sqrt,
  square,
  sub,
  sum,
  tanh,
  toFloat,
  transpose,
  upsampleNearest,
  type Value,
  where,
} from '../../src/tensor/index.ts';

/** A graph over parameters; `isPositive` asks for data away from zero and above it. */
export type OperatorCase = {
  readonly title: string;
  readonly build: () => Value;
  readonly isPositive?: boolean;
  readonly hasNoGradient?: boolean;
};

const a = (...shape: number[]): Value => parameter('a', shape);
const b = (...shape: number[]): Value => parameter('b', shape);
const c = (...shape: number[]): Value => parameter('c', shape);
const rows = (...values: number[]): Value =>
  constant({ dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) });

export const OPERATOR_CASES: readonly OperatorCase[] = [
  { title: 'add', build: () => add(a(2, 3), b(2, 3)) },
  { title: 'add with broadcasting both ways', build: () => add(a(2, 1, 3), b(4, 1)) },
  { title: 'add of a number', build: () => add(a(2, 3), 0.5) },
  { title: 'sub with broadcasting', build: () => sub(a(3), b(2, 3)) },
  { title: 'mul with broadcasting', build: () => mul(a(2, 3, 4), b(3, 1)) },
  { title: 'mul by numbers, folded', build: () => mul(mul(a(2, 3), 3), 0.25) },
  { title: 'div with broadcasting', build: () => div(a(2, 3), b(3)), isPositive: true },
  { title: 'maximum', build: () => maximum(a(2, 5), b(5)) },
  { title: 'minimum', build: () => minimum(a(2, 5), b(5)) },
  { title: 'clip', build: () => clip(a(3, 5), -0.4, 0.6) },
  { title: 'neg', build: () => neg(a(4)) },
  { title: 'square', build: () => square(a(4)) },
  { title: 'sqrt', build: () => sqrt(a(4)), isPositive: true },
  { title: 'reciprocal', build: () => reciprocal(a(4)), isPositive: true },
  { title: 'exp', build: () => exp(a(4)) },
  { title: 'log', build: () => log(a(4)), isPositive: true },
  { title: 'abs', build: () => abs(a(7)) },
  { title: 'where', build: () => where(greater(c(2, 3), 0), a(3), b(2, 1)) },
  { title: 'greater', build: () => toFloat(greater(a(2, 3), b(3))), hasNoGradient: true },
  { title: 'tanh', build: () => tanh(a(5)) },
  { title: 'sigmoid', build: () => sigmoid(a(5)) },
  { title: 'silu', build: () => silu(a(5)) },
  { title: 'gelu', build: () => gelu(a(9)) },
  { title: 'relu', build: () => relu(a(9)) },
  { title: 'leakyRelu', build: () => leakyRelu(a(9), 0.2) },
  { title: 'softplus', build: () => softplus(a(9)) },
  { title: 'reshape', build: () => reshape(a(2, 6), [3, -1]) },
  { title: 'transpose', build: () => transpose(a(2, 3, 4), [2, 0, 1]) },
  { title: 'transpose that moves nothing', build: () => transpose(a(1, 3, 4), [1, 0, 2]) },
  { title: 'concat', build: () => concat([a(2, 3), b(2, 1), a(2, 3)], 1) },
  {
    title: 'split with one part unused',
    build: () => mul(...pairOf(split(a(2, 6), { axis: 1, sizes: [2, 2, 2] }))),
  },
  { title: 'slice', build: () => slice(a(2, 6), { axis: 1, start: 1, end: -2 }) },
  { title: 'expand', build: () => expand(a(3, 1), [2, 3, 4]) },
  { title: 'pad2d', build: () => pad2d(a(1, 2, 3, 2), { top: 1, bottom: 2, left: 0, right: 1 }) },
  { title: 'pad2d that cuts', build: () => pad2d(a(1, 1, 4, 4), { top: -1, bottom: 1, right: -2 }) },
  { title: 'depthToSpace', build: () => depthToSpace(a(2, 8, 2, 3), 2) },
  { title: 'spaceToDepth', build: () => spaceToDepth(a(2, 2, 4, 6), 2) },
  { title: 'gatherRows with a repeated row', build: () => gatherRows(a(4, 3), rows(2, 0, 2)) },
  { title: 'upsampleNearest', build: () => upsampleNearest(a(1, 2, 2, 3), 2) },
  { title: 'averagePool2d', build: () => averagePool2d(a(2, 2, 4, 4), 2) },
  { title: 'sum over all axes', build: () => sum(a(2, 3)) },
  { title: 'sum over some axes', build: () => sum(a(2, 3, 4), { axes: [0, -1] }) },
  { title: 'mean keeping its axes', build: () => mean(a(2, 3, 4), { axes: [1], keepDims: true }) },
  { title: 'mean of a mean', build: () => mean(mean(a(2, 3, 4), { axes: [1] })) },
  { title: 'max', build: () => max(a(2, 5), { axes: [1] }), hasNoGradient: true },
  { title: 'softmax over the last axis', build: () => softmax(a(2, 5), -1) },
  { title: 'softmax over another axis', build: () => softmax(a(2, 3, 2), 1) },
  { title: 'matmul of matrices', build: () => matmul(a(3, 4), b(4, 2)) },
  { title: 'matmul of a batch with one matrix', build: () => matmul(a(2, 3, 4), b(4, 2)) },
  { title: 'matmul with broadcast batches', build: () => matmul(a(2, 1, 3, 4), b(5, 4, 2)) },
  { title: 'linear', build: () => linear(a(2, 3, 4), b(5, 4), c(5)) },
  { title: 'linear without bias', build: () => linear(a(3, 4), b(5, 4)) },
  { title: 'conv2d 3x3', build: () => conv2d(a(2, 3, 5, 4), b(4, 3, 3, 3), { bias: c(4), padding: 1 }) },
  { title: 'conv2d 1x1', build: () => conv2d(a(2, 3, 3, 2), b(4, 3, 1, 1), { bias: c(4) }) },
  {
    title: 'conv2d 3x3, stride 2',
    build: () => conv2d(a(1, 2, 6, 6), b(3, 2, 3, 3), { stride: 2, padding: 1 }),
  },
  {
    title: 'conv2d 3x3, stride 2, odd size',
    build: () => conv2d(a(1, 2, 5, 7), b(3, 2, 3, 3), { stride: 2, padding: 1 }),
  },
  {
    title: 'conv2d 3x3, stride 2, padded below and right',
    build: () => conv2d(a(1, 2, 6, 6), b(3, 2, 3, 3), { stride: 2, padding: [0, 0, 1, 1] }),
  },
  { title: 'conv2d 4x4, stride 4', build: () => conv2d(a(1, 2, 8, 8), b(3, 2, 4, 4), { stride: 4 }) },
  { title: 'conv2d 1x1, stride 2', build: () => conv2d(a(1, 2, 5, 4), b(3, 2, 1, 1), { stride: 2 }) },
  { title: 'conv2d without padding', build: () => conv2d(a(1, 2, 5, 5), b(3, 2, 3, 2)) },
  {
    title: 'conv2d with more padding than kernel',
    build: () => conv2d(a(1, 2, 3, 3), b(3, 2, 1, 1), { padding: 1 }),
  },
  {
    title: 'conv2d in groups',
    build: () => conv2d(a(2, 4, 4, 4), b(6, 2, 3, 3), { bias: c(6), padding: 1, groups: 2 }),
  },
  {
    title: 'conv2d by channel',
    build: () => conv2d(a(1, 3, 4, 4), b(3, 1, 3, 3), { padding: 1, groups: 3 }),
  },
  {
    title: 'conv2d in groups, stride 2',
    build: () => conv2d(a(1, 4, 4, 4), b(2, 2, 3, 3), { stride: 2, padding: 1, groups: 2 }),
  },
  { title: 'groupNorm', build: () => groupNorm(a(2, 4, 3, 2), { groups: 2, scale: b(4), bias: c(4) }) },
  {
    title: 'groupNorm, what follows computed again',
    build: () =>
      groupNormThen(a(2, 4, 3, 2), { groups: 2, scale: b(4), bias: c(4) }, (normed) =>
        conv2d(silu(normed), parameter('d', [3, 4, 1, 1])),
      ),
  },
  {
    title: 'groupNorm of tokens',
    build: () => groupNorm(a(2, 4, 5), { groups: 1, scale: b(4), bias: c(4) }),
  },
  { title: 'layerNorm', build: () => layerNorm(a(2, 3, 5), { scale: b(5), bias: c(5) }) },
  {
    title: 'attention',
    build: () => attention({ query: a(2, 3, 4), key: b(2, 5, 4), value: c(2, 5, 4), heads: 2 }),
  },
];

function pairOf([first, second]: readonly Value[]): [Value, Value] {
  return [first!, second!];
}
