// The ONNX models that inference runs, each emitted from the same functions that training uses.

import { HEAD_MAP_CHANNELS, PAINT_CHANNELS } from '../head/index.ts';
import type { ParameterSet, Weights } from '../nn/index.ts';
import { createParameterSet, weightsFor } from '../nn/index.ts';
import type { OnnxModel, Value } from '../tensor/index.ts';
import { emitModel, input, parametersOf } from '../tensor/index.ts';
import { decodeLatent, encodePicture } from './autoencoder.ts';
import type { ModelConfig } from './config.ts';
import { latentFactor } from './config.ts';
import { GUIDANCE_SCOPE, labelTokens, predictVelocity } from './denoiser.ts';
import type { Controls } from './guidance-network.ts';
import { guidance } from './guidance-network.ts';
import { guidanceShape, withLiftPrior } from './lift-prior.ts';
import type { ReferenceTokens } from './reference.ts';
import { attendToReference, referenceTokens } from './reference.ts';
import { attendToSelf } from './transformer.ts';

/** Where the encoder's parameters are named. */
export const ENCODER_SCOPE = 'vae.encoder';
/** Where the decoder's parameters are named. */
export const DECODER_SCOPE = 'vae.decoder';

/** How many pictures a model takes at once, and their side where it is not the configuration's. */
export type BatchOptions = {
  readonly batch: number;
  readonly sizePx?: number;
  /** As of `emitModel`; the default is false. */
  readonly usesWinograd?: boolean;
};

/** `picture` `B 3 S S` in [-1, 1] to `latent` `B latentChannels S/f S/f` (not normalised). */
export function encoderModel(
  { autoencoder, size }: ModelConfig,
  weights: Weights,
  { batch, sizePx = size, ...form }: BatchOptions,
): OnnxModel {
  const set = createParameterSet();
  const picture = input('picture', [batch, 3, sizePx, sizePx]);
  const latent = encodePicture(set.scope.at(ENCODER_SCOPE), picture, autoencoder);
  return baked('encoder', { latent }, set, weights, form);
}

/** `latent`, `lifted` `B 3 S S` and `visibility` `B 1 S S` to `picture` `B 3 S S`, not clipped. */
export function decoderModel(
  { autoencoder, size }: ModelConfig,
  weights: Weights,
  { batch, sizePx = size, ...form }: BatchOptions,
): OnnxModel {
  const set = createParameterSet();
  const side = sizePx / latentFactor(autoencoder);
  const latent = input('latent', [batch, autoencoder.latentChannels, side, side]);
  const lifted = {
    picture: input('lifted', [batch, 3, sizePx, sizePx]),
    visibility: input('visibility', [batch, 1, sizePx, sizePx]),
  };
  const picture = decodeLatent(set.scope.at(DECODER_SCOPE), latent, lifted, autoencoder);
  return baked('decoder', { picture }, set, weights, form);
}

/** `reference` `B C h w` (clean, normalised) and int64 `labels` `B` to the keys and values, by `tokenNames`. */
export function referenceModel(
  config: ModelConfig,
  weights: Weights,
  { batch, ...form }: BatchOptions,
): OnnxModel {
  const set = createParameterSet();
  const latent = input('reference', latentShape(config, batch));
  const label = labelTokens(set.scope, input('labels', [batch], 'int64'), config);
  const outputs: Record<string, Value> = {};
  for (const [path, { key, value }] of referenceTokens(set.scope, { latent, label }, config)) {
    const names = tokenNames(path);
    outputs[names.key] = key;
    outputs[names.value] = value;
  }
  return baked('reference', outputs, set, weights, form);
}

/**
 * The controls to `guidance` (of `guidanceShape`), once a frame. Inputs, as far as the configuration lists them:
 * `gaussian` `B gaussianChannels S S`, `painted` with four more channels, `maps` `B 5 S S`, `liftedLatent`
 * `B C h w` (normalised), `visibility` `B 1 S S`.
 */
