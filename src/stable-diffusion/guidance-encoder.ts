// Champ's guidance encoder: brings a control picture to the latent's size and the U-Net's width; what it gives is
// added right after conv_in. Names as in Champ's published files.
// Source: Zhu et al., "Champ", 2024, and its repository fudan-generative-vision/champ, models/guidance_encoder.py: of
// its seven attentions the forward pass uses the one behind the last convolution.

import type { Scope } from '../nn/index.ts';
import { convLayer } from '../nn/index.ts';
import { recomputedIf, silu, type Value } from '../tensor/index.ts';
import type { GuidanceSizes } from './config.ts';
import { attendToSelf, spatialTransformer } from './transformer.ts';

/**
 * `B channels H W` to `B width H/f W/f`.
 * @param isRecomputed whether gradients compute convolutions, scores and feed-forward again instead of keeping their values
 */
export function guidanceEncoder(
  scope: Scope,
  control: Value,
  width: number,
  sizes: GuidanceSizes,
  isRecomputed = false,
): Value {
  const { widths, heads, groups } = sizes;
  const first = (...[x]: readonly Value[]): Value =>
    silu(convLayer(scope.at('conv_in'), x!, { channels: widths[0]! }));
  let h = recomputedIf(isRecomputed, first, [control]);
  for (const [i, next] of widths.slice(1).entries()) {
    const level = (...[x]: readonly Value[]): Value => {
      const kept = silu(convLayer(scope.at('blocks').at(2 * i), x!, { channels: widths[i]! }));
      return silu(convLayer(scope.at('blocks').at(2 * i + 1), kept, { channels: next, stride: 2 }));
    };
    h = recomputedIf(isRecomputed, level, [h]);
  }
  const path = `attentions.${2 * (widths.length - 1) - 1}`;
  h = spatialTransformer(scope.at(path), h, {
    heads,
    groups,
    hasLinearProjections: false,
    context: null,
    path,
    attend: attendToSelf,
    isRecomputed,
  });
  return convLayer(scope.at('conv_out'), h, { channels: width, isZero: true });
}
