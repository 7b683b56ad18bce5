// Blocks that diffusion networks are built from; names as in diffusers.

import type { Value } from '../tensor/index.ts';
import {
  add,
  attention,
  constant,
  gatherRows,
  gelu,
  leakyRelu,
  mul,
  nothingOf,
  recomputedFrom,
  recomputedIf,
  reshape,
  silu,
  split,
} from '../tensor/index.ts';
import { convLayer, groupNormLayerThen, linearLayer } from './layers.ts';
import type { Scope } from './scope.ts';

/** Options of `resnetBlock`. */
export type ResnetOptions = {
  readonly channels: number;
  /** Groups of the two norms; null leaves the norms out (and takes leaky ReLU for SiLU). */
  readonly groups: number | null;
  /** `B D`: the embedded time step, added between the convolutions. */
  readonly time?: Value;
  readonly epsilon?: number;
  /** Whether the gradient computes the block again instead of keeping its values: less memory, more time. */
  readonly isRecomputed?: boolean;
};

/**
 * norm, activation, conv, (+ time), norm, activation, conv, + x. The second conv starts at zero, so that
 * a fresh block is the identity (or its 1x1 shortcut).
 * Departs: diffusers starts the second conv at random; at zero, deep stacks train from the first step.
 */
export function resnetBlock(
  scope: Scope,
  x: Value,
  { isRecomputed = false, time, ...options }: ResnetOptions,
): Value {
  const body = (...[value, embedded]: readonly Value[]): Value =>
    resnetBody(scope, value!, embedded === undefined ? options : { ...options, time: embedded });
  return recomputedIf(isRecomputed, body, time === undefined ? [x] : [x, time]);
}

function resnetBody(
  scope: Scope,
  x: Value,
  { channels, groups, time, epsilon = 1e-5 }: Omit<ResnetOptions, 'isRecomputed'>,
): Value {
  const activatedConv = (i: 1 | 2, value: Value, isZero = false): Value => {
    const conv = (h: Value): Value => convLayer(scope.at(`conv${i}`), h, { channels, isZero });
    if (groups === null) return conv(leakyRelu(value, 0.1));
    const norm = { groups, epsilon };
    return groupNormLayerThen(scope.at(`norm${i}`), value, norm, (normed) => conv(silu(normed)));
  };
  let h = activatedConv(1, x);
  if (time !== undefined) {
    const shift = linearLayer(scope.at('time_emb_proj'), silu(time), { features: channels });
    h = add(h, reshape(shift, [-1, channels, 1, 1]));
  }
  h = activatedConv(2, h, true);
  const isSameWidth = x.shape[1] === channels;
  return add(h, isSameWidth ? x : convLayer(scope.at('conv_shortcut'), x, { channels, kernel: 1 }));
}

/** The gated feed-forward (GEGLU) of transformer blocks: `... D` to `... D`. */
export function feedForward(scope: Scope, x: Value, multiplier = 4): Value {
  const features = x.shape.at(-1)!;
  const inner = features * multiplier;
  const projected = linearLayer(scope.at('net').at(0).at('proj'), x, { features: 2 * inner });
  const halves = split(projected, { axis: x.shape.length - 1, sizes: [inner, inner] });
  // What the gate lets pass is as wide as both halves together: it is computed again for the gradient.
  return recomputedFrom(
    halves,
    (...[value, gate]) => linearLayer(scope.at('net').at(2), mul(value!, gelu(gate!)), { features }),
    (g) => [halves[0]!, add(halves[1]!, nothingOf(g))],
  );
}

/** Keys and values to attend to, `B S D` each. */
export type KeyValue = { readonly key: Value; readonly value: Value };

/** The keys and values of hidden states `B S D` under an attention layer's weights. */
export function keyValueOf(scope: Scope, hidden: Value): KeyValue {
  const features = hidden.shape.at(-1)!;
  return {
    key: linearLayer(scope.at('to_k'), hidden, { features, hasBias: false }),
    value: linearLayer(scope.at('to_v'), hidden, { features, hasBias: false }),
  };
}

/** Options of `attentionLayer`. */
export type AttentionOptions = KeyValue & {
  readonly heads: number;
  /** Whether the gradient computes the scores again, of each token with each, instead of keeping them. */
  readonly isRecomputed?: boolean;
};

/** Multi-head attention of hidden states `B S D` to given keys and values, with its output projection. */
export function attentionLayer(
  scope: Scope,
  hidden: Value,
  { key, value, heads, isRecomputed = false }: AttentionOptions,
): Value {
  const features = hidden.shape.at(-1)!;
  const query = linearLayer(scope.at('to_q'), hidden, { features, hasBias: false });
  const attended = recomputedIf(
    isRecomputed,
    (...[q, k, v]) => attention({ query: q!, key: k!, value: v!, heads }),
    [query, key, value],
  );
  return linearLayer(scope.at('to_out').at(0), attended, { features });
}

/**
 * The embedding of diffusion time steps: sinusoids, then two linear layers with SiLU.
 * @param timesteps int64 `B`, each below `count`
 * @returns `B features`
 */
export function timestepEmbedding(
  scope: Scope,
  timesteps: Value,
  { width, features, count = 1000 }: { width: number; features: number; count?: number },
): Value {
  const table = constant({ dtype: 'float32', shape: [count, width], data: sinusoids(count, width) });
  const hidden = linearLayer(scope.at('linear_1'), gatherRows(table, timesteps), { features });
  return linearLayer(scope.at('linear_2'), silu(hidden), { features });
}

/** Rows of cosines, then sines, of a position at geometrically falling frequencies: `count width`. */
export function sinusoids(count: number, width: number, longestPeriod = 10000): Float32Array {
  const half = width >> 1;
  const rows = new Float32Array(count * width);
  for (let position = 0; position < count; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * Math.exp((-Math.log(longestPeriod) * i) / half);
      rows[position * width + i] = Math.cos(angle);
      rows[position * width + half + i] = Math.sin(angle);
    }
  }
  return rows;
}