export function guidanceModel(
  config: ModelConfig,
  weights: Weights,
  { batch, ...form }: BatchOptions,
): OnnxModel {
  const set = createParameterSet();
  const controls = controlInputs(config, batch);
  const features = guidance(set.scope.at(GUIDANCE_SCOPE), controls, config);
  return baked('guidance', { guidance: withLiftPrior(features, controls, config) }, set, weights, form);
}

/** What a step of the denoiser sees. */
export type DenoiserModelOptions = BatchOptions & {
  /** False: the unconditional branch, which attends to itself only. */
  readonly seesReference: boolean;
  /** Frames of a clip (the batch holds whole clips); switches the temporal layers on. */
  readonly frames?: number;
};

/**
 * One step: `noisy` `B C h w`, int64 `timesteps` `B` and `labels` `B`, `guidance`, and with a
 * reference the keys and values of `referenceModel` for one reference, to `velocity` `B C h w`.
 */
export function denoiserModel(
  config: ModelConfig,
  weights: Weights,
  { batch, seesReference, frames, ...form }: DenoiserModelOptions,
): OnnxModel {
  const set = createParameterSet();
  const label = labelTokens(set.scope, input('labels', [batch], 'int64'), config);
  const velocity = predictVelocity(
    set.scope,
    {
      noisy: input('noisy', latentShape(config, batch)),
      timesteps: input('timesteps', [batch], 'int64'),
      label,
      attend: seesReference ? attendToReference(tokenInputs(config)) : attendToSelf,
      guidance: input('guidance', guidanceShape(config, batch)),
      ...(frames === undefined ? {} : { frames }),
    },
    config,
  );
  return baked('denoiser', { velocity }, set, weights, form);
}

/** Names of the keys and values of a block between `referenceModel` and `denoiserModel`. */
export function tokenNames(path: string): { key: string; value: string } {
  return { key: `${path}.key`, value: `${path}.value` };
}

/** The controls of a configuration as inputs. */
export function controlInputs(config: ModelConfig, batch: number): Controls {
  const kinds = new Set(config.unet.controls.map(({ kind }) => kind));
  const { size, gaussianChannels } = config;
  const picture = (name: string, channels: number): Value => input(name, [batch, channels, size, size]);
  return {
    ...(kinds.has('gaussian') ? { gaussian: picture('gaussian', gaussianChannels) } : {}),
    ...(kinds.has('painted') ? { painted: picture('painted', gaussianChannels + PAINT_CHANNELS) } : {}),
    ...(kinds.has('landmarks+normals+depth') ? { maps: picture('maps', HEAD_MAP_CHANNELS) } : {}),
    ...(kinds.has('lifted')
      ? {
          liftedLatent: input('liftedLatent', latentShape(config, batch)),
          visibility: picture('visibility', 1),
        }
      : {}),
  };
}

/** `B C h w` of a batch of latents. */
export function latentShape({ autoencoder, size }: ModelConfig, batch: number): number[] {
  const side = size / latentFactor(autoencoder);
  return [batch, autoencoder.latentChannels, side, side];
}

/** The keys and values of one reference as inputs, of the shapes that a reference pass gives them. */
function tokenInputs(config: ModelConfig): ReferenceTokens {
  const { scope } = createParameterSet();
  const label = labelTokens(scope, input('labels', [1], 'int64'), config);
  const latent = input('reference', latentShape(config, 1));
  const shapes = referenceTokens(scope, { latent, label }, config);
  return new Map(
    [...shapes].map(([path, { key, value }]) => {
      const names = tokenNames(path);
      return [path, { key: input(names.key, key.shape), value: input(names.value, value.shape) }];
    }),
  );
}

/** Only the parameters that the outputs need are asked of the weights. */
function baked(
  name: string,
  outputs: Record<string, Value>,
  { values }: ParameterSet,
  weights: Weights,
  { usesWinograd = false }: Pick<BatchOptions, 'usesWinograd'>,
): OnnxModel {
  const needed = new Set(parametersOf(Object.values(outputs)));
  const parameters = new Map([...values].filter(([, value]) => needed.has(value)));
  return emitModel({ name, outputs, weights: weightsFor(parameters, weights), usesWinograd });
}
