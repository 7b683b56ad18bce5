// The kernel of the optimiser: state, gradients and update in one memory, so that a session reads the weights
// and writes the gradients there, and the update takes a single pass in place. WebAssembly's memory ends at 4 GB: beyond
// a bank's size further weights go to further instances, which have nothing in common but the gradients' norm.

import { instantiateKernel, type KernelHeap } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/adamw.wasm.ts';

type AdamWKernel = {
  sumOfSquares(x: number, count: number): number;
  /** Pointers in the order of `FLOATS`. */
  update(
    weight: number,
    gradient: number,
    average: number,
    first: number,
    second: number,
    ...rest: Rest
  ): void;
  /** Pointers in the order of `QUANTISED`. */
  updateQuantised(
    weight: number,
    gradient: number,
    average: number,
    first: number,
    second: number,
    firstUnits: number,
    secondUnits: number,
    ...rest: [...Rest, seed: number]
  ): void;
};
type Rest = [
  count: number,
  clip: number,
  beta1: number,
  beta2: number,
  epsilon: number,
  decay: number,
  rate: number,
  secondCorrection: number,
  emaRate: number,
];

type CommonArrays = {
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
  readonly average: Float32Array;
};

/** The arrays of one weight; all are views of the kernel's memory, valid as long as it lives. */
export type AdamWArrays = CommonArrays & { readonly first: Float32Array; readonly second: Float32Array };

/**
 * As `AdamWArrays`, with moments in 8 bits: codes, and a unit for each 256 of them. `second` holds roots of the
 * second moment.
 */
