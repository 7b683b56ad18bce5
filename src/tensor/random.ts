// Seeded random numbers: every random choice of the project comes from one of these generators, so
// that a seed repeats a run on any host. The state is one integer, which checkpoints can hold.
// Source: Tommy Ettinger's mulberry32 (public domain); normals by Box and Muller, 1958.

/** A seeded generator of random numbers. */
export type Random = {
  /** Uniform in [0, 1), or in [low, high). */
  uniform(low?: number, high?: number): number;
  /** Standard normal. */
  normal(): number;
  /** A whole number in [0, count). */
  integer(count: number): number;
  /** One of the items. */
  choose<T>(items: readonly T[]): T;
  /** Fills an array with standard normals. */
  fillNormal(out: Float32Array): Float32Array;
  /** The state to continue from: `createRandom(state)` goes on where this one stands. */
  readonly state: number;
};

/** A generator for a seed (any integer). */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const integer = (count: number): number => Math.floor(next() * count);
  return {
    uniform: (low = 0, high = 1) => low + (high - low) * next(),
    normal,
    integer,
    choose: (items) => items[integer(items.length)]!,
    fillNormal(out) {
      for (let i = 0; i < out.length; i++) out[i] = normal();
      return out;
    },
    get state() {
      return state;
    },
  };
}

/** A seed for one part of a job, so that parts stay independent of each other's use of numbers. */
export function deriveSeed(seed: number, ...parts: readonly number[]): number {
  let hash = seed | 0;
  for (const part of parts) {
    hash = Math.imul(hash ^ (part + 0x9e3779b9), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash | 0;
}
