// The kernel of the optimiser: state, gradients and update in one memory, so that a session reads the weights
// and writes the gradients there, and the update takes a single pass in place. WebAssembly's memory ends at 4 GB: beyond
// a bank's size further weights go to further instances, which have nothing in common but the gradients' norm.

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

/** The most that one instance's memory takes, if no single weight needs more. */
const BANK_BYTES = 2 ** 31;

type Bank = {
  readonly exports: AdamWKernel;
  /** Where each weight's five arrays lie, in the order of `FIELDS`. */
  readonly pointers: ReadonlyMap<string, readonly [number, number, number, number, number]>;
  readonly arrays: Readonly<Record<string, AdamWArrays>>;
};

/**
 * Lays out zeroed state for the weights; fill `arrays`, then call `update` after each gradient.
 * @param options `bankBytes`: how much of the state one memory takes
 */
export function createAdamWKernel(
  layout: AdamWLayout,
  { bankBytes = BANK_BYTES }: { readonly bankBytes?: number } = {},
): {
  readonly arrays: Readonly<Record<string, AdamWArrays>>;
  /**
   * Updates all weights from their gradients, in place. Returns the norm of all gradients before clipping; where
   * that is not finite nothing changes.
   */
  update(numbers: AdamWUpdate): number;
} {
  const banks = namesByBank(layout, bankBytes).map((names) => layOut(names, layout));
  return {
    arrays: Object.assign({}, ...banks.map(({ arrays }) => arrays)),
    update: ({ learningRate, step, emaDecay, weightDecay, clipNorm, ...numbers }) => {
      const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = numbers;
      let squares = 0;
      for (const { exports, pointers } of banks) {
        for (const [name, [, gradient]] of pointers) {
          squares += exports.sumOfSquares(gradient, padded(layout[name]!.length));
        }
      }
      const norm = Math.sqrt(squares);
      if (!Number.isFinite(norm)) return norm;
      for (const { exports, pointers } of banks) {
        for (const [name, own] of pointers) {
          const { length, decays } = layout[name]!;
          exports.update(
            ...own,
            ...([padded(length), clipNorm / Math.max(norm, clipNorm)] as const),
            ...([beta1, beta2, epsilon, decays ? 1 - learningRate * weightDecay : 1] as const),
            ...([learningRate / (1 - beta1 ** step), 1 / (1 - beta2 ** step), 1 - emaDecay] as const),
          );
        }
      }
      return norm;
    },
  };
}

/** The kernel takes four numbers at a time. */
function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function stateBytes({ length }: AdamWLayout[string]): number {
  return padded(length) * 4 * FIELDS.length;
}

function namesByBank(layout: AdamWLayout, bankBytes: number): readonly (readonly string[])[] {
  const banks: string[][] = [];
  let room = 0;
  for (const [name, weight] of Object.entries(layout)) {
    if (banks.length === 0 || stateBytes(weight) > room) {
      banks.push([]);
      room = bankBytes;
    }
    banks.at(-1)!.push(name);
    room -= stateBytes(weight);
  }
  return banks;
}

function layOut(names: readonly string[], layout: AdamWLayout): Bank {
  const { exports, heap } = instantiateKernel<AdamWKernel>(wasmBase64);
  // All memory is reserved before the first view is taken: growing it would detach them.
  const start = heap.reserve(names.reduce((sum, name) => sum + stateBytes(layout[name]!), 0));
  const pointers: Map<string, readonly [number, number, number, number, number]> = new Map();
  const arrays: Record<string, AdamWArrays> = {};
  let next = start;
  for (const name of names) {
    const { length } = layout[name]!;
    const at = (field: number): number => next + field * padded(length) * 4;
    const own = [at(0), at(1), at(2), at(3), at(4)] as const;
    const views = FIELDS.map((field, i) => [field, heap.floats(own[i]!, length)] as const);
    arrays[name] = Object.fromEntries(views) as unknown as AdamWArrays;
    pointers.set(name, own);
    next += stateBytes(layout[name]!);
  }
  return { exports, pointers, arrays };
}
