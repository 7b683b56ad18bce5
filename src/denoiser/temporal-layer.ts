// Attention over time: what a frame shows agrees with its neighbours. One layer after each transformer,
// silent until the second stage has trained it. Names as in diffusers' AnimateDiff motion modules.
// Source: Guo et al., "AnimateDiff", 2023.

import type { Scope } from '../nn/index.ts';
import {
  attentionLayer,
  feedForward,
  groupNormLayer,
  keyValueOf,
  layerNormLayer,
  linearLayer,
  sinusoids,
} from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import { add, constant, recomputedIf, reshape, transpose } from '../tensor/index.ts';

/** Options of `temporalLayer`. */
export type TemporalOptions = {
  /** Frames of one clip; the batch axis holds clips of this many frames, one after the other. */
  readonly frames: number;
  readonly heads: number;
  readonly maxFrames: number;
  readonly groups: number;
  /** Whether what lies between its ends is computed again for its gradient. Default false. */
  readonly isRecomputed?: boolean | undefined;
};

/** The name under which temporal layers stand: what the second stage trains. */
export const TEMPORAL_NAME = 'motion_modules';

/** `BT C H W` to the same: each pixel attends to itself in the other frames. */
export function temporalLayer(scope: Scope, x: Value, options: TemporalOptions): Value {
  return recomputedIf(options.isRecomputed === true, (value) => temporalBody(scope, value!, options), [x]);
}

function temporalBody(scope: Scope, x: Value, options: TemporalOptions): Value {
  const { frames, heads, maxFrames, groups } = options;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [clips, area] = [batch / frames, height * width];
  const normed = groupNormLayer(scope.at('norm'), x, { groups, epsilon: 1e-6 });
  const byPixel = transpose(reshape(normed, [clips, frames, channels, area]), [0, 3, 1, 2]);
  let h = linearLayer(scope.at('proj_in'), reshape(byPixel, [clips * area, frames, channels]), {
    features: channels,
  });
  const table = sinusoids(maxFrames, channels).slice(0, frames * channels);
  const positions = constant({ dtype: 'float32', shape: [1, frames, channels], data: table });

  const block = scope.at('transformer_blocks').at(0);
  for (const [norm, attention] of [
    ['norm1', 'attn1'],
    ['norm2', 'attn2'],
  ] as const) {
    const hidden = add(layerNormLayer(block.at(norm), h), positions);
    const own = keyValueOf(block.at(attention), hidden);
    h = add(h, attentionLayer(block.at(attention), hidden, { ...own, heads }));
  }
  h = add(h, feedForward(block.at('ff'), layerNormLayer(block.at('norm3'), h)));

  const out = linearLayer(scope.at('proj_out'), h, { features: channels, isZero: true });
  const byFrame = transpose(reshape(out, [clips, area, frames, channels]), [0, 2, 3, 1]);
  return add(x, reshape(byFrame, x.shape));
}