export type QuantisedAdamWArrays = CommonArrays & {
  readonly first: Uint8Array;
  readonly second: Uint8Array;
  readonly firstUnits: Float32Array;
  readonly secondUnits: Float32Array;
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

/** Zeroed state of weights, and its update. */
export type AdamW<Arrays> = {
  /** By weight; to be filled before the first update. */
  readonly arrays: Readonly<Record<string, Arrays>>;
  /**
   * Updates all weights from their gradients, in place. Returns the norm of all gradients before clipping; where
   * that is not finite nothing changes.
   */
  update(numbers: AdamWUpdate): number;
};

/** How much of the state one memory takes; the default is 2 GiB, or what a single weight needs. */
export type AdamWMemory = { readonly bankBytes?: number };

type Field = {
  readonly name: string;
  bytes(length: number): number;
  view(heap: KernelHeap, pointer: number, length: number): Float32Array | Uint8Array;
};

/** Codes that share a unit. */
const BLOCK = 256;
const COMMON = ['weight', 'gradient', 'average'].map(floats);
const FLOATS: readonly Field[] = [...COMMON, floats('first'), floats('second')];
const QUANTISED: readonly Field[] = [
  ...COMMON,
  codes('first'),
  codes('second'),
  units('firstUnits'),
  units('secondUnits'),
];

/** The most that one instance's memory takes, if no single weight needs more. */
const BANK_BYTES = 2 ** 31;

/** Lays out zeroed state for the weights, moments in fp32. */
export function createAdamWKernel(layout: AdamWLayout, memory: AdamWMemory = {}): AdamW<AdamWArrays> {
  return createKernel<AdamWArrays>(layout, FLOATS, memory, ({ update }, pointers, rest) => {
    update(...(pointers as [number, number, number, number, number]), ...rest);
  });
}

/** Lays out zeroed state for the weights, moments in 8 bits. A step's rounding depends on nothing but its number. */
export function createQuantisedAdamWKernel(
  layout: AdamWLayout,
  memory: AdamWMemory = {},
): AdamW<QuantisedAdamWArrays> {
  const ordinals = new Map(Object.keys(layout).map((name, i) => [name, i]));
  return createKernel<QuantisedAdamWArrays>(
    layout,
    QUANTISED,
    memory,
    ({ updateQuantised }, pointers, rest, { step, name }) => {
      const seed = Math.imul(step, 0x9e3779b1) + Math.imul(ordinals.get(name)!, 0x85ebca77);
      updateQuantised(
        ...(pointers as [number, number, number, number, number, number, number]),
        ...rest,
        seed,
      );
    },
  );
}

/** How many units a weight of so many numbers has for each of its moments in 8 bits. */
export function unitCount(length: number): number {
  return Math.ceil(length / BLOCK);
}

/** Bytes of both moments of a weight of so many numbers. */
export function momentBytes(length: number, isQuantised: boolean): number {
  return bytesOf(isQuantised ? QUANTISED : FLOATS, length) - bytesOf(COMMON, length);
}

type Bank = {
  readonly exports: AdamWKernel;
  /** Where each weight's arrays lie, in the order of the fields. */
  readonly pointers: ReadonlyMap<string, readonly number[]>;
  readonly arrays: Readonly<Record<string, unknown>>;
};

function createKernel<Arrays>(
  layout: AdamWLayout,
  fields: readonly Field[],
  { bankBytes = BANK_BYTES }: AdamWMemory,
  apply: (
    kernel: AdamWKernel,
    pointers: readonly number[],
    rest: Rest,
    at: { readonly step: number; readonly name: string },
  ) => void,
): AdamW<Arrays> {
  const banks = namesByBank(layout, fields, bankBytes).map((names) => layOut(names, layout, fields));
  return {
    arrays: Object.assign({}, ...banks.map(({ arrays }) => arrays)),
    update: ({ learningRate, step, emaDecay, weightDecay, clipNorm, ...numbers }) => {
      const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = numbers;
      let squares = 0;
      for (const { exports, pointers } of banks) {
        for (const [name, [, gradient]] of pointers) {
          squares += exports.sumOfSquares(gradient!, padded(layout[name]!.length));
        }
      }
      const norm = Math.sqrt(squares);
      if (!Number.isFinite(norm)) return norm;
      for (const { exports, pointers } of banks) {
        for (const [name, own] of pointers) {
          const { length, decays } = layout[name]!;
          const rest: Rest = [
            ...([padded(length), clipNorm / Math.max(norm, clipNorm)] as const),
            ...([beta1, beta2, epsilon, decays ? 1 - learningRate * weightDecay : 1] as const),
            ...([learningRate / (1 - beta1 ** step), 1 / (1 - beta2 ** step), 1 - emaDecay] as const),
          ];
          apply(exports, own, rest, { step, name });
        }
      }
      return norm;
    },
  };
}

function floats(name: string): Field {
  return {
    name,
    bytes: (length) => padded(length) * 4,
    view: (heap, pointer, length) => heap.floats(pointer, length),
  };
}

function codes(name: string): Field {
  return {
    name,
    // All arrays begin where four floats may.
    bytes: (length) => Math.ceil(length / 16) * 16,
    view: (heap, pointer, length) => heap.bytes(pointer, length),
  };
}

function units(name: string): Field {
  const { bytes, view } = floats(name);
  return {
    name,
    bytes: (length) => bytes(unitCount(length)),
    view: (heap, pointer, length) => view(heap, pointer, unitCount(length)),
  };
}

/** The kernel takes four numbers at a time. */
function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function bytesOf(fields: readonly Field[], length: number): number {
  return fields.reduce((sum, { bytes }) => sum + bytes(length), 0);
}

function namesByBank(
  layout: AdamWLayout,
  fields: readonly Field[],
  bankBytes: number,
): readonly (readonly string[])[] {
  const banks: string[][] = [];
  let room = 0;
  for (const [name, { length }] of Object.entries(layout)) {
    const bytes = bytesOf(fields, length);
    if (banks.length === 0 || bytes > room) {
      banks.push([]);
      room = bankBytes;
    }
    banks.at(-1)!.push(name);
    room -= bytes;
  }
  return banks;
}

function layOut(names: readonly string[], layout: AdamWLayout, fields: readonly Field[]): Bank {
  const { exports, heap } = instantiateKernel<AdamWKernel>(wasmBase64);
  // All memory is reserved before the first view is taken: growing it would detach them.
  let next = heap.reserve(names.reduce((sum, name) => sum + bytesOf(fields, layout[name]!.length), 0));
  const pointers: Map<string, readonly number[]> = new Map();
  const arrays: Record<string, unknown> = {};
  for (const name of names) {
    const { length } = layout[name]!;
    const own: number[] = [];
    const views: [string, unknown][] = [];
    for (const field of fields) {
      own.push(next);
      views.push([field.name, field.view(heap, next, length)]);
      next += field.bytes(length);
    }
    arrays[name] = Object.fromEntries(views);
    pointers.set(name, own);
  }
  return { exports, pointers, arrays };
}
