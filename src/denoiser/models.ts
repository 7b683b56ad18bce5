// The ONNX models that inference runs, each emitted from the same functions that training uses.

import type { ParameterSet, Weights } from '../nn/index.ts';
import { createParameterSet, weightsFor } from '../nn/index.ts';
import type { OnnxModel, Value } from '../tensor/index.ts';
import { emitModel, input } from '../tensor/index.ts';
import { decodeLatent, encodePicture } from './autoencoder.ts';
import type { ModelConfig } from './config.ts';
import { latentFactor } from './config.ts';

/** Where the encoder's parameters are named. */
export const ENCODER_SCOPE = 'vae.encoder';
/** Where the decoder's parameters are named. */
export const DECODER_SCOPE = 'vae.decoder';

/** How many pictures a model takes at once, and their side where it is not the configuration's. */
export type BatchOptions = { readonly batch: number; readonly sizePx?: number };

/** `picture` `B 3 S S` in [-1, 1] to `latent` `B latentChannels S/f S/f` (not normalised). */
export function encoderModel(
  { autoencoder, size }: ModelConfig,
  weights: Weights,
  { batch, sizePx = size }: BatchOptions,
): OnnxModel {
  const set = createParameterSet();
  const picture = input('picture', [batch, 3, sizePx, sizePx]);
  const latent = encodePicture(set.scope.at(ENCODER_SCOPE), picture, autoencoder);
  return baked('encoder', { latent }, set, weights);
}

/** `latent`, `lifted` `B 3 S S` and `visibility` `B 1 S S` to `picture` `B 3 S S`, not clipped. */
export function decoderModel(
  { autoencoder, size }: ModelConfig,
  weights: Weights,
  { batch, sizePx = size }: BatchOptions,
): OnnxModel {
  const set = createParameterSet();
  const side = sizePx / latentFactor(autoencoder);
  const latent = input('latent', [batch, autoencoder.latentChannels, side, side]);
  const lifted = {
    picture: input('lifted', [batch, 3, sizePx, sizePx]),
    visibility: input('visibility', [batch, 1, sizePx, sizePx]),
  };
  const picture = decodeLatent(set.scope.at(DECODER_SCOPE), latent, lifted, autoencoder);
  return baked('decoder', { picture }, set, weights);
}

function baked(name: string, outputs: Record<string, Value>, set: ParameterSet, weights: Weights): OnnxModel {
  return emitModel({ name, outputs, weights: weightsFor(set.values, weights) });
}
