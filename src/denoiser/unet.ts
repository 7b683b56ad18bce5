// The U-Net that predicts v, in Stable Diffusion's shape: resnet blocks with the time step, transformers,
// and skips from the way down to the way up. The reference network is the same function.
// Names as in diffusers' `UNet2DConditionModel`.

import type { Scope } from '../nn/index.ts';
import { convLayer, groupNormLayer, resnetBlock, timestepEmbedding } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import { add, concat, silu, upsampleNearest } from '../tensor/index.ts';
import type { ModelConfig } from './config.ts';
import { TEMPORAL_NAME, temporalLayer } from './temporal-layer.ts';
import type { SelfAttention } from './transformer.ts';
import { spatialTransformer } from './transformer.ts';

/** What the U-Net takes. */
export type UnetInputs = {
  /** `B latentChannels h w`. */
  readonly latent: Value;
  /** int64 `B`. */
  readonly timesteps: Value;
  /** `B 1 L`. */
  readonly label: Value;
  readonly attend: SelfAttention;
  /** `B C h w`, added after conv_in. */
  readonly guidance?: Value;
  /** Frames of a clip: switches the temporal layers on. */
  readonly frames?: number;
  /** Whether gradients compute resnet blocks, scores, feed-forwards and temporal layers again instead of keeping them. */
  readonly isRecomputed?: boolean;
};

/** v of the latent: `B latentChannels h w`. */
export function unet(
  scope: Scope,
  { latent, timesteps, label, attend, guidance, frames, isRecomputed = false }: UnetInputs,
  { unet: config, autoencoder, diffusion }: ModelConfig,
): Value {
  const { widths, heads, blocks, groups, temporal, feedForwardMultiplier } = config;
  const time = timestepEmbedding(scope.at('time_embedding'), timesteps, {
    width: widths[0]!,
    features: 4 * widths[0]!,
    count: diffusion.steps,
  });
  const resnet = (at: Scope, x: Value, channels: number): Value =>
    resnetBlock(at, x, { channels, groups, time, isRecomputed });
  /** The transformer number `i` of a block and the temporal layer behind it. */
  const attention = (block: string, i: number, x: Value, headCount: number): Value => {
    if (headCount === 0) return x;
    const path = `${block}.attentions.${i}`;
    const options = { heads: headCount, groups, feedForwardMultiplier, label, path, attend, isRecomputed };
    const h = spatialTransformer(scope.at(path), x, options);
    if (frames === undefined) return h;
    return temporalLayer(scope.at(`${block}.${TEMPORAL_NAME}.${i}`), h, {
      ...temporal,
      frames,
      groups,
      isRecomputed,
    });
  };

  let h = convLayer(scope.at('conv_in'), latent, { channels: widths[0]! });
  if (guidance !== undefined) h = add(h, guidance);
  const skips = [h];
  for (const [level, channels] of widths.entries()) {
    const block = `down_blocks.${level}`;
    for (let i = 0; i < blocks; i++) {
      h = resnet(scope.at(`${block}.resnets.${i}`), h, channels);
      h = attention(block, i, h, heads[level]!);
      skips.push(h);
    }
    if (level < widths.length - 1) {
      h = convLayer(scope.at(`${block}.downsamplers.0.conv`), h, { channels, stride: 2 });
      skips.push(h);
    }
  }

  const deepest = widths.at(-1)!;
  h = resnet(scope.at('mid_block.resnets.0'), h, deepest);
  h = attention('mid_block', 0, h, heads.at(-1)!);
  h = resnet(scope.at('mid_block.resnets.1'), h, deepest);

  for (let level = widths.length - 1; level >= 0; level--) {
    const block = `up_blocks.${widths.length - 1 - level}`;
    const channels = widths[level]!;
    for (let i = 0; i <= blocks; i++) {
      h = resnet(scope.at(`${block}.resnets.${i}`), concat([h, skips.pop()!], 1), channels);
      h = attention(block, i, h, heads[level]!);
    }
    if (level > 0) h = convLayer(scope.at(`${block}.upsamplers.0.conv`), upsampleNearest(h, 2), { channels });
  }
  const activated = silu(groupNormLayer(scope.at('conv_norm_out'), h, { groups }));
  return convLayer(scope.at('conv_out'), activated, { channels: autoencoder.latentChannels, isZero: true });
}
