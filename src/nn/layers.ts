// The elementary layers: an operation and the parameters that it owns, with PyTorch's names and shapes.

import type { Value } from '../tensor/index.ts';
import { conv2d, groupNorm, groupNormThen, layerNorm, linear } from '../tensor/index.ts';
import { fanInUniform, filled, zeroed } from './initialisers.ts';
import type { Scope } from './scope.ts';

/** Options of `convLayer`. */
export type ConvOptions = {
  readonly channels: number;
  /** Side of the kernel; the default is 3. */
  readonly kernel?: number;
  readonly stride?: number;
  /** The default keeps the size at stride 1. */
  readonly padding?: number;
  /** Starts at zero, so that the layer is silent before it has learned. */
  readonly isZero?: boolean;
};

/** A 2D convolution with bias: `B C H W` to `B channels H' W'`. */
export function convLayer(
  scope: Scope,
  x: Value,
  { channels, kernel = 3, stride = 1, padding = kernel >> 1, isZero = false }: ConvOptions,
): Value {
  const inputs = x.shape[1]!;
  const weight = scope.parameter(
    'weight',
    [channels, inputs, kernel, kernel],
    isZero ? zeroed : fanInUniform(),
  );
  const bias = scope.parameter('bias', [channels], isZero ? zeroed : fanInUniform(inputs * kernel * kernel));
  return conv2d(x, weight, { bias, stride, padding });
}

/** Options of `linearLayer`. */
export type LinearOptions = {
  readonly features: number;
  /** The default is true. */
  readonly hasBias?: boolean;
  readonly isZero?: boolean;
};

/** An affine map of the last axis: `... i` to `... features`. */
export function linearLayer(
  scope: Scope,
  x: Value,
  { features, hasBias = true, isZero = false }: LinearOptions,
): Value {
  const inputs = x.shape.at(-1)!;
  const weight = scope.parameter('weight', [features, inputs], isZero ? zeroed : fanInUniform());
  if (!hasBias) return linear(x, weight);
  return linear(x, weight, scope.parameter('bias', [features], isZero ? zeroed : fanInUniform(inputs)));
}

/** Options of `groupNormLayer`. */
export type GroupNormOptions = { readonly groups: number; readonly epsilon?: number };

/** Group normalisation with scale and bias: `B C H W`. */
export function groupNormLayer(scope: Scope, x: Value, { groups, epsilon = 1e-5 }: GroupNormOptions): Value {
  const channels = x.shape[1]!;
  const scale = scope.parameter('weight', [channels], filled(1));
  const bias = scope.parameter('bias', [channels], zeroed);
  return groupNorm(x, { groups, scale, bias, epsilon });
}

/** A part of a network on the group norm of x: see `groupNormThen`. */
export function groupNormLayerThen(
  scope: Scope,
  x: Value,
  { groups, epsilon = 1e-5 }: GroupNormOptions,
  part: (normed: Value) => Value,
): Value {
  const channels = x.shape[1]!;
  const scale = scope.parameter('weight', [channels], filled(1));
  const bias = scope.parameter('bias', [channels], zeroed);
  return groupNormThen(x, { groups, scale, bias, epsilon }, part);
}

/** Layer normalisation over the last axis, with scale and bias. */
export function layerNormLayer(scope: Scope, x: Value, epsilon = 1e-5): Value {
  const features = x.shape.at(-1)!;
  const scale = scope.parameter('weight', [features], filled(1));
  const bias = scope.parameter('bias', [features], zeroed);
  return layerNorm(x, { scale, bias, epsilon });
}
