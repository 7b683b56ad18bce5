// Training from files: the configuration, the folder of samples and the folder of the model come
// together here for one stage. The model's folder has one folder for each stage.

import { readFile } from 'node:fs/promises';
import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import type { Device } from '../tensor/index.ts';
import type { Configuration, LoopResult, Rehearsal, SampleReader, Stage } from '../training/index.ts';
import { openSamples, parseConfiguration, rehearseTraining } from '../training/index.ts';
import type { BatchSource } from './batch-job.ts';
import { withBatchThreads } from './batch-threads.ts';
import { expectInputFile } from './input-file.ts';
import { peakMemoryMb } from './memory.ts';
import { loadEmbeddedHead } from './model-files.ts';
import { openStage, type StageSource, settingsOf } from './open-stage.ts';
import { modelName, packAvatar } from './pack-avatar.ts';
import { expectMemoryForStep, type OpenedStage, runStage } from './run-stage.ts';
import { type SharedFiles, shareFolder } from './shared-samples.ts';
import { isPaperScale, openPaperStage, trainPaperStage } from './train-paper-stage.ts';

/** What to train, from where to where. */
export type TrainStageOptions = StageSource & {
  readonly configPath: string;
  readonly dataPath: string;
  readonly isResumed: boolean;
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
  const { configPath, stage: name, outPath, fromPath, keepsEncoder } = options;
  const { text, configuration, samples, files } = await openInputs(options);
  const own = await openStageThatFits(configuration, samples, options);
  const source: BatchSource = {
    ...{ configPath, text, files, stage: name, outPath },
    ...(fromPath === undefined ? {} : { fromPath }),
    ...(keepsEncoder === undefined ? {} : { keepsEncoder }),
  };
  await using stage = withBatchThreads(own, source);
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
  const stage = await openStageThatFits(configuration, samples, options);
  return { stage, samples, [Symbol.asyncDispose]: async () => {} };
}

type Inputs = {
  readonly text: string;
  readonly configuration: Configuration;
  readonly samples: SampleReader;
  /** The files of the samples. */
  readonly files: SharedFiles;
};

async function openInputs({ configPath, stage, dataPath }: TrainStageOptions): Promise<Inputs> {
  await expectInputFile(configPath, 'a configuration');
  const text = await readFile(configPath, 'utf8');
  const configuration = parseConfiguration(text, configPath);
  const { read, files } = shareFolder(dataPath);
  const samples = await openSamples(read, {
    ...configuration.training,
    batch: settingsOf(configuration, stage).batch,
  });
  if (samples.size === configuration.model.size) return { text, configuration, samples, files };
  throw new BadInputError({
    code: 'sample-size',
    message: `expected samples of ${configuration.model.size} pixels, got ${samples.size} in ${dataPath}`,
    hint: 'use the configuration that the samples were made for',
  });
}

/** @throws BadInputError where a step would not fit into memory, besides what `openStage` throws */
async function openStageThatFits(
  configuration: Configuration,
  samples: SampleReader,
  options: TrainStageOptions,
): Promise<Stage> {
  const stage = await openStage(configuration, samples, options);
  expectMemoryForStep(stage, options.device);
  return stage;
}
