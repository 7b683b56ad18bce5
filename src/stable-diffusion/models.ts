// The ONNX models that inference runs. Their weights stay inputs, to be bound to the file that holds them: they are
// beyond what a model can carry. What does not change from step to step is computed before, once a clip: the
// reference's keys and values, what the label's cross-attention adds, the guidance, the embeddings of all steps.

import { createParameterSet } from '../nn/index.ts';
import type { EmissionOptions, OnnxModel, Value } from '../tensor/index.ts';
import { emitModel, input, mul } from '../tensor/index.ts';
import { decodeLatent, encodePicture } from './autoencoder.ts';
import { latentFactor, type PaperModelConfig } from './config.ts';
import { guidanceEncoder } from './guidance-encoder.ts';
import { labelTokens } from './parts.ts';
import { attendToReference, type ReferenceTokens, referenceTokens } from './reference.ts';
import type { CrossAttention } from './transformer.ts';
import { embedTime, unet } from './unet.ts';

/** How a model is written: as of `emitModel`; `usesFusedForms` is true where it is not said. */
export type ModelForm = Pick<EmissionOptions, 'usesFusedForms' | 'usesWinograd' | 'convolutionBlock'>;

/** `picture` `1 3 H W` in [-1, 1] to the scaled `latent` `1 C h w`: the middle of its distribution. */
export function encoderModel(
  { autoencoder }: PaperModelConfig,
  { width, height, ...form }: ModelForm & { width: number; height: number },
): OnnxModel {
  const { scope } = createParameterSet();
  const { mean } = encodePicture(scope.at('vae'), input('picture', [1, 3, height, width]), autoencoder);
  return emit('encoder', { latent: mul(mean, autoencoder.scale) }, form);
}

/** A scaled `latent` `1 C h w` to `picture` `1 3 H W`, not clipped. */
export function decoderModel(
  { autoencoder }: PaperModelConfig,
  { width, height, ...form }: ModelForm & { width: number; height: number },
): OnnxModel {
  const { scope } = createParameterSet();
  const factor = latentFactor(autoencoder);
  const latent = input('latent', [1, autoencoder.latentChannels, height / factor, width / factor]);
  const picture = decodeLatent(scope.at('vae'), mul(latent, 1 / autoencoder.scale), autoencoder);
  return emit('decoder', { picture }, form);
}

/** `reference` `1 C h w` (clean, scaled) and an int64 `label` `1` to the keys and values, by `tokenNames`. */
export function referenceModel(config: PaperModelConfig, form: ModelForm = {}): OnnxModel {
  const outputs: Record<string, Value> = {};
  for (const [path, { key, value }] of tokensOf(config)) {
    const names = tokenNames(path);
    outputs[names.key] = key;
    outputs[names.value] = value;
  }
  return emit('reference', outputs, form);
}

/**
 * int64 `timesteps` `N` and `label` `1` to what every step takes of them: `time` `N 4w`, and for each block, by
 * `labelName`, what the label's token adds, `1 1 D`.
 */
export function conditionModel(
  config: PaperModelConfig,
  { steps, ...form }: ModelForm & { readonly steps: number },
): OnnxModel {
  const { scope } = createParameterSet();
  const outputs: Record<string, Value> = {};
  const cross: CrossAttention = ({ path }, compute) => {
    outputs[labelName(path)] = compute();
    return outputs[labelName(path)]!;
  };
  const context = labelTokens(scope, input('label', [1], 'int64'), config.unet.contextWidth);
  const latent = input('latent', latentShape(config, 1));
  const timesteps = input('timesteps', [steps], 'int64');
  const time = embedTime(scope.at('unet'), timesteps, config.unet);
  // Only what the label adds is taken of this pass.
  const single = { embedded: input('single', [1, time.shape[1]!]) };
  unet(scope.at('unet'), { latent, timesteps: single, context, cross }, { ...config.unet, motion: null });
  return emit('conditions', { time, ...outputs }, form);
}

/** `control` `1 C S S` to `guidance` `1 w h w`. */
export function guidanceModel(
  { guidance, size, unet: sizes }: PaperModelConfig,
  form: ModelForm = {},
): OnnxModel {
  const { scope } = createParameterSet();
  const control = input('control', [1, guidance.channels, size, size]);
  const features = guidanceEncoder(scope.at('guidance'), control, sizes.widths[0]!, guidance);
  return emit('guidance', { guidance: features }, form);
}

/** What a step of the denoiser takes. */
export type DenoiserModelOptions = ModelForm & {
  /** Frames of the window. */
  readonly frames: number;
  /** Adds the input `keepsReference`: the same session serves the unconditional branch. */
  readonly hidesReference: boolean;
};

/**
 * One step of a window: `noisy` `T C h w`, `time` `1 4w`, `guidance` `T w h w`, the label's and the reference's
 * outputs of the models above, and where `hidesReference` `keepsReference` `1` (1 seen, 0 hidden), to `velocity`.
 */
export function denoiserModel(
  config: PaperModelConfig,
  { frames, hidesReference, ...form }: DenoiserModelOptions,
): OnnxModel {
  const { unet: sizes } = config;
  const [width, height] = [latentSide(config), latentSide(config)];
  const tokens = new Map(
    [...tokensOf(config)].map(([path, { key, value }]) => {
      const names = tokenNames(path);
      return [path, { key: input(names.key, key.shape), value: input(names.value, value.shape) }] as const;
    }),
  );
  const { scope } = createParameterSet();
  const velocity = unet(
    scope.at('unet'),
    {
      latent: input('noisy', latentShape(config, frames)),
      timesteps: { embedded: input('time', [1, 4 * sizes.widths[0]!]) },
      // Its outputs are given: nothing reads the tokens themselves.
      context: input('context', [1, 1, sizes.contextWidth]),
      cross: ({ path, features }) => input(labelName(path), [1, 1, features]),
      attend: attendToReference(tokens, hidesReference ? input('keepsReference', [1]) : undefined),
      guidance: input('guidance', [frames, sizes.widths[0]!, height, width]),
      frames,
    },
    sizes,
  );
  return emit('denoiser', { velocity }, form);
}

/** `B C h w` of a batch of latents. */
export function latentShape(config: PaperModelConfig, batch: number): number[] {
  const side = latentSide(config);
  return [batch, config.autoencoder.latentChannels, side, side];
}

/** What the label's token adds at a block, between `conditionModel` and `denoiserModel`. */
export function labelName(path: string): string {
  return `${path}.label`;
}

function latentSide({ size, autoencoder }: PaperModelConfig): number {
  return size / latentFactor(autoencoder);
}

function tokensOf(config: PaperModelConfig): ReferenceTokens {
  const { scope } = createParameterSet();
  const context = labelTokens(scope, input('label', [1], 'int64'), config.unet.contextWidth);
  const latent = input('reference', latentShape(config, 1));
  const networks = { reference: scope.at('reference_unet'), denoiser: scope.at('unet') };
  return referenceTokens(networks, { latent, context }, { ...config.unet, motion: null });
}

/** Names of the keys and values of a block between `referenceModel` and `denoiserModel`. */
function tokenNames(path: string): { readonly key: string; readonly value: string } {
  return { key: `${path}.key`, value: `${path}.value` };
}

function emit(
  name: string,
  outputs: Readonly<Record<string, Value>>,
  { usesFusedForms = true, ...form }: ModelForm,
): OnnxModel {
  return emitModel({ name, outputs, usesFusedForms, ...form });
}
