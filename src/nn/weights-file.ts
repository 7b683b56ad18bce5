// Weights and files: parameters by name as safetensors, in half or full precision.

import { BadInputError } from '../errors/index.ts';
import type { AnyTensor, Tensor, Value } from '../tensor/index.ts';
import { decodeSafetensors, encodeSafetensors, fromHalf, toHalf } from '../tensor/index.ts';

/** Weights by parameter name. */
export type Weights = Readonly<Record<string, Tensor>>;

/** Serialises weights; fp16 halves the file and costs about three decimal digits. */
export function encodeWeights(
  weights: Weights,
  { dtype, metadata }: { dtype: 'float16' | 'float32'; metadata: Readonly<Record<string, string>> },
): Uint8Array<ArrayBuffer> {
  const tensors: Record<string, AnyTensor> = {};
  for (const [name, weight] of Object.entries(weights)) {
    tensors[name] = dtype === 'float32' ? weight : { dtype, shape: weight.shape, data: toHalf(weight.data) };
  }
  return encodeSafetensors({ metadata, tensors });
}

/**
 * Reads weights back as float32.
 * @param name what the file is called in error messages
 * @throws BadInputError if the file is no safetensors file or holds tensors other than floats.
 */
export function decodeWeights(
  bytes: Uint8Array,
  name = 'weights file',
): { weights: Record<string, Tensor>; metadata: Readonly<Record<string, string>> } {
  const { tensors, metadata } = decodeSafetensors(bytes, name);
  const weights: Record<string, Tensor> = {};
  for (const [key, value] of Object.entries(tensors)) {
    if (value.dtype === 'float32') weights[key] = value;
    else if (value.dtype === 'float16') {
      weights[key] = { dtype: 'float32', shape: value.shape, data: fromHalf(value.data) };
    } else {
      throw new BadInputError({
        code: 'weights-dtype',
        message: `expected ${name} to hold float16 or float32, but "${key}" is ${value.dtype}`,
        hint: 'name a file of weights',
      });
    }
  }
  return { weights, metadata };
}

/**
 * Picks the weights of a network's parameters.
 * @throws BadInputError naming the first parameter that is missing or of another shape.
 */
export function weightsFor(
  parameters: ReadonlyMap<string, Value>,
  weights: Weights,
  name = 'the weights',
): Record<string, Tensor> {
  const picked: Record<string, Tensor> = {};
  for (const [key, { shape }] of parameters) {
    const weight = weights[key];
    if (weight === undefined || weight.shape.join() !== shape.join()) {
      throw new BadInputError({
        code: 'weights-mismatch',
        message: `expected ${name} to hold ${key} of shape [${shape}], got ${weight ? `[${weight.shape}]` : 'none'}`,
        hint: 'use weights that were trained with this configuration',
      });
    }
    picked[key] = weight;
  }
  return picked;
}
