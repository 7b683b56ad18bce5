// Normalisation over groups of channels and over features. ONNX Runtime's LayerNormalization also returns the
// statistics that the gradient needs, so both forms go through it.

import { withGradient } from '../graph/custom-gradient.ts';
import { nothingOf, recomputedFrom } from '../graph/recomputation.ts';
import { apply, constant, graphError, type Operator, type Value } from '../graph/value.ts';
import { elementCount } from '../host-tensor.ts';
import { add, mul, sub } from './elementwise.ts';
import { mean, sum } from './reductions.ts';
import { reshape } from './shape.ts';

/** Learnt scale and bias `[C]`, and what keeps the variance from zero. */
export type NormalisationOptions = { readonly scale: Value; readonly bias: Value; readonly epsilon?: number };

/** Group norm's: how many groups the channels form. */
export type GroupNormalisation = NormalisationOptions & { readonly groups: number };

const LAYER_NORMALISATION: Operator = {
  type: 'LayerNormalization',
  // With x̂ = (x - mean) / deviation: dx = (dx̂ - mean(dx̂) - x̂ · mean(dx̂ · x̂)) / deviation.
  gradient: ({ inputs: [x, scale], outputs: [, average, inverseDeviation] }, [g]) => {
    const leading = x!.shape.slice(0, -1).map((_, axis) => axis);
    const normal = mul(sub(x!, average!), inverseDeviation!);
    const toNormal = mul(g!, scale!);
    const options = { axes: [-1], keepDims: true };
    const spread = mul(normal, mean(mul(toNormal, normal), options));
    const toX = mul(sub(sub(toNormal, mean(toNormal, options)), spread), inverseDeviation!);
    return [toX, sum(mul(g!, normal), { axes: leading }), sum(g!, { axes: leading })];
  },
};

/** Normalises over the last axis, then scales and shifts by feature. */
export function layerNorm(x: Value, { scale, bias, epsilon = 1e-5 }: NormalisationOptions): Value {
  const features = x.shape.at(-1);
  if (scale.shape.length !== 1 || scale.shape[0] !== features || bias.shape[0] !== features) {
    throw graphError(
      `layerNorm expected scale and bias [${features}], got [${scale.shape}] and [${bias.shape}]`,
    );
  }
  return normalise(x, scale, bias, epsilon)[0]!;
}

/** Normalises `B C H W` (or `B C S`) over groups of channels and all pixels, then scales and shifts by channel. */
export function groupNorm(x: Value, options: GroupNormalisation): Value {
  return groupNormParts(x, options).y;
}

/**
 * A part of a network on the group norm of x. Only the normalised values are kept for the gradient, which computes what follows
 * from them once more.
 */
export function groupNormThen(x: Value, options: GroupNormalisation, part: (normed: Value) => Value): Value {
  const { y, scaled } = groupNormParts(x, options);
  return recomputedFrom(
    [y],
    (normed) => part(normed!),
    (g) => [scaled(add(options.scale, nothingOf(g)))],
  );
}

function groupNormParts(
  x: Value,
  { groups, scale, bias, epsilon = 1e-5 }: GroupNormalisation,
): { readonly y: Value; readonly scaled: (scale: Value) => Value } {
  const [batch, channels] = x.shape as [number, number];
  if (
    x.shape.length < 3 ||
    channels % groups !== 0 ||
    scale.shape[0] !== channels ||
    bias.shape[0] !== channels
  ) {
    throw graphError(
      `groupNorm expected x [B, C, ...] with C divisible by ${groups} and scale and bias [C], got [${x.shape}], [${scale.shape}], [${bias.shape}]`,
    );
  }
  const pixels = elementCount(x.shape) / (batch * channels);
  const perGroup = (channels / groups) * pixels;
  const rows = reshape(x, [batch, groups, perGroup]);
  const [normal, , inverseDeviation] = normalise(rows, filled(perGroup, 1), filled(perGroup, 0), epsilon);
  const perChannel = [channels, ...x.shape.slice(2).map(() => 1)];
  const scaled = (by: Value): Value =>
    add(mul(reshape(normal!, x.shape), reshape(by, perChannel)), reshape(bias, perChannel));
  const y = withGradient(scaled(scale), [x, scale, bias], (g) => {
    const split = [batch, groups, channels / groups, pixels];
    const [gSplit, normalSplit, scaleSplit] = [
      reshape(g, split),
      reshape(normal!, split),
      reshape(scale, [groups, channels / groups, 1]),
    ];
    // All sums are taken per picture and channel first; what is left of them is small.
    const gSums = sum(gSplit, { axes: [3], keepDims: true });
    const spreadSums = sum(mul(gSplit, normalSplit), { axes: [3], keepDims: true });
    const inverse = reshape(inverseDeviation!, [batch, groups, 1, 1]);
    const share = mul(inverse, 1 / perGroup);
    const shift = mul(sum(mul(gSums, scaleSplit), { axes: [2], keepDims: true }), share);
    const spread = mul(sum(mul(spreadSums, scaleSplit), { axes: [2], keepDims: true }), share);
    const toX = sub(mul(gSplit, mul(inverse, scaleSplit)), add(mul(normalSplit, spread), shift));
    const toChannels = (sums: Value): Value => reshape(sum(sums, { axes: [0] }), [channels]);
    return [reshape(toX, x.shape), toChannels(spreadSums), toChannels(gSums)];
  });
  return { y, scaled };
}

function normalise(x: Value, scale: Value, bias: Value, epsilon: number): Value[] {
  const whole = { dtype: x.dtype, shape: x.shape };
  const statistics = { dtype: x.dtype, shape: x.shape.with(-1, 1) };
  return apply(LAYER_NORMALISATION, [x, scale, bias], [whole, statistics, statistics], {
    axis: -1,
    epsilon: { float: epsilon },
  });
}

/** One constant for each length: a model writes equal ones once where they are the same. */
const FILLED = new Map<string, Value>();

function filled(length: number, value: number): Value {
  const key = `${length} ${value}`;
  const known = FILLED.get(key);
  if (known !== undefined) return known;
  const made = constant({ dtype: 'float32', shape: [length], data: new Float32Array(length).fill(value) });
  FILLED.set(key, made);
  return made;
}
