// A stage of the compact scale from a configuration and the files that it builds on.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { decodeAvatar } from '../avatar/index.ts';
import { BadInputError } from '../errors/index.ts';
import type { HeadModel } from '../head/index.ts';
import { decodeWeights, type Weights } from '../nn/index.ts';
import type { Device } from '../tensor/index.ts';
import type { Configuration, OptimiserConfig, SampleReader, Stage, StageName } from '../training/index.ts';
import {
  autoencoderStage,
  denoiserBatches,
  denoiserStage,
  distillBatches,
  distillStage,
  WEIGHTS_FILE,
} from '../training/index.ts';
import { expectInputFile } from './input-file.ts';
import { loadEmbeddedHead, loadFaceTrunk, readBytes } from './model-files.ts';
import { withLatestDecoder } from './pack-avatar.ts';

/** Which stage, and where what it builds on lies. */
export type StageSource = {
  readonly stage: StageName;
  readonly outPath: string;
  /** A finished model to begin from, in place of what the run's earlier stages left. */
  readonly fromPath?: string;
  /** The autoencoder's stage keeps the encoder that it has, whatever the configuration says. */
  readonly keepsEncoder?: boolean;
};

/** How a stage is opened. */
export type OpenStageOptions = StageSource & { readonly device: Device };

/**
 * Opens a stage.
 * @throws BadInputError, MissingResourceError for files that are not there or do not fit.
 */
export async function openStage(
  configuration: Configuration,
  samples: SampleReader,
  options: OpenStageOptions,
): Promise<Stage> {
  const { stage: name, device } = options;
  if (name === 'vae') return openAutoencoder(configuration, samples, options);
  const before = await openBefore(configuration, samples, options);
  const common = { configuration, samples, device, ...before };
  if (name !== 'distill') return denoiserStage({ ...common, name });
  const learnsFromTrunk = configuration.training.distill.perceptualWeight !== undefined;
  return distillStage({ ...common, trunk: learnsFromTrunk ? await loadFaceTrunk() : undefined });
}

/**
 * Opens what makes the batches of a stage, without what learns from them.
 * @throws as `openStage`
 */
export async function openBatches(
  configuration: Configuration,
  samples: SampleReader,
  options: OpenStageOptions,
): Promise<Pick<Stage, 'batchAt' | 'restore'>> {
  const { stage: name, device } = options;
  if (name === 'vae') return openAutoencoder(configuration, samples, options);
  const before = await openBefore(configuration, samples, options);
  const common = { configuration, samples, device, ...before };
  return name === 'distill' ? distillBatches(common) : denoiserBatches({ ...common, name });
}

async function openAutoencoder(
  configuration: Configuration,
  samples: SampleReader,
  options: OpenStageOptions,
): Promise<Stage> {
  const { device, keepsEncoder = false } = options;
  const common = { configuration, samples, device };
  if (!keepsEncoder) return autoencoderStage(common);
  return autoencoderStage({ ...common, encoderWeights: await weightsBefore(configuration, options) });
}

async function openBefore(
  configuration: Configuration,
  samples: SampleReader,
  source: StageSource,
): Promise<{ readonly weights: Weights; readonly head: HeadModel }> {
  const weights = await weightsBefore(configuration, source);
  const head = await loadEmbeddedHead();
  if (samples.headName === head.name) return { weights, head };
  throw new BadInputError({
    code: 'sample-head',
    message: `expected samples of the head ${head.name}, got ${samples.headName}`,
    hint: 'write the samples again with the head that is installed',
  });
}

/** @throws MissingResourceError, BadInputError where there is nothing that the stage can build on */
export async function expectForerunner({
  stage,
  outPath,
  fromPath,
  keepsEncoder = false,
}: StageSource): Promise<void> {
  if (fromPath !== undefined) return expectInputFile(fromPath, 'a model to begin from');
  if (stage === 'vae' && !keepsEncoder) return;
  const before = stageBefore(stage, outPath);
  await expectStageWeights(outPath, before);
}

/** What a stage builds on: a finished model, or what the run has of the stage before. */
async function weightsBefore(
  { model }: Configuration,
  { stage, outPath, fromPath }: StageSource,
): Promise<Weights> {
  if (fromPath !== undefined) {
    const avatar = decodeAvatar(await readBytes(fromPath, 'a model to begin from'), fromPath);
    if (isDeepStrictEqual(avatar.config, model)) return avatar.weights;
    throw new BadInputError({
      code: 'other-sizes',
      message: `expected ${fromPath} to be a model of the configuration's sizes, but they differ`,
      hint: 'use the configuration that the model was trained with',
    });
  }
  const weights = await stageWeights(outPath, stageBefore(stage, outPath));
  if (stage !== 'distill') return weights;
  const hasAutoencoder = existsSync(join(outPath, 'vae', WEIGHTS_FILE));
  return hasAutoencoder ? withLatestDecoder(weights, await stageWeights(outPath, 'vae')) : weights;
}

function stageBefore(stage: StageName, outPath: string): StageName {
  if (stage === '2') return '1';
  if (stage !== 'distill') return 'vae';
  return existsSync(join(outPath, '2', WEIGHTS_FILE)) ? '2' : '1';
}

/** The averaged weights of a stage that was trained before. */
async function stageWeights(outPath: string, stage: StageName): Promise<Weights> {
  const path = join(outPath, stage, WEIGHTS_FILE);
  await expectStageWeights(outPath, stage);
  return decodeWeights(new Uint8Array(await readFile(path)), path).weights;
}

async function expectStageWeights(outPath: string, stage: StageName): Promise<void> {
  const hint = `Train stage ${stage} first, or name a finished model with --from.`;
  await expectInputFile(join(outPath, stage, WEIGHTS_FILE), `the weights of stage ${stage}`, { hint });
}

/** What a stage's optimiser needs, of a configuration. */
export function settingsOf({ training }: Configuration, stage: StageName): OptimiserConfig {
  const settings = { vae: training.vae, 1: training.stage1, 2: training.stage2, distill: training.distill };
  return settings[stage];
}
