// The kernel of the optimiser: state, gradients and update in one memory, so that a session reads the weights
// and writes the gradients there, and the update takes a single pass in place.

import { instantiateKernel } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/adamw.wasm.ts';

type AdamWKernel = {
  sumOfSquares(x: number, count: number): number;
  update(
    weight: number,
    gradient: number,
    first: number,
    second: number,
    average: number,
    count: number,
    clip: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    decay: number,
    rate: number,
    secondCorrection: number,
    emaRate: number,
  ): void;
};

/** The arrays of one weight; all are views of the kernel's memory, valid as long as it lives. */
export type AdamWArrays = {
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly average: Float32Array;
};

/** The numbers of one step; `step` counts from 1. */
export type AdamWUpdate = {
  readonly learningRate: number;
  readonly step: number;
  /** Share of the old average that stays. */
  readonly emaDecay: number;
  readonly weightDecay: number;
  /** Gradients are scaled down to this global norm. */
  readonly clipNorm: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
};

/** Weights to optimise, by name: how many numbers each has, and whether it decays. */
export type AdamWLayout = Readonly<Record<string, { readonly length: number; readonly decays: boolean }>>;

const FIELDS = ['weight', 'gradient', 'first', 'second', 'average'] as const;

/** Lays out zeroed state for the weights; fill `arrays`, then call `update` after each gradient. */
export function createAdamWKernel(layout: AdamWLayout): {
  readonly arrays: Readonly<Record<string, AdamWArrays>>;
  /**
   * Updates all weights from their gradients, in place. Returns the norm of all gradients before clipping; where
   * that is not finite nothing changes.
   */
  update(numbers: AdamWUpdate): number;
} {
  const { exports, heap } = instantiateKernel<AdamWKernel>(wasmBase64);
  const names = Object.keys(layout);
  const padded = (length: number): number => Math.ceil(length / 4) * 4;
  const start = heap.reserve(
    names.reduce((sum, name) => sum + padded(layout[name]!.length) * 4 * FIELDS.length, 0),
  );
  const pointers = new Map<string, readonly number[]>();
  const arrays: Record<string, AdamWArrays> = {};
  // All memory is reserved before the first view is taken: growing it would detach them.
  let next = start;
  for (const name of names) {
    const { length } = layout[name]!;
    const own = FIELDS.map((_, i) => next + i * padded(length) * 4);
    next += padded(length) * 4 * FIELDS.length;
    pointers.set(name, own);
    const { buffer } = heap.bytes(start, 0);
    const views = FIELDS.map((field, i) => [field, new Float32Array(buffer, own[i]!, length)] as const);
    arrays[name] = Object.fromEntries(views) as unknown as AdamWArrays;
  }
  return {
    arrays,
    update: ({ learningRate, step, emaDecay, weightDecay, clipNorm, ...numbers }) => {
      const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = numbers;
      let squares = 0;
      for (const name of names) {
        squares += exports.sumOfSquares(pointers.get(name)![1]!, padded(layout[name]!.length));
      }
      const norm = Math.sqrt(squares);
      if (!Number.isFinite(norm)) return norm;
      for (const name of names) {
        const { length, decays } = layout[name]!;
        const [weight, gradient, first, second, average] = pointers.get(name) as [
          number,
          number,
          number,
          number,
          number,
        ];
        exports.update(
          ...([
            weight,
            gradient,
            first,
            second,
            average,
            padded(length),
            clipNorm / Math.max(norm, clipNorm),
          ] as const),
          ...([beta1, beta2, epsilon, decays ? 1 - learningRate * weightDecay : 1] as const),
          ...([learningRate / (1 - beta1 ** step), 1 / (1 - beta2 ** step), 1 - emaDecay] as const),
        );
      }
      return norm;
    },
  };
}
