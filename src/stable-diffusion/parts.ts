// The parts of a paper-scale model and the names that their parameters have in a file of weights: a prefix for each
// part, then diffusers' name.

import type { ParameterSet, Scope } from '../nn/index.ts';
import { createParameterSet, normal } from '../nn/index.ts';
import { constant, gatherRows, input, reshape, type Value } from '../tensor/index.ts';
import { decodeLatent, encodePicture } from './autoencoder.ts';
import { latentFactor, type PaperModelConfig } from './config.ts';
import { guidanceEncoder } from './guidance-encoder.ts';
import { unet } from './unet.ts';

/** The parts of a model, in the order of a file; each is the prefix of its parameters' names. */
export const PART_NAMES = ['vae', 'unet', 'reference_unet', 'guidance', 'label_embedding'] as const;

/** A part of a model. */
export type PartName = (typeof PART_NAMES)[number];

/** Real and synthetic. */
const LABEL_COUNT = 2;

/** The label tokens of int64 labels `B` (0 real, 1 synthetic): `B 1 L`. */
export function labelTokens(root: Scope, labels: Value, contextWidth: number): Value {
  const table = root.at('label_embedding').parameter('weight', [LABEL_COUNT, contextWidth], normal(1));
  return reshape(gatherRows(table, labels), [-1, 1, contextWidth]);
}

/** All parameters of a model, declared by running its networks once, symbolically, at the smallest size. */
export function declareParameters(config: PaperModelConfig): ParameterSet {
  const set = createParameterSet();
  const { scope: root } = set;
  const { autoencoder, unet: sizes, guidance, frames } = config;
  const factor = latentFactor(autoencoder);
  const side = 2 ** (sizes.widths.length - 1);
  const label = constant({ dtype: 'int64', shape: [1], data: BigInt64Array.of(0n) });
  const context = labelTokens(root, label, sizes.contextWidth);
  const latent = (count: number): Value => input('latent', [count, sizes.latentChannels, side, side]);
  const picture = input('picture', [1, 3, side * factor, side * factor]);
  encodePicture(root.at('vae'), picture, autoencoder);
  decodeLatent(root.at('vae'), latent(1), autoencoder);
  const timesteps = input('timesteps', [1], 'int64');
  unet(root.at('unet'), { latent: latent(1), timesteps, context }, sizes);
  if (sizes.motion !== null) {
    // Once more as a clip: what is declared already stays as it is, the motion modules join.
    unet(
      root.at('unet'),
      {
        latent: latent(frames),
        timesteps: input('timesteps', [frames], 'int64'),
        context: input('context', [frames, 1, sizes.contextWidth]),
        frames,
      },
      sizes,
    );
  }
  unet(root.at('reference_unet'), { latent: latent(1), timesteps, context }, { ...sizes, motion: null });
  const control = input('control', [1, guidance.channels, side * factor, side * factor]);
  guidanceEncoder(root.at('guidance'), control, sizes.widths[0]!, guidance);
  return set;
}
