// Weights and inputs that the goldens' script makes for itself too: each tensor depends on its name alone.
// The same in Python: bench/peers/seeded_weights.py.

import type { Tensor, Value } from '../../src/tensor/index.ts';
import { createRandom, elementCount } from '../../src/tensor/index.ts';

/** An input: uniform with unit variance. */
export function seededInput(name: string, shape: readonly number[]): Tensor {
  return { dtype: 'float32', shape, data: uniform(name, shape, (u) => u * Math.sqrt(3)) };
}

/** Parameters: norms near one, biases small, matrices that keep the variance; tables of positions by their formula. */
export function seededWeights(
  values: ReadonlyMap<string, Value>,
  initial: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const weights: Record<string, Tensor> = {};
  for (const [name, { shape }] of values) {
    weights[name] = name.endsWith('.pe') ? initial[name]! : seededWeight(name, shape);
  }
  return weights;
}

/** A parameter by its name. */
export function seededWeight(name: string, shape: readonly number[]): Tensor {
  const gain = Math.sqrt(3 / elementCount(shape.slice(1)));
  const scaled = (u: number): number => {
    if (shape.length > 1) return u * gain;
    return name.endsWith('weight') ? 1 + 0.25 * u : 0.25 * u;
  };
  return { dtype: 'float32', shape, data: uniform(name, shape, scaled) };
}

function uniform(name: string, shape: readonly number[], map: (u: number) => number): Float32Array {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  const random = createRandom(hash);
  return Float32Array.from({ length: elementCount(shape) }, () => map(random.uniform(-1, 1)));
}
