// Training from files: the configuration, the samples and the folder of the model come together here for one stage. The
// model's folder has one folder for each stage, and one for the samples that were made for them.

import { readFile } from 'node:fs/promises';
import { BadInputError } from '../errors/index.ts';
import type { Device } from '../tensor/index.ts';
import type { Configuration, LoopResult, Rehearsal, SampleReader, Stage } from '../training/index.ts';
import { expectStart, openSamples, parseConfiguration, rehearseTraining } from '../training/index.ts';
import type { BatchSource } from './batch-job.ts';
import { withBatchThreads } from './batch-threads.ts';
import { expectInputFile } from './input-file.ts';
import { peakMemoryMb } from './memory.ts';
import { loadEmbeddedHead } from './model-files.ts';
import { expectForerunner, openStage, type StageSource, settingsOf } from './open-stage.ts';
import { modelName, packAvatar } from './pack-avatar.ts';
import { expectMemoryForStep, type OpenedStage, runStage, stageFolder } from './run-stage.ts';
import {
  type Preparation,
  rehearsedSamples,
  type SampleSizes,
  type StageSamples,
  type StageSamplesOptions,
  stageSamples,
} from './stage-samples.ts';
import { isPaperScale, openPaperStage, paperSampleSizes, trainPaperStage } from './train-paper-stage.ts';

/** What to train, from where to where. */
export type TrainStageOptions = StageSource &
  StageSamplesOptions & {
    readonly configPath: string;
    readonly isResumed: boolean;
    readonly steps?: number;
    readonly minutes?: number;
    readonly device: Device;
  };

/** How a run went, and the files that it keeps. */
export type TrainStageResult = LoopResult & { readonly outputs: readonly string[] };

/** What a stage is, costs and learns from. */
export type StageRehearsal = Rehearsal & {
  readonly samples: SampleReader['counts'];
  /** Of the samples that a run would make first; null where they are made already. */
  readonly preparation: Preparation | null;
  readonly peakMemoryMb: number;
};

/**
 * Trains one stage.
 * @throws BadInputError, MissingResourceError for files that are not there or do not fit.
 */
export async function trainStage(options: TrainStageOptions): Promise<TrainStageResult> {
  if (await isPaperScale(options.configPath)) return trainPaperStage(options);
  const { configPath, stage: name, outPath, fromPath, keepsEncoder } = options;
  const { text, configuration } = await readConfiguration(configPath);
  // What needs no samples is said before they are made.
  await expectStart(stageFolder(options), options);
  await expectForerunner(options);
  const made = await stageSamples(options, sampleSizes(configuration));
  const samples = await openStageSamples(configuration, made, options);
  const own = await openStageThatFits(configuration, samples, options);
  const source: BatchSource = {
    ...{ configPath, text, files: made.files, stage: name, outPath },
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
  await using opened = await openForRehearsal(options);
  const { stage, samples, preparation } = opened;
  const rehearsal = await rehearseTraining(stage, options.device);
  return { ...rehearsal, samples: samples.counts, preparation, peakMemoryMb: peakMemoryMb() };
}

type OpenedForRehearsal = Pick<OpenedStage, 'stage' | 'samples'> &
  Pick<StageRehearsal, 'preparation'> &
  AsyncDisposable;

async function openForRehearsal(options: TrainStageOptions): Promise<OpenedForRehearsal> {
  const { configPath } = options;
  if (await isPaperScale(configPath)) {
    const { preparation, ...made } = await rehearsedSamples(options, await paperSampleSizes(configPath));
    return { ...(await openPaperStage(options, made)), preparation };
  }
  const { configuration } = await readConfiguration(configPath);
  await expectForerunner(options);
  const { preparation, ...made } = await rehearsedSamples(options, sampleSizes(configuration));
  const samples = await openStageSamples(configuration, made, options);
  const stage = await openStageThatFits(configuration, samples, options);
  return { stage, samples, preparation, [Symbol.asyncDispose]: async () => {} };
}

async function readConfiguration(
  path: string,
): Promise<{ readonly text: string; readonly configuration: Configuration }> {
  await expectInputFile(path, 'a configuration');
  const text = await readFile(path, 'utf8');
  return { text, configuration: parseConfiguration(text, path) };
}

function sampleSizes({ model, training }: Configuration): SampleSizes {
  return { size: model.size, clipFrames: training.stage2.frames };
}

async function openStageSamples(
  configuration: Configuration,
  { read }: StageSamples,
  { stage, dataPath }: TrainStageOptions,
): Promise<SampleReader> {
  const { batch } = settingsOf(configuration, stage);
  const samples = await openSamples(read, { ...configuration.training, batch });
  if (samples.size === configuration.model.size) return samples;
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
