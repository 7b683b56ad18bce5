// The guidance network: brings a control to the latent's size and the U-Net's width; its output is added
// right after conv_in. Source: Zhu et al., "Champ", 2024 (guidance encoder).
// Departs: the first layer may see blocks of pixels as channels (`fold`), since convolutions of 8 or 16
// channels at full size cost more than all that follows.

import type { Scope } from '../nn/index.ts';
import { attentionLayer, convLayer, groupNormLayer, keyValueOf, pictureOf, tokensOf } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import { add, averagePool2d, concat, silu, spaceToDepth } from '../tensor/index.ts';
import type { ControlConfig, ControlKind, ModelConfig } from './config.ts';
import { latentFactor } from './config.ts';

/** The controls of a batch; those that the configuration lists must be there. */
export type Controls = {
  /** `B gaussianChannels S S`: the splatted features. */
  readonly gaussian?: Value;
  /** `B gaussianChannels+4 S S`: the splatted features and colours of the reference. */
  readonly painted?: Value;
  /** `B 5 S S`: normals, depth and landmarks of the posed head. */
  readonly maps?: Value;
  /** The lifted picture as the encoder sees it, normalised, `B latentChannels S/f S/f`. */
  readonly liftedLatent?: Value;
  /** `B 1 S S`, in [0, 1]. */
  readonly visibility?: Value;
};

/** The sum of all controls' features: `B C S/f S/f`, C the U-Net's first width. */
export function guidance(scope: Scope, controls: Controls, { unet, autoencoder }: ModelConfig): Value {
  const mapOf: Record<ControlKind, () => Value> = {
    gaussian: () => controls.gaussian!,
    'landmarks+normals+depth': () => controls.maps!,
    painted: () => controls.painted!,
    lifted: () => withVisibility(controls.liftedLatent!, controls.visibility!, latentFactor(autoencoder)),
  };
  const features = unet.controls.map((control) =>
    guidanceNetwork(scope.at(control.kind), mapOf[control.kind](), control, unet),
  );
  return features.reduce((total, value) => add(total, value));
}

/** Visibility joins the latent with four values a pixel: the means of its quarters. */
function withVisibility(latent: Value, visibility: Value, factor: number): Value {
  return concat([latent, spaceToDepth(averagePool2d(visibility, factor / 2), 2)], 1);
}

function guidanceNetwork(
  scope: Scope,
  map: Value,
  { fold, widths, heads }: ControlConfig,
  { widths: unetWidths, groups }: ModelConfig['unet'],
): Value {
  let h = silu(convLayer(scope.at('conv_in'), spaceToDepth(map, fold), { channels: widths[0]! }));
  const blocks = scope.at('blocks');
  for (const [i, channels] of widths.entries()) {
    h = silu(convLayer(blocks.at(2 * i), h, { channels }));
    const next = widths[i + 1];
    if (next !== undefined) h = silu(convLayer(blocks.at(2 * i + 1), h, { channels: next, stride: 2 }));
  }
  if (heads > 0) h = add(h, selfAttention(scope.at('attention'), h, { heads, groups }));
  return convLayer(scope.at('conv_out'), h, { channels: unetWidths[0]!, isZero: true });
}

function selfAttention(scope: Scope, x: Value, { heads, groups }: { heads: number; groups: number }): Value {
  const hidden = tokensOf(groupNormLayer(scope.at('group_norm'), x, { groups }));
  const attended = attentionLayer(scope, hidden, { ...keyValueOf(scope, hidden), heads });
  return pictureOf(attended, x.shape[2]!, x.shape[3]!);
}
