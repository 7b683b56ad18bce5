// Scaled dot-product attention with several heads.

import { withFusedForm, withGradient } from '../graph/custom-gradient.ts';
import { graphError, type Value } from '../graph/value.ts';
import { softmax } from './activations.ts';
import { mul, sub } from './elementwise.ts';
import { matmul, swapLastAxes } from './matrix-products.ts';
import { sum } from './reductions.ts';
import { reshape, transpose } from './shape.ts';

/** Queries `B S D`, keys and values `B S' D`, the features divided among the heads. */
export type AttentionInputs = {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly heads: number;
};

/** softmax(Q Kᵀ / √d) V for each head, joined again: `B S D`. */
export function attention({ query, key, value, heads }: AttentionInputs): Value {
  const [batch, , features] = query.shape as [number, number, number];
  const fits = [query, key, value].every(
    ({ shape }) => shape.length === 3 && shape[0] === batch && shape[2] === features,
  );
  if (!fits || key.shape[1] !== value.shape[1] || features % heads !== 0) {
    throw graphError(
      `attention expected [B, S, D] with D divisible by ${heads}, got query [${query.shape}], key [${key.shape}], value [${value.shape}]`,
    );
  }
  const byHead = (x: Value, order: readonly number[]): Value =>
    transpose(reshape(x, [batch, x.shape[1]!, heads, features / heads]), order);
  const scaled = mul(query, 1 / Math.sqrt(features / heads));
  const [queries, keys, values] = [scaled, key, value].map((x) => byHead(x, [0, 2, 1, 3])) as [
    Value,
    Value,
    Value,
  ];
  const joined = reshape(
    transpose(mixed({ queries, keys, values, turnedKeys: byHead(key, [0, 2, 3, 1]) }), [0, 2, 1, 3]),
    query.shape,
  );
  return withFusedForm(joined, {
    type: 'MultiHeadAttention',
    domain: 'com.microsoft',
    inputs: [query, key, value],
    attributes: { num_heads: heads },
  });
}

/** softmax(Q Kᵀ) V: all `B h S d`, and the keys once more as `B h d S`, which one transposition made. */
function mixed({
  queries,
  keys,
  values,
  turnedKeys,
}: Record<'queries' | 'keys' | 'values' | 'turnedKeys', Value>): Value {
  const weights = softmax(matmul(queries, turnedKeys), 3);
  const result = matmul(weights, values);
  // The softmax needs Σ g·w over the keys, which equals Σ g·result over the features: a shorter sum.
  // Source: Dao et al., "FlashAttention", 2022, section B.2.
  return withGradient(result, [queries, keys, values], (g) => {
    const total = sum(mul(g, result), { axes: [3], keepDims: true });
    const toScores = mul(weights, sub(matmul(g, swapLastAxes(values)), total));
    return [
      matmul(toScores, keys),
      matmul(swapLastAxes(toScores), queries),
      matmul(swapLastAxes(weights), g),
    ];
  });
}
