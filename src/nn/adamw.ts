// AdamW as a graph: from weights, gradients and moments to the next ones, so that one ONNX graph is
// forward, backward and update, and the update can stand alone where gradients are averaged in between.
// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.

import type { Tensor, Value } from '../tensor/index.ts';
import { add, div, input, maximum, mul, sqrt, square, sub, sum } from '../tensor/index.ts';

/** What is fixed over a run. */
export type AdamWOptions = {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay: number;
  /** Gradients are scaled down to this global norm. */
  readonly clipNorm: number;
};

/** The state of a run, by name: `NAME` weights, `first.NAME` and `second.NAME` moments, `ema.NAME`. */
export type OptimiserState = Record<string, Tensor>;

/** The inputs of the update that change with the step. */
export type AdamWStep = {
  readonly learningRate: number;
  /** Counted from 1. */
  readonly step: number;
  /** Share of the old average that stays. */
  readonly emaDecay: number;
};

const BETA1 = 0.9;
const BETA2 = 0.999;

/**
 * The next state. Moments and averages enter as inputs `first.NAME`, `second.NAME` and `ema.NAME`, the
 * scalars as the inputs that `adamWFeeds` gives.
 * Weights of one axis (biases, norms) do not decay.
 * @returns by name, like `OptimiserState`, and the norm of all gradients before clipping
 */
export function adamW(
  weights: ReadonlyMap<string, Value>,
  gradients: ReadonlyMap<string, Value>,
  { beta1 = BETA1, beta2 = BETA2, epsilon = 1e-8, weightDecay, clipNorm }: AdamWOptions,
): { state: Record<string, Value>; gradientNorm: Value } {
  const learningRate = input('learningRate', []);
  const firstCorrection = input('firstCorrection', []);
  const secondCorrection = input('secondCorrection', []);
  const emaRate = input('emaRate', []);
  const squares = [...gradients.values()].map((g) =>
    sum(square(g), { axes: g.shape.map((_, axis) => axis) }),
  );
  const gradientNorm = sqrt(squares.reduce((total, value) => add(total, value)));
  const clipScale = div(clipNorm, maximum(gradientNorm, clipNorm));
  const decay = sub(1, mul(learningRate, weightDecay));
  const state: Record<string, Value> = {};
  for (const [name, weight] of weights) {
    const gradient = mul(gradients.get(name)!, clipScale);
    const moment = (kind: string, beta: number, term: Value): Value =>
      add(mul(input(`${kind}.${name}`, weight.shape), beta), mul(term, 1 - beta));
    const first = moment('first', beta1, gradient);
    const second = moment('second', beta2, square(gradient));
    const denominator = add(sqrt(mul(second, secondCorrection)), epsilon);
    const change = div(mul(first, mul(learningRate, firstCorrection)), denominator);
    const kept = weight.shape.length > 1 ? mul(weight, decay) : weight;
    const next = sub(kept, change);
    const average = input(`ema.${name}`, weight.shape);
    state[name] = next;
    state[`first.${name}`] = first;
    state[`second.${name}`] = second;
    state[`ema.${name}`] = add(average, mul(sub(next, average), emaRate));
  }
  return { state, gradientNorm };
}

/** The scalar inputs of `adamW` at a step. */
export function adamWFeeds(
  { learningRate, step, emaDecay }: AdamWStep,
  { beta1 = BETA1, beta2 = BETA2 }: { beta1?: number; beta2?: number } = {},
): Record<string, Tensor> {
  const scalar = (value: number): Tensor => ({ dtype: 'float32', shape: [], data: Float32Array.of(value) });
  return {
    learningRate: scalar(learningRate),
    firstCorrection: scalar(1 / (1 - beta1 ** step)),
    secondCorrection: scalar(1 / (1 - beta2 ** step)),
    emaRate: scalar(1 - emaDecay),
  };
}

/** The state before the first step: zero moments, averages equal to the weights. */
export function initialState(weights: Readonly<Record<string, Tensor>>): OptimiserState {
  const state: OptimiserState = {};
  for (const [name, weight] of Object.entries(weights)) {
    const zero = (): Tensor => ({ ...weight, data: new Float32Array(weight.data.length) });
    state[name] = weight;
    state[`first.${name}`] = zero();
    state[`second.${name}`] = zero();
    state[`ema.${name}`] = { ...weight, data: weight.data.slice() };
  }
  return state;
}
