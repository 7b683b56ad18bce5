// What a trainer carries from step to step, in the memory of the optimiser's kernel: weights, moments and averages by
// name, as checkpoints hold them.

import {
  type AdamWUpdate,
  createAdamWKernel,
  createQuantisedAdamWKernel,
  momentBytes,
  unitCount,
} from '../kernels/index.ts';
import type { Precision, Tensor, Value } from '../tensor/index.ts';
import { elementCount, tensor } from '../tensor/index.ts';
import { firstLossScale } from './loss-scale.ts';

/** A tensor of a run's state: fp32, or codes of 8 bits. */
export type StateTensor = Tensor | Tensor<string, 'uint8'>;

/**
 * The state of a run by parameter: `NAME` weights, `first.NAME` and `second.NAME` moments, `ema.NAME` averages; where
 * moments have 8 bits, `firstUnits.NAME` and `secondUnits.NAME`, too; in fp16 `LOSS_SCALE`.
 */
export type TrainerState = Readonly<Record<string, StateTensor>>;

/** What learns, and how its moments are held. */
export type Learners = {
  readonly trained: ReadonlyMap<string, Value>;
  readonly quantisesMoments?: boolean | undefined;
  readonly precision?: Precision | undefined;
};

/** In a state of fp16 the loss's scale, as `firstLossScale` gives it. */
export const LOSS_SCALE = 'lossScale';

/** A state with the gradients beside it and the update of both. */
export type TrainerMemory = {
  readonly state: TrainerState;
  /** Of the state, by parameter. */
  readonly weights: Readonly<Record<string, Tensor>>;
  /** `gradient.NAME`, to be written before an update. */
  readonly gradients: Readonly<Record<string, Tensor>>;
  /** As of the kernel. */
  update(numbers: AdamWUpdate): number;
};

/** What stands before a parameter's name in a state, by the kernel's array. */
const PREFIXES = {
  ...{ weight: '', first: 'first.', second: 'second.', average: 'ema.' },
  ...{ firstUnits: 'firstUnits.', secondUnits: 'secondUnits.' },
} as const;
type Part = keyof typeof PREFIXES;

/** Types and shapes of the tensors of a state, by name. */
export function stateLayout({
  trained,
  quantisesMoments = false,
  precision,
}: Learners): ReadonlyMap<string, Pick<StateTensor, 'dtype' | 'shape'>> {
  const layout = new Map<string, Pick<StateTensor, 'dtype' | 'shape'>>();
  if (precision === 'fp16') layout.set(LOSS_SCALE, { dtype: 'float32', shape: [2] });
  for (const [name, { shape }] of trained) {
    const add = (part: Part, dtype: StateTensor['dtype'], own = shape): void => {
      layout.set(PREFIXES[part] + name, { dtype, shape: own });
    };
    add('weight', 'float32');
    for (const moment of ['first', 'second'] as const) add(moment, quantisesMoments ? 'uint8' : 'float32');
    add('average', 'float32');
    if (!quantisesMoments) continue;
    for (const units of ['firstUnits', 'secondUnits'] as const)
      add(units, 'float32', [unitCount(elementCount(shape))]);
  }
  return layout;
}

/** A state of zeros, the loss's scale apart. */
export function createTrainerMemory(learners: Learners): TrainerMemory {
  const { trained, quantisesMoments = false } = learners;
  const sizes = [...trained].map(([name, { shape }]) => {
    return [name, { length: elementCount(shape), decays: shape.length > 1 }] as const;
  });
  const create = quantisesMoments ? createQuantisedAdamWKernel : createAdamWKernel;
  const { arrays, update } = create(Object.fromEntries(sizes));
  const layout = stateLayout(learners);
  const state: Record<string, StateTensor> = {};
  if (learners.precision === 'fp16') state[LOSS_SCALE] = tensor(firstLossScale(), [2]);
  const gradients: Record<string, Tensor> = {};
  for (const [name, { shape }] of trained) {
    const { gradient, ...parts } = arrays[name]!;
    for (const [part, data] of Object.entries(parts)) {
      const key = PREFIXES[part as Part] + name;
      state[key] = { ...layout.get(key)!, data } as StateTensor;
    }
    gradients[`gradient.${name}`] = { dtype: 'float32', shape, data: gradient };
  }
  const weights = Object.fromEntries([...trained.keys()].map((name) => [name, state[name] as Tensor]));
  return { state, weights, gradients, update };
}

/** Bytes of weights, gradients, averages and moments. */
export function trainerBytes({ trained, quantisesMoments = false }: Learners): number {
  return [...trained.values()].reduce((sum, { shape }) => {
    const count = elementCount(shape);
    return sum + 3 * Float32Array.BYTES_PER_ELEMENT * count + momentBytes(count, quantisesMoments);
  }, 0);
}

/** The averaged weights of a state. */
export function averagedWeights(state: TrainerState): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(state)
      .filter(([name]) => name.startsWith(PREFIXES.average))
      .map(([name, t]) => [name.slice(PREFIXES.average.length), t as Tensor]),
  );
}
