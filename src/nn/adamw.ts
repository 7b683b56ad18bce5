// AdamW as a graph: from weights, gradients and moments to the next ones, so that one ONNX graph is
// forward, backward and update, and the update can stand alone where gradients are averaged in between.
// All weights update as two long vectors, those that decay and those that do not: a graph of a few nodes
// instead of thousands. In memory a parameter is a view of its vector.
// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.

import type { Tensor, Value } from '../tensor/index.ts';
import {
  add,
  concat,
  div,
  elementCount,
  input,
  maximum,
  mul,
  reshape,
  sqrt,
  square,
  sub,
  sum,
} from '../tensor/index.ts';

/** What is fixed over a run. */
export type AdamWOptions = {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay: number;
  /** Gradients are scaled down to this global norm. */
  readonly clipNorm: number;
};

/** The inputs of the update that change with the step. */
export type AdamWStep = {
  readonly learningRate: number;
  /** Counted from 1. */
  readonly step: number;
  /** Share of the old average that stays. */
  readonly emaDecay: number;
};

/** The state of a run by parameter: `NAME` weights, `first.NAME` and `second.NAME` moments, `ema.NAME`. */
export type OptimiserState = Record<string, Tensor>;

/** What of the state is a vector of its own: each times each group is one tensor, e.g. `first.matrices`. */
const KINDS = ['weights', 'first', 'second', 'ema'] as const;
/** `vectors` (biases, norms) do not decay. */
const GROUPS = ['matrices', 'vectors'] as const;
type Group = (typeof GROUPS)[number];

const BETA1 = 0.9;
const BETA2 = 0.999;

/**
 * The next state. Moments and averages enter as the vectors of `packState`, weights and gradients by
 * parameter, the scalars as the inputs that `adamWFeeds` gives.
 * @returns the next vectors by the names of `packState`, and the norm of all gradients before clipping
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
  const groups = groupsOf(weights);
  const flat = (group: Group, values: ReadonlyMap<string, Value>): Value =>
    concat(
      groups[group].names.map((name) => reshape(values.get(name)!, [-1])),
      0,
    );
  const present = GROUPS.filter((group) => groups[group].length > 0);
  const flatGradients = new Map(present.map((group) => [group, flat(group, gradients)]));
  const squares = [...flatGradients.values()].map((g) => sum(square(g), { axes: [0] }));
  const gradientNorm = sqrt(squares.reduce((total, value) => add(total, value)));
  const clipScale = div(clipNorm, maximum(gradientNorm, clipNorm));
  const state: Record<string, Value> = {};
  for (const group of present) {
    const weight = flat(group, weights);
    const gradient = mul(flatGradients.get(group)!, clipScale);
    const moment = (kind: 'first' | 'second', beta: number, term: Value): Value =>
      add(mul(input(`${kind}.${group}`, weight.shape), beta), mul(term, 1 - beta));
    const first = moment('first', beta1, gradient);
    const second = moment('second', beta2, square(gradient));
    const denominator = add(sqrt(mul(second, secondCorrection)), epsilon);
    const change = div(mul(first, mul(learningRate, firstCorrection)), denominator);
    const decay = sub(1, mul(learningRate, weightDecay));
    const next = sub(group === 'matrices' ? mul(weight, decay) : weight, change);
    const average = input(`ema.${group}`, weight.shape);
    state[`weights.${group}`] = next;
    state[`first.${group}`] = first;
    state[`second.${group}`] = second;
    state[`ema.${group}`] = add(average, mul(sub(next, average), emaRate));
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

/** A state in the vectors that the graph takes, and the same memory by parameter. */
export type PackedState = {
  /** `weights`, `first`, `second` and `ema`, each `.matrices` and `.vectors`. */
  readonly vectors: Readonly<Record<string, Tensor>>;
  /** Views of the vectors. */
  readonly byName: Readonly<OptimiserState>;
};

/** Copies a state into vectors. */
export function packState(parameters: ReadonlyMap<string, Value>, state: OptimiserState): PackedState {
  const vectors: Record<string, Tensor> = {};
  const byName: OptimiserState = {};
  const groups = groupsOf(parameters);
  for (const group of GROUPS) {
    const { names, length } = groups[group];
    if (length === 0) continue;
    for (const kind of KINDS) {
      const data = new Float32Array(length);
      let offset = 0;
      for (const name of names) {
        const key = kind === 'weights' ? name : `${kind}.${name}`;
        const { shape, data: values } = state[key]!;
        data.set(values, offset);
        byName[key] = { dtype: 'float32', shape, data: data.subarray(offset, offset + values.length) };
        offset += values.length;
      }
      vectors[`${kind}.${group}`] = { dtype: 'float32', shape: [length], data };
    }
  }
  return { vectors, byName };
}

function groupsOf(
  parameters: ReadonlyMap<string, Value>,
): Record<Group, { readonly names: readonly string[]; readonly length: number }> {
  const isMatrix = ({ shape }: Value): boolean => shape.length > 1;
  const groupOf = (isWanted: (value: Value) => boolean) => {
    const members = [...parameters].filter(([, value]) => isWanted(value));
    return {
      names: members.map(([name]) => name),
      length: members.reduce((total, [, { shape }]) => total + elementCount(shape), 0),
    };
  };
  return { matrices: groupOf(isMatrix), vectors: groupOf((value) => !isMatrix(value)) };
}
