// The spatial transformer of the U-Net: self-attention (to its own tokens and the reference's),
// cross-attention to the label vector, feed-forward; with residuals, around one projection in and out.
// Names as in diffusers (`Transformer2DModel` with linear projections, `BasicTransformerBlock`).

import type { KeyValue, Scope } from '../nn/index.ts';
import {
  attentionLayer,
  feedForward,
  groupNormLayer,
  keyValueOf,
  layerNormLayer,
  linearLayer,
  pictureOf,
  tokensOf,
} from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import { add, recomputedIf } from '../tensor/index.ts';

/** A place where self-attention happens. */
export type AttentionSite = {
  /** Name of the block below the network's root: what pairs a reference network's blocks with ours. */
  readonly path: string;
  /** `B S D`: the hidden states after norm1. */
  readonly hidden: Value;
  /** Keys and values of `hidden` itself. */
  readonly own: KeyValue;
};

/** Decides what a self-attention attends to. */
export type SelfAttention = (site: AttentionSite) => KeyValue;

/** Each token attends to the tokens of its own picture. */
export const attendToSelf: SelfAttention = ({ own }) => own;

/** Options of `spatialTransformer`. */
export type TransformerOptions = {
  readonly heads: number;
  readonly groups: number;
  readonly feedForwardMultiplier: number;
  /** `B 1 L`: the label's token. */
  readonly label: Value;
  /** Name of this transformer below the network's root. */
  readonly path: string;
  readonly attend: SelfAttention;
  /** Whether scores and feed-forwards are computed again for their gradient. Default false. */
  readonly isRecomputed?: boolean | undefined;
};

/** `B C H W` to the same. */
export function spatialTransformer(scope: Scope, x: Value, options: TransformerOptions): Value {
  const { heads, groups, feedForwardMultiplier, label, path, attend, isRecomputed = false } = options;
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const normed = groupNormLayer(scope.at('norm'), x, { groups, epsilon: 1e-6 });
  let h = linearLayer(scope.at('proj_in'), tokensOf(normed), { features: channels });

  const block = scope.at('transformer_blocks').at(0);
  const hidden = layerNormLayer(block.at('norm1'), h);
  const own = keyValueOf(block.at('attn1'), hidden);
  const attended = attend({ path: `${path}.transformer_blocks.0`, hidden, own });
  h = add(h, attentionLayer(block.at('attn1'), hidden, { ...attended, heads, isRecomputed }));
  h = add(h, attentionToOne(block.at('attn2'), label, channels));
  const forward = (value: Value): Value =>
    feedForward(block.at('ff'), layerNormLayer(block.at('norm3'), value), feedForwardMultiplier);
  h = add(
    h,
    recomputedIf(isRecomputed, (value) => forward(value!), [h]),
  );

  const out = linearLayer(scope.at('proj_out'), h, { features: channels, isZero: true });
  return add(x, pictureOf(out, height, width));
}

/**
 * Cross-attention to a single token: the softmax over one key is 1, so queries and keys drop out and
 * every token receives the projected value. Departs: `norm2`, `to_q` and `to_k` would never learn and
 * are left out.
 */
function attentionToOne(scope: Scope, token: Value, features: number): Value {
  const value = linearLayer(scope.at('to_v'), token, { features, hasBias: false });
  return linearLayer(scope.at('to_out').at(0), value, { features });
}
