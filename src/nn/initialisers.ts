// How weights begin.

import type { Random } from '../tensor/index.ts';
import { elementCount } from '../tensor/index.ts';

/** Makes the first values of a parameter of a shape. */
export type Initialiser = (shape: readonly number[], random: Random) => Float32Array;

/** All values equal. */
export function filled(value: number): Initialiser {
  return (shape) => new Float32Array(elementCount(shape)).fill(value);
}

/** All zero: layers that must not speak at first. */
export const zeroed: Initialiser = filled(0);

/** Given values, e.g. a solved linear map. */
export function given(values: ArrayLike<number>): Initialiser {
  return () => Float32Array.from(values);
}

/** Normal with a standard deviation. */
export function normal(deviation: number): Initialiser {
  return (shape, random) => {
    const data = random.fillNormal(new Float32Array(elementCount(shape)));
    for (let i = 0; i < data.length; i++) data[i]! *= deviation;
    return data;
  };
}

/**
 * Uniform in +-1/sqrt(fan in): PyTorch's default for the weights and biases of linear and convolutional
 * layers (Kaiming's with a = sqrt 5).
 * @param fanIn inputs of one output; the default is the product of all extents but the first
 */
export function fanInUniform(fanIn?: number): Initialiser {
  return (shape, random) => {
    const bound = 1 / Math.sqrt(fanIn ?? elementCount(shape.slice(1)));
    const data = new Float32Array(elementCount(shape));
    for (let i = 0; i < data.length; i++) data[i] = random.uniform(-bound, bound);
    return data;
  };
}
