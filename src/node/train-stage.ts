// Training from files: the configuration, the folder of samples and the folder of the model come
// together here for one stage. The model's folder has one folder for each stage.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { decodeAvatar } from '../avatar/index.ts';
import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { decodeWeights, type Weights } from '../nn/index.ts';
import type { Device } from '../tensor/index.ts';
import type {
  Configuration,
  LoopResult,
  OptimiserConfig,
  Rehearsal,
  SampleReader,
  Stage,
  StageName,
} from '../training/index.ts';
import {
  autoencoderStage,
  denoiserStage,
  distillStage,
  openSamples,
  parseConfiguration,
  rehearseTraining,
  WEIGHTS_FILE,
} from '../training/index.ts';
import { expectInputFile } from './input-file.ts';
import { peakMemoryMb } from './memory.ts';
import { loadEmbeddedHead, readBytes } from './model-files.ts';
import { modelName, packAvatar, withLatestDecoder } from './pack-avatar.ts';
import { openRunFolder } from './run-folder.ts';
import { expectMemoryForStep, type OpenedStage, runStage } from './run-stage.ts';
import { isPaperScale, openPaperStage, trainPaperStage } from './train-paper-stage.ts';

/** What to train, from where to where. */
export type TrainStageOptions = {
  readonly configPath: string;
  readonly stage: StageName;
  readonly dataPath: string;
  readonly outPath: string;
  readonly isResumed: boolean;
  /** A finished model to begin from, in place of what the run's earlier stages left. */
  readonly fromPath?: string;
  /** The autoencoder's stage keeps the encoder that it has, whatever the configuration says. */
  readonly keepsEncoder?: boolean;
  readonly steps?: number;
  readonly minutes?: number;
  readonly device: Device;
  readonly events?: EventSink;
  readonly signal?: AbortSignal;
};

/** How a run went, and the files that it keeps. */
export type TrainStageResult = LoopResult & { readonly outputs: readonly string[] };

/** What a stage is, costs and learns from. */
export type StageRehearsal = Rehearsal & {
  readonly samples: SampleReader['counts'];
  readonly peakMemoryMb: number;
};

/**
 * Trains one stage.
 * @throws BadInputError, MissingResourceError for files that are not there or do not fit.
 */
export async function trainStage(options: TrainStageOptions): Promise<TrainStageResult> {
  if (await isPaperScale(options.configPath)) return trainPaperStage(options);
  const { configPath, stage: name, outPath } = options;
  const { text, configuration, samples } = await openInputs(options);
  const stage = await openStage(configuration, samples, options);
  const result = await runStage({ stage, text, samples }, options);
  if (name === 'vae') return result;
  const pack = { runPath: outPath, stage: name, name: modelName(configPath) };
  return { ...result, outputs: [...result.outputs, await packAvatar(await loadEmbeddedHead(), pack)] };
}

/**
 * What training a stage would take; writes nothing.
 * @throws as `trainStage`.
 */
export async function rehearseStage(options: TrainStageOptions): Promise<StageRehearsal> {
  await using opened = await openAnyStage(options);
  const { stage, samples } = opened;
  const rehearsal = await rehearseTraining(stage, options.device);
  return { ...rehearsal, samples: samples.counts, peakMemoryMb: peakMemoryMb() };
}

async function openAnyStage(
  options: TrainStageOptions,
): Promise<Pick<OpenedStage, 'stage' | 'samples'> & AsyncDisposable> {
  if (await isPaperScale(options.configPath)) return openPaperStage(options);
  const { configuration, samples } = await openInputs(options);
  const stage = await openStage(configuration, samples, options);
  return { stage, samples, [Symbol.asyncDispose]: async () => {} };
}

type Inputs = {
  readonly text: string;
  readonly configuration: Configuration;
  readonly samples: SampleReader;
};

async function openInputs({ configPath, stage, dataPath }: TrainStageOptions): Promise<Inputs> {
  await expectInputFile(configPath, 'a configuration');
  const text = await readFile(configPath, 'utf8');
  const configuration = parseConfiguration(text, configPath);
  const samples = await openSamples(openRunFolder(dataPath).read, {
    ...configuration.training,
    batch: settingsOf(configuration, stage).batch,
  });
  if (samples.size === configuration.model.size) return { text, configuration, samples };
  throw new BadInputError({
    code: 'sample-size',
    message: `expected samples of ${configuration.model.size} pixels, got ${samples.size} in ${dataPath}`,
    hint: 'use the configuration that the samples were made for',
  });
}

async function openStage(
  configuration: Configuration,
  samples: SampleReader,
  options: TrainStageOptions,
): Promise<Stage> {
  const stage = await stageOf(configuration, samples, options);
  expectMemoryForStep(stage, options.device);
  return stage;
}

async function stageOf(
  configuration: Configuration,
  samples: SampleReader,
  options: TrainStageOptions,
): Promise<Stage> {
  const { stage: name, device, keepsEncoder = false } = options;
  const common = { configuration, samples, device };
  if (name === 'vae' && !keepsEncoder) return autoencoderStage(common);
  const weights = await weightsBefore(configuration, options);
  if (name === 'vae') return autoencoderStage({ ...common, encoderWeights: weights });
  const head = await loadEmbeddedHead();
  if (samples.headName !== head.name) {
    throw new BadInputError({
      code: 'sample-head',
      message: `expected samples of the head ${head.name}, got ${samples.headName}`,
      hint: 'write the samples again with the head that is installed',
    });
  }
  if (name === 'distill') return distillStage({ ...common, head, weights });
  return denoiserStage({ ...common, head, name, weights });
}

/** What a stage builds on: a finished model, or what the run has of the stage before. */
async function weightsBefore(
  { model }: Configuration,
  { stage, outPath, fromPath }: TrainStageOptions,
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
  if (stage !== 'distill') return stageWeights(outPath, stage === '2' ? '1' : 'vae');
  const last = existsSync(join(outPath, '2', WEIGHTS_FILE)) ? '2' : '1';
  const weights = await stageWeights(outPath, last);
  const hasAutoencoder = existsSync(join(outPath, 'vae', WEIGHTS_FILE));
  return hasAutoencoder ? withLatestDecoder(weights, await stageWeights(outPath, 'vae')) : weights;
}

/** The averaged weights of a stage that was trained before. */
async function stageWeights(outPath: string, stage: StageName): Promise<Weights> {
  const path = join(outPath, stage, WEIGHTS_FILE);
  await expectInputFile(path, `the weights of stage ${stage}`);
  return decodeWeights(new Uint8Array(await readFile(path)), path).weights;
}

function settingsOf({ training }: Configuration, stage: StageName): OptimiserConfig {
  const settings = { vae: training.vae, 1: training.stage1, 2: training.stage2, distill: training.distill };
  return settings[stage];
}
