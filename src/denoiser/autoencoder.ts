// The autoencoder: pictures to latents and back. Both ways are the best linear map of pixel blocks
// (`linear-codec.ts`) plus a convolutional network that begins silent. The decoder also sees the lifted
// picture, at every size: what is visible in the reference need not pass the small latent.
// Departs: SD's encoder predicts a variance; here the posterior's variance is the noise that training
// adds, so that the KL term is half the latent's square. The decoder has no norms (17 % of its time).

import type { Scope } from '../nn/index.ts';
import { convLayer, fanInUniform, groupNormLayer, resnetBlock, zeroed } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import {
  add,
  averagePool2d,
  concat,
  conv2d,
  depthToSpace,
  leakyRelu,
  mul,
  sigmoid,
  silu,
  slice,
  spaceToDepth,
  sub,
} from '../tensor/index.ts';
import type { AutoencoderConfig } from './config.ts';
import { latentFactor } from './config.ts';

/** The lifted picture that the decoder may use: all zero where there is none. */
export type LiftedPicture = {
  /** `B 3 H W` in [-1, 1], zero where visibility is. */
  readonly picture: Value;
  /** `B 1 H W` in [0, 1]. */
  readonly visibility: Value;
};

const SLOPE = 0.1;

/** Pictures `B 3 H W` in [-1, 1] to latents `B latentChannels H/f W/f`, of about unit variance. */
export function encodePicture(scope: Scope, picture: Value, config: AutoencoderConfig): Value {
  const { fold, widths, blocks, groups } = config.encoder;
  const blocksOfPixels = spaceToDepth(picture, latentFactor(config));
  const shortcut = linearMap(scope.at('shortcut'), blocksOfPixels, config.latentChannels);
  let h = convLayer(scope.at('conv_in'), spaceToDepth(picture, fold), { channels: widths[0]! });
  for (const [level, channels] of widths.entries()) {
    const here = scope.at('down_blocks').at(level);
    for (let i = 0; i < blocks; i++) h = resnetBlock(here.at('resnets').at(i), h, { channels, groups });
    const next = widths[level + 1];
    if (next !== undefined) {
      h = convLayer(here.at('downsamplers').at(0).at('conv'), h, { channels: next, stride: 2 });
    }
  }
  const activated = silu(groupNormLayer(scope.at('conv_norm_out'), h, { groups }));
  const change = convLayer(scope.at('conv_out'), activated, {
    channels: config.latentChannels,
    isZero: true,
  });
  return add(shortcut, change);
}

/** Latents and the lifted picture to pictures `B 3 H W` (in [-1, 1], not clipped). */
export function decodeLatent(
  scope: Scope,
  latent: Value,
  lifted: LiftedPicture,
  config: AutoencoderConfig,
): Value {
  const factor = latentFactor(config);
  const { fold, widths, blocks } = config.decoder;
  const sides = sidePyramid(scope.at('side'), lifted, config);
  let h = convLayer(scope.at('conv_in'), latent, { channels: widths.at(-1)! });
  for (let level = widths.length - 1; level >= 0; level--) {
    const here = scope.at('up_blocks').at(level);
    const channels = widths[level]!;
    h = add(h, convLayer(here.at('side'), sides[level]!, { channels, kernel: 1 }));
    for (let i = 0; i < blocks; i++) h = resnetBlock(here.at('resnets').at(i), h, { channels, groups: null });
    if (level > 0) {
      const wide = convLayer(here.at('upsampler'), h, { channels: 4 * widths[level - 1]!, kernel: 1 });
      h = depthToSpace(wide, 2);
    }
  }
  // Per pixel three colours to add and one logit: how much of the visible lifted picture to take.
  const head = convLayer(scope.at('conv_out'), leakyRelu(h, SLOPE), {
    channels: 4 * fold * fold,
    isZero: true,
  });
  const pixels = depthToSpace(head, fold);
  const base = depthToSpace(linearMap(scope.at('shortcut'), latent, 3 * factor * factor), factor);
  const share = mul(lifted.visibility, sigmoid(slice(pixels, { axis: 1, start: 3, end: 4 })));
  const blended = add(base, mul(share, sub(lifted.picture, base)));
  return add(blended, slice(pixels, { axis: 1, start: 0, end: 3 }));
}

/** Features of the lifted picture at each of the decoder's sizes, finest first. */
function sidePyramid(
  scope: Scope,
  { picture, visibility }: LiftedPicture,
  config: AutoencoderConfig,
): Value[] {
  const { fold, sideWidths } = config.decoder;
  const levels: Value[] = [];
  let h = spaceToDepth(concat([picture, visibility], 1), fold);
  for (const [level, channels] of sideWidths.entries()) {
    const here = scope.at(level);
    const input = level === 0 ? h : averagePool2d(h, 2);
    const entered = convLayer(here.at('conv_in'), input, { channels });
    h = resnetBlock(here.at('resnets').at(0), entered, { channels, groups: null });
    levels.push(h);
  }
  return levels;
}

/** A 1x1 convolution that a solved linear map can be put into: see `solvedWeights`. */
function linearMap(scope: Scope, x: Value, channels: number): Value {
  const weight = scope.parameter('weight', [channels, x.shape[1]!, 1, 1], fanInUniform());
  return conv2d(x, weight, { bias: scope.parameter('bias', [channels], zeroed) });
}
