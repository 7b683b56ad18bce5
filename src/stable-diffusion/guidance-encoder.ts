// Champ's guidance encoder: brings a control picture to the latent's size and the U-Net's width; what it gives is
// added right after conv_in. Names as in Champ's published files.
// Source: Zhu et al., "Champ", 2024, and its repository fudan-generative-vision/champ, models/guidance_encoder.py: of
// its seven attentions the forward pass uses the one behind the last convolution.

import type { Scope } from '../nn/index.ts';
import { convLayer } from '../nn/index.ts';
import { silu, type Value } from '../tensor/index.ts';
import type { GuidanceSizes } from './config.ts';
import { attendToSelf, spatialTransformer } from './transformer.ts';

/** `B channels H W` to `B width H/f W/f`. */
export function guidanceEncoder(scope: Scope, control: Value, width: number, sizes: GuidanceSizes): Value {
  const { widths, heads, groups } = sizes;
  let h = silu(convLayer(scope.at('conv_in'), control, { channels: widths[0]! }));
  for (const [i, next] of widths.slice(1).entries()) {
    h = silu(convLayer(scope.at('blocks').at(2 * i), h, { channels: widths[i]! }));
    h = silu(convLayer(scope.at('blocks').at(2 * i + 1), h, { channels: next, stride: 2 }));
  }
  const path = `attentions.${2 * (widths.length - 1) - 1}`;
  h = spatialTransformer(scope.at(path), h, {
    heads,
    groups,
    hasLinearProjections: false,
    context: null,
    path,
    attend: attendToSelf,
  });
  return convLayer(scope.at('conv_out'), h, { channels: width, isZero: true });
}
