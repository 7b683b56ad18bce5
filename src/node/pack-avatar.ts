// From the folder of a run to a model that can be used and shipped: the weights of its latest stage, with the
// autoencoder's latest decoder.

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Avatar, encodeAvatar } from '../avatar/index.ts';
import { DECODER_SCOPE, ENCODER_SCOPE, LATENT_STATISTICS, type ModelConfig } from '../denoiser/index.ts';
import {
  bindGaussians,
  FIELD_PARAMETERS,
  fieldOf,
  type GaussianField,
  holdsAnisotropicField,
} from '../gaussians/index.ts';
import type { HeadModel } from '../head/index.ts';
import { decodeWeights, type Weights } from '../nn/index.ts';
import { CONFIGURATION_FILE, parseConfiguration, type StageName, WEIGHTS_FILE } from '../training/index.ts';
import { readBytes } from './model-files.ts';
import { writeFileAtomic } from './temporary-files.ts';

/** Which run, and what its model is called. */
export type PackOptions = { readonly runPath: string; readonly stage: StageName; readonly name: string };

/** Writes `RUN/NAME.avatar`; returns its path. */
export async function packAvatar(head: HeadModel, options: PackOptions): Promise<string> {
  const path = join(options.runPath, `${options.name}.avatar`);
  await writeFileAtomic(path, encodeAvatar(await avatarOfRun(head, options)));
  return path;
}

/** What people call the model of a configuration file: `configs/compact.json` is `compact`. */
export function modelName(configPath: string): string {
  return basename(configPath, '.json');
}

async function avatarOfRun(head: HeadModel, { runPath, stage, name }: PackOptions): Promise<Avatar> {
  const configText = await readBytes(join(runPath, stage, CONFIGURATION_FILE), 'the configuration of a run');
  const { model } = parseConfiguration(new TextDecoder().decode(configText), runPath);
  const { weights: own, metadata } = await stageFile(runPath, stage);
  // The distill stage has a decoder of its own.
  const hasNewerDecoder = stage !== 'distill' && existsSync(join(runPath, 'vae', WEIGHTS_FILE));
  const autoencoder = hasNewerDecoder ? await stageFile(runPath, 'vae') : null;
  const weights = autoencoder === null ? own : withLatestDecoder(own, autoencoder.weights);
  return {
    name,
    config: model,
    weights,
    statistics: {
      mean: weights[LATENT_STATISTICS.mean]!,
      deviation: weights[LATENT_STATISTICS.deviation]!,
    },
    field: fieldAmong(weights, head, model),
    headName: head.name,
    provenance: {
      stage,
      steps: metadata.step ?? '',
      trainedSeconds: metadata.seconds ?? '',
      autoencoderSteps: autoencoder?.metadata.step ?? '',
      autoencoderSeconds: autoencoder?.metadata.seconds ?? '',
    },
  };
}

async function stageFile(runPath: string, stage: StageName): Promise<ReturnType<typeof decodeWeights>> {
  const path = join(runPath, stage, WEIGHTS_FILE);
  return decodeWeights(await readBytes(path, 'weights of a run'), path);
}

/** A decoder that went on learning belongs to the denoiser as long as the encoder is the same. */
export function withLatestDecoder(own: Weights, autoencoder: Weights): Weights {
  const names = Object.keys(autoencoder);
  const isEqual = (name: string): boolean =>
    autoencoder[name]!.data.every((value, i) => value === own[name]?.data[i]);
  if (!names.filter((name) => name.startsWith(`${ENCODER_SCOPE}.`)).every(isEqual)) return own;
  const decoder = names.filter((name) => name.startsWith(`${DECODER_SCOPE}.`));
  return { ...own, ...Object.fromEntries(decoder.map((name) => [name, autoencoder[name]!])) };
}

function fieldAmong(
  weights: Weights,
  head: HeadModel,
  { uvSize, gaussianChannels: channels }: ModelConfig,
): GaussianField | null {
  if (!(FIELD_PARAMETERS.features in weights)) return null;
  const isAnisotropic = holdsAnisotropicField(weights);
  return fieldOf(bindGaussians(head, { uvSize }), weights, { channels, isAnisotropic });
}
