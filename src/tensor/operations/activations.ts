// Pointwise non-linearities, and softmax.

import { withGradient } from '../graph/custom-gradient.ts';
import { applyOne, axisIndex, constant, graphError, type Operator, type Value } from '../graph/value.ts';
import { add, exp, mul, square, sub } from './elementwise.ts';
import { sum } from './reductions.ts';

const TANH: Operator = {
  type: 'Tanh',
  takesBroadcastGradient: true,
  gradient: ({ outputs: [y] }, [g]) => [mul(g!, sub(1, square(y!)))],
};

const SIGMOID: Operator = {
  type: 'Sigmoid',
  takesBroadcastGradient: true,
  gradient: ({ outputs: [y] }, [g]) => [mul(g!, mul(y!, sub(1, y!)))],
};

const RELU: Operator = {
  type: 'Relu',
  gradient: ({ outputs: [y] }, [g]) => [mul(g!, slopes(y!, 0))],
};

const LEAKY_RELU: Operator = {
  type: 'LeakyRelu',
  gradient: ({ inputs: [x], attributes }, [g]) => [
    mul(g!, slopes(x!, (attributes.alpha as { float: number }).float)),
  ],
};

const SOFTPLUS: Operator = {
  type: 'Softplus',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [x] }, [g]) => [mul(g!, sigmoid(x!))],
};

// d/dx x·Φ(x) = Φ(x) + x·φ(x), with the normal distribution Φ and its density φ.
const GELU: Operator = {
  type: 'Gelu',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [x] }, [g]) => {
    const distribution = mul(add(applyOne(ERF, [mul(x!, Math.SQRT1_2)], x!.shape), 1), 0.5);
    const density = mul(exp(mul(square(x!), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [mul(g!, add(distribution, mul(x!, density)))];
  },
};

const ERF: Operator = { type: 'Erf' };

const SOFTMAX: Operator = {
  type: 'Softmax',
  gradient: ({ outputs: [y], attributes }, [g]) => {
    const weighted = mul(g!, y!);
    return [sub(weighted, mul(y!, sum(weighted, { axes: [attributes.axis as number], keepDims: true })))];
  },
};

const CLIP: Operator = { type: 'Clip' };
/** Makes every number that matters larger than 1, and leaves room to infinity. */
const HUGE = 2 ** 60;

/** 1 where x is positive, `low` (0 to 1) elsewhere: two plain passes, where a comparison and a choice take half as long again. */
function slopes(x: Value, low: number): Value {
  return applyOne(CLIP, [mul(x, HUGE), constant(low), constant(1)], x.shape);
}

/** The hyperbolic tangent. */
export function tanh(x: Value): Value {
  return applyOne(TANH, [x], x.shape);
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: Value): Value {
  return applyOne(SIGMOID, [x], x.shape);
}

/** x · sigmoid(x). */
export function silu(x: Value): Value {
  const gate = sigmoid(x);
  const y = mul(x, gate);
  // σ + x·σ·(1 - σ) with y = x·σ: four passes over the data where the product rule takes six.
  return withGradient(y, [x], (g) => [mul(g, add(y, mul(gate, sub(1, y))))]);
}

/** x · Φ(x), exactly (by erf). */
export function gelu(x: Value): Value {
  return applyOne(GELU, [x], x.shape);
}

/** max(x, 0). */
export function relu(x: Value): Value {
  return applyOne(RELU, [x], x.shape);
}

/** x where positive, `slope` (0 to 1) · x elsewhere. */
export function leakyRelu(x: Value, slope = 0.01): Value {
  if (!(slope >= 0 && slope <= 1)) throw graphError(`leakyRelu expected a slope from 0 to 1, got ${slope}`);
  return applyOne(LEAKY_RELU, [x], x.shape, { alpha: { float: slope } });
}

/** log(1 + e^x). */
export function softplus(x: Value): Value {
  return applyOne(SOFTPLUS, [x], x.shape);
}

/** e^x over its sum along an axis. */
export function softmax(x: Value, axis: number): Value {
  return applyOne(SOFTMAX, [x], x.shape, { axis: axisIndex(axis, x, 'softmax') });
}
