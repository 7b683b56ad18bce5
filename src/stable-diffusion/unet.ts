// Stable Diffusion's U-Net, with motion modules where a clip is denoised. The reference network is the same function.
// Names and arithmetic as in diffusers' `UNet2DConditionModel` and `UNetMotionModel`.

import type { Scope } from '../nn/index.ts';
import { convLayer, groupNormLayer, resnetBlock, timestepEmbedding } from '../nn/index.ts';
import { add, concat, silu, upsampleNearest, type Value } from '../tensor/index.ts';
import type { UnetSizes } from './config.ts';
import { MOTION_NAME, motionModule } from './motion-module.ts';
import { attendToSelf, type CrossAttention, type SelfAttention, spatialTransformer } from './transformer.ts';

/** What the U-Net takes. */
export type UnetInputs = {
  /** `B latentChannels h w`. */
  readonly latent: Value;
  /** int64 `B`, below 1000; or what the time embedding makes of them, `B 4w` or, for all pictures alike, `1 4w`. */
  readonly timesteps: Value | { readonly embedded: Value };
  /** `B S L`: the tokens of cross-attention. */
  readonly context: Value;
  /** What self-attention attends to; the default is the picture's own tokens. */
  readonly attend?: SelfAttention;
  /** What cross-attention adds; the default computes it. */
  readonly cross?: CrossAttention;
  /** `B C h w`, added after conv_in. */
  readonly guidance?: Value;
  /** Frames of a clip, where the batch holds clips: switches the motion modules on. */
  readonly frames?: number;
  /** Whether gradients compute resnet blocks, attention and motion modules again instead of keeping their values. */
  readonly isRecomputed?: boolean;
  /** Sees what each block gives, by the block's name. */
  readonly observe?: (path: string, value: Value) => void;
};

/** The embedding of int64 time steps `B`, below 1000: `B 4w`. */
export function embedTime(scope: Scope, timesteps: Value, { widths }: UnetSizes): Value {
  const width = widths[0]!;
  return timestepEmbedding(scope.at('time_embedding'), timesteps, { width, features: 4 * width });
}

/** What the network predicts of the latent: `B latentChannels h w`. */
export function unet(scope: Scope, inputs: UnetInputs, sizes: UnetSizes): Value {
  const { latent, timesteps, context, guidance, frames, attend = attendToSelf, cross, observe } = inputs;
  const { isRecomputed = false } = inputs;
  const { widths, heads, blocks, groups, motion, hasLinearProjections } = sizes;
  const time = 'embedded' in timesteps ? timesteps.embedded : embedTime(scope, timesteps, sizes);
  const resnet = (path: string, x: Value, channels: number): Value =>
    resnetBlock(scope.at(path), x, { channels, groups, time, isRecomputed });
  const transformer = (path: string, x: Value, level: number): Value =>
    spatialTransformer(scope.at(path), x, {
      heads: heads[level]!,
      groups,
      hasLinearProjections,
      context,
      path,
      attend,
      isRecomputed,
      ...(cross === undefined ? {} : { cross }),
    });
  const moved = (path: string, x: Value): Value =>
    motion === null || frames === undefined
      ? x
      : motionModule(scope.at(path), x, { ...motion, frames, groups, isRecomputed });
  const deepest = widths.length - 1;
  /** Resnet, transformer and motion module number `i` of a block. */
  const layer = (block: string, i: number, x: Value, level: number): Value => {
    const h = resnet(`${block}.resnets.${i}`, x, widths[level]!);
    const seen = level < deepest ? transformer(`${block}.attentions.${i}`, h, level) : h;
    return moved(`${block}.${MOTION_NAME}.${i}`, seen);
  };

  let h = convLayer(scope.at('conv_in'), latent, { channels: widths[0]! });
  if (guidance !== undefined) h = add(h, guidance);
  observe?.('conv_in', h);
  const skips = [h];
  for (const [level, channels] of widths.entries()) {
    const block = `down_blocks.${level}`;
    for (let i = 0; i < blocks; i++) {
      h = layer(block, i, h, level);
      skips.push(h);
    }
    if (level < deepest) {
      h = convLayer(scope.at(`${block}.downsamplers.0.conv`), h, { channels, stride: 2 });
      skips.push(h);
    }
    observe?.(block, h);
  }

  h = resnet('mid_block.resnets.0', h, widths[deepest]!);
  h = transformer('mid_block.attentions.0', h, deepest);
  if (motion?.hasMiddle) h = moved(`mid_block.${MOTION_NAME}.0`, h);
  h = resnet('mid_block.resnets.1', h, widths[deepest]!);
  observe?.('mid_block', h);

  for (let level = deepest; level >= 0; level--) {
    const block = `up_blocks.${deepest - level}`;
    for (let i = 0; i <= blocks; i++) h = layer(block, i, concat([h, skips.pop()!], 1), level);
    if (level > 0) {
      const wide = upsampleNearest(h, 2);
      h = convLayer(scope.at(`${block}.upsamplers.0.conv`), wide, { channels: widths[level]! });
    }
    observe?.(block, h);
  }
  const activated = silu(groupNormLayer(scope.at('conv_norm_out'), h, { groups }));
  return convLayer(scope.at('conv_out'), activated, { channels: sizes.latentChannels });
}
