// Stable Diffusion's autoencoder. Names and arithmetic as in diffusers' `AutoencoderKL`.

import type { Scope } from '../nn/index.ts';
import { convLayer, groupNormLayer, linearLayer, pictureOf, resnetBlock, tokensOf } from '../nn/index.ts';
import { add, attention, pad2d, silu, split, upsampleNearest, type Value } from '../tensor/index.ts';
import type { AutoencoderSizes } from './config.ts';

/** What a picture's latent may be: a normal distribution at each place, both `B latentChannels h w`. */
export type Posterior = { readonly mean: Value; readonly logVariance: Value };

/** Sees what each block gives, by the block's name. */
export type Observe = (path: string, value: Value) => void;

const EPSILON = 1e-6;

/**
 * Pictures `B 3 H W` in [-1, 1] to their latents' distributions, not yet multiplied by `scale`. The logarithm of the
 * variance is as the network gives it; diffusers clips it to [-30, 20] before use.
 */
export function encodePicture(
  scope: Scope,
  picture: Value,
  sizes: AutoencoderSizes,
  observe?: Observe,
): Posterior {
  const { widths, blocks, groups, latentChannels } = sizes;
  const encoder = scope.at('encoder');
  let h = convLayer(encoder.at('conv_in'), picture, { channels: widths[0]! });
  for (const [level, channels] of widths.entries()) {
    const here = encoder.at('down_blocks').at(level);
    for (let i = 0; i < blocks; i++) h = resnet(here.at('resnets').at(i), h, channels, groups);
    if (level < widths.length - 1) {
      // Padded at the right and below alone: as the weights were trained.
      const padded = pad2d(h, { top: 0, left: 0, bottom: 1, right: 1 });
      h = convLayer(here.at('downsamplers').at(0).at('conv'), padded, { channels, stride: 2, padding: 0 });
    }
    observe?.(`encoder.down_blocks.${level}`, h);
  }
  h = middle(encoder.at('mid_block'), h, groups);
  observe?.('encoder.mid_block', h);
  h = silu(groupNormLayer(encoder.at('conv_norm_out'), h, { groups, epsilon: EPSILON }));
  const channels = 2 * latentChannels;
  h = convLayer(encoder.at('conv_out'), h, { channels });
  h = convLayer(scope.at('quant_conv'), h, { channels, kernel: 1 });
  const [mean, logVariance] = split(h, { axis: 1, sizes: [latentChannels, latentChannels] });
  return { mean: mean!, logVariance: logVariance! };
}

/** Latents `B latentChannels h w`, no longer multiplied by `scale`, to pictures `B 3 H W`, not clipped. */
export function decodeLatent(scope: Scope, latent: Value, sizes: AutoencoderSizes, observe?: Observe): Value {
  const { widths, blocks, groups, latentChannels } = sizes;
  const decoder = scope.at('decoder');
  let h = convLayer(scope.at('post_quant_conv'), latent, { channels: latentChannels, kernel: 1 });
  h = convLayer(decoder.at('conv_in'), h, { channels: widths.at(-1)! });
  h = middle(decoder.at('mid_block'), h, groups);
  observe?.('decoder.mid_block', h);
  for (const [i, channels] of widths.toReversed().entries()) {
    const here = decoder.at('up_blocks').at(i);
    for (let j = 0; j <= blocks; j++) h = resnet(here.at('resnets').at(j), h, channels, groups);
    if (i < widths.length - 1) {
      h = convLayer(here.at('upsamplers').at(0).at('conv'), upsampleNearest(h, 2), { channels });
    }
    observe?.(`decoder.up_blocks.${i}`, h);
  }
  h = silu(groupNormLayer(decoder.at('conv_norm_out'), h, { groups, epsilon: EPSILON }));
  return convLayer(decoder.at('conv_out'), h, { channels: 3 });
}

function resnet(scope: Scope, x: Value, channels: number, groups: number): Value {
  return resnetBlock(scope, x, { channels, groups, epsilon: EPSILON });
}

/** Two resnet blocks around a self-attention of one head. */
function middle(scope: Scope, x: Value, groups: number): Value {
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const before = resnet(scope.at('resnets').at(0), x, channels, groups);
  const here = scope.at('attentions').at(0);
  const hidden = tokensOf(groupNormLayer(here.at('group_norm'), before, { groups, epsilon: EPSILON }));
  const project = (place: Scope, value: Value): Value => linearLayer(place, value, { features: channels });
  const [query, key, value] = [
    project(here.at('to_q'), hidden),
    project(here.at('to_k'), hidden),
    project(here.at('to_v'), hidden),
  ];
  const attended = project(here.at('to_out').at(0), attention({ query, key, value, heads: 1 }));
  return resnet(scope.at('resnets').at(1), add(before, pictureOf(attended, height, width)), channels, groups);
}
