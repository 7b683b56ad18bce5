// Attention over time, AnimateDiff's: each pixel sees itself in the other frames of the clip.
// Names as in diffusers' `AnimateDiffTransformer3D`. Source: Guo et al., "AnimateDiff", 2023.

import type { Scope } from '../nn/index.ts';
import {
  attentionLayer,
  feedForward,
  groupNormLayer,
  keyValueOf,
  layerNormLayer,
  linearLayer,
} from '../nn/index.ts';
import {
  add,
  elementCount,
  recomputedIf,
  reshape,
  slice,
  stopGradient,
  transpose,
  type Value,
} from '../tensor/index.ts';
import type { MotionSizes } from './config.ts';

/** The name under which motion modules stand in each block: what the second stage trains. */
export const MOTION_NAME = 'motion_modules';

/** Options of `motionModule`. */
export type MotionOptions = MotionSizes & {
  /** Frames of one clip; the batch axis holds clips of this many frames, one after the other. */
  readonly frames: number;
  readonly groups: number;
  /** Whether gradients compute the module again instead of keeping its values. */
  readonly isRecomputed?: boolean;
};

/** `BT C H W` to the same. */
export function motionModule(
  scope: Scope,
  x: Value,
  { isRecomputed = false, ...options }: MotionOptions,
): Value {
  return recomputedIf(isRecomputed, (...[value]) => motionBody(scope, value!, options), [x]);
}

function motionBody(scope: Scope, x: Value, options: Omit<MotionOptions, 'isRecomputed'>): Value {
  const { frames, heads, maxFrames, groups, normalises } = options;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [clips, area] = [batch / frames, height * width];
  const byFrame = [clips, frames, channels, area];
  const norm = (value: Value): Value => groupNormLayer(scope.at('norm'), value, { groups, epsilon: 1e-6 });
  const byChannel = (value: Value): Value => transpose(reshape(value, byFrame), [0, 2, 1, 3]);
  const normed =
    normalises === 'clip'
      ? transpose(norm(byChannel(x)), [0, 3, 2, 1])
      : transpose(reshape(norm(x), byFrame), [0, 3, 1, 2]);
  const series = reshape(normed, [clips * area, frames, channels]);
  let h = linearLayer(scope.at('proj_in'), series, { features: channels });

  const block = scope.at('transformer_blocks').at(0);
  const positions = framePositions(block.at('pos_embed'), { frames, maxFrames, channels });
  for (const [normName, attention] of [
    ['norm1', 'attn1'],
    ['norm2', 'attn2'],
  ] as const) {
    const hidden = add(layerNormLayer(block.at(normName), h), positions);
    const own = keyValueOf(block.at(attention), hidden);
    h = add(h, attentionLayer(block.at(attention), hidden, { ...own, heads }));
  }
  h = add(h, feedForward(block.at('ff'), layerNormLayer(block.at('norm3'), h)));

  const out = linearLayer(scope.at('proj_out'), h, { features: channels, isZero: true });
  return add(x, reshape(transpose(reshape(out, [clips, area, frames, channels]), [0, 2, 3, 1]), x.shape));
}

/** Rows for the first frames of a table that files carry and nothing trains: `1 T C`. */
function framePositions(
  scope: Scope,
  { frames, maxFrames, channels }: { frames: number; maxFrames: number; channels: number },
): Value {
  const table = scope.parameter('pe', [1, maxFrames, channels], interleavedSinusoids);
  return slice(stopGradient(table), { axis: 1, start: 0, end: frames });
}

/** sin and cos in turn, of a position at geometrically falling frequencies: `1 T C`. Vaswani et al., 2017, 3.5. */
function interleavedSinusoids(shape: readonly number[]): Float32Array {
  const channels = shape[2]!;
  return Float32Array.from({ length: elementCount(shape) }, (_, i) => {
    const [position, channel] = [Math.floor(i / channels), i % channels];
    const angle = position * Math.exp(((channel & ~1) * -Math.log(10000)) / channels);
    return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}
