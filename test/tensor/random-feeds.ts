// Seeded data for the parameters of a graph.

import { createRandom, elementCount, nameOf, type Value } from '../../src/tensor/index.ts';

/** Numbers between -1 and 1, none of them close to 0 (kinks of relu and abs lie there). */
export function randomNumbers(count: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => {
    const number = random.uniform() * 2 - 1;
    return number + Math.sign(number) * 0.01;
  });
}

/** Data for each value by name; `isPositive` keeps it between 0.5 and 1.5. */
export function randomFeeds(
  values: readonly Value[],
  { isPositive = false, seed = 1 }: { isPositive?: boolean; seed?: number } = {},
): Record<string, Float64Array> {
  const entries = values.map((value, i) => {
    const numbers = randomNumbers(elementCount(value.shape), seed * 1000 + i);
    return [nameOf(value), isPositive ? numbers.map((x) => 1 + x / 2) : numbers] as const;
  });
  return Object.fromEntries(entries);
}
