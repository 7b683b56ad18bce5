// The spatial transformer: self-attention, cross-attention to the context's tokens where there are any, feed-forward.
// Names and arithmetic as in diffusers' `Transformer2DModel` with one `BasicTransformerBlock`.

import type { KeyValue, Scope } from '../nn/index.ts';
import {
  attentionLayer,
  convLayer,
  feedForward,
  groupNormLayer,
  keyValueOf,
  layerNormLayer,
  linearLayer,
  pictureOf,
  tokensOf,
} from '../nn/index.ts';
import { add, recomputedIf, type Value } from '../tensor/index.ts';

/** A place where self-attention happens. */
export type AttentionSite = {
  /** Name of the block below the network's root: what pairs a reference network's blocks with the denoiser's. */
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

/** A place where the context's tokens are attended to. */
export type CrossSite = {
  /** As of `AttentionSite`. */
  readonly path: string;
  /** Features of what is added. */
  readonly features: number;
};

/** Gives what cross-attention adds at a place, `B S D` or, of a single token, `B 1 D`; `compute` is the layer itself. */
export type CrossAttention = (site: CrossSite, compute: () => Value) => Value;

/** Options of `spatialTransformer`. */
export type TransformerOptions = {
  readonly heads: number;
  readonly groups: number;
  readonly hasLinearProjections: boolean;
  /** `B S L`; null: a transformer without cross-attention. */
  readonly context: Value | null;
  /** Name of this transformer below the network's root. */
  readonly path: string;
  readonly attend: SelfAttention;
  /** The default computes. */
  readonly cross?: CrossAttention;
  /** Whether gradients compute scores and feed-forward again instead of keeping their values. */
  readonly isRecomputed?: boolean;
};

/** `B C H W` to the same. */
export function spatialTransformer(scope: Scope, x: Value, options: TransformerOptions): Value {
  const { heads, groups, hasLinearProjections, context, attend } = options;
  const { cross = (_, compute) => compute(), isRecomputed = false } = options;
  const path = `${options.path}.transformer_blocks.0`;
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const normed = groupNormLayer(scope.at('norm'), x, { groups, epsilon: 1e-6 });
  let h = hasLinearProjections
    ? linearLayer(scope.at('proj_in'), tokensOf(normed), { features: channels })
    : tokensOf(convLayer(scope.at('proj_in'), normed, { channels, kernel: 1 }));

  const block = scope.at('transformer_blocks').at(0);
  const hidden = layerNormLayer(block.at('norm1'), h);
  const own = keyValueOf(block.at('attn1'), hidden);
  const attended = attend({ path, hidden, own });
  h = add(h, attentionLayer(block.at('attn1'), hidden, { ...attended, heads, isRecomputed }));
  if (context !== null) {
    const site = { path, features: channels };
    const before = h;
    h = add(
      h,
      cross(site, () => crossAttention(block, before, context, heads)),
    );
  }
  const feed = (...[x]: readonly Value[]): Value =>
    feedForward(block.at('ff'), layerNormLayer(block.at('norm3'), x!));
  h = add(h, recomputedIf(isRecomputed, feed, [h]));

  if (!hasLinearProjections) {
    return add(x, convLayer(scope.at('proj_out'), pictureOf(h, height, width), { channels, kernel: 1 }));
  }
  return add(x, pictureOf(linearLayer(scope.at('proj_out'), h, { features: channels }), height, width));
}

/**
 * Attention of `h` `B S D` to the context's tokens. A single token takes all attention whatever the queries and
 * keys are, so that only its value is computed; the weights of the others stay in the file, and never learn.
 */
function crossAttention(block: Scope, h: Value, context: Value, heads: number): Value {
  const features = h.shape.at(-1)!;
  const attention = block.at('attn2');
  const hidden = layerNormLayer(block.at('norm2'), h);
  const project = (name: string): Value =>
    linearLayer(attention.at(name), context, { features, hasBias: false });
  const [key, value] = [project('to_k'), project('to_v')];
  const full = attentionLayer(attention, hidden, { key, value, heads });
  return context.shape[1] === 1 ? linearLayer(attention.at('to_out').at(0), value, { features }) : full;
}
