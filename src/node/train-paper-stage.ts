// Training at the paper's scale from files: as `trainStage`, with weights that were imported or begin fresh. What comes
// out is a file of weights as `weights import` makes them, Gaussians included.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { safetensorsChunks, type TensorFile, WEIGHTS_FORMAT } from '../checkpoints/index.ts';
import { BadInputError } from '../errors/index.ts';
import { bindGaussians, fieldMetadata, fieldParameters, initialiseField } from '../gaussians/index.ts';
import { createHeadPoser, type HeadModel, neutralParameters } from '../head/index.ts';
import type { Device } from '../tensor/index.ts';
import {
  expectStart,
  type FolderReader,
  openSamples,
  type PaperBatches,
  type PaperConfiguration,
  type PaperStageOptions,
  paperBatches,
  paperStage,
  parsePaperConfiguration,
  type StageName,
  WEIGHTS_FILE,
} from '../training/index.ts';
import type { BatchSource } from './batch-job.ts';
import { withBatchThreads } from './batch-threads.ts';
import { expectInputFile } from './input-file.ts';
import { loadEmbeddedHead } from './model-files.ts';
import type { StageSource } from './open-stage.ts';
import { modelName } from './pack-avatar.ts';
import { expectMemoryForStep, type OpenedStage, runStage, stageFolder } from './run-stage.ts';
import { type SampleSizes, type StageSamples, stageSamples } from './stage-samples.ts';
import { writeFileAtomic } from './temporary-files.ts';
import type { TrainStageOptions, TrainStageResult } from './train-stage.ts';
import { type OpenedWeights, openWeightsFiles } from './weights-files.ts';

/** Threads that make batches: each holds an encoder, of more than a GB at full width. */
const PAPER_THREADS = 2;

/** Whether a configuration is of the paper's scale. */
export async function isPaperScale(configPath: string): Promise<boolean> {
  await expectInputFile(configPath, 'a configuration');
  return isPaperText(await readFile(configPath, 'utf8'));
}

/** Whether the text of a configuration is of the paper's scale. */
export function isPaperText(text: string): boolean {
  return /"family"\s*:\s*"stable-diffusion"/.test(text);
}

/** What a stage of the paper's scale is made of; disposing of it closes the weights that it began from. */
export type OpenedPaperStage = OpenedStage &
  AsyncDisposable & {
    readonly configuration: PaperConfiguration;
    readonly head: HeadModel;
  };

/** What a configuration asks of its samples. */
export async function paperSampleSizes(configPath: string): Promise<SampleSizes> {
  const { model, training } = parsePaperConfiguration(await readFile(configPath, 'utf8'), configPath);
  return { size: model.size, clipFrames: training.stage2.frames };
}

/** A stage of the paper's scale, and where what it builds on lies. */
export type PaperSource = StageSource & {
  readonly configPath: string;
  /** The configuration, as its file has it. */
  readonly text: string;
  /** Gives the files of the samples. */
  readonly read: FolderReader;
};

/** Opens a stage. @throws BadInputError, MissingResourceError for files that are not there or do not fit. */
export async function openPaperStage(
  options: TrainStageOptions,
  { read }: Pick<StageSamples, 'read'>,
): Promise<OpenedPaperStage> {
  const { configPath, device } = options;
  const text = await readFile(configPath, 'utf8');
  const { before, ...inputs } = await openPaperInputs({ ...options, text, read });
  try {
    const stage = await paperStage({ ...inputs, device });
    expectMemoryForStep(stage, device);
    return { ...inputs, text, stage, [Symbol.asyncDispose]: async () => before[Symbol.asyncDispose]() };
  } catch (error) {
    await before[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opens what makes the batches of a stage, for as long as the process or thread runs. @throws as `openPaperStage` */
export async function openPaperBatches(source: PaperSource, device: Device): Promise<PaperBatches> {
  const { before, ...inputs } = await openPaperInputs(source);
  try {
    return await paperBatches({ ...inputs, device });
  } finally {
    await before[Symbol.asyncDispose]();
  }
}

async function openPaperInputs(
  source: PaperSource,
): Promise<Omit<PaperStageOptions, 'device'> & { readonly before: OpenedWeights }> {
  const { configPath, text, stage: name, read } = source;
  const configuration = parsePaperConfiguration(text, configPath);
  if (name !== '1' && name !== '2') throw noSuchStage(configPath, name);
  const { model, training } = configuration;
  const { batch } = name === '1' ? training.stage1 : training.stage2;
  const samples = await openSamples(read, { ...training, batch });
  const head = await loadEmbeddedHead();
  if (samples.size !== model.size || samples.headName !== head.name) {
    throw new BadInputError({
      code: samples.size === model.size ? 'sample-head' : 'sample-size',
      message: `expected samples of ${model.size} pixels and the head ${head.name}, got ${samples.size} and ${samples.headName}`,
      hint: 'use the configuration that the samples were made for',
    });
  }
  const before = await openWeightsBefore(source);
  const { tensors: weights } = before.files[0] ?? { tensors: new Map() };
  return { configuration, samples, head, name, weights, before };
}

function noSuchStage(configPath: string, stage: StageName): BadInputError {
  return new BadInputError({
    code: 'no-such-stage',
    message: `${configPath} has the stages 1 and 2, got --stage ${stage}`,
    hint: "its autoencoder is Stable Diffusion's and is not trained",
  });
}

/** Trains one stage. @throws as `openPaperStage` and `runTraining`. */
export async function trainPaperStage(options: TrainStageOptions): Promise<TrainStageResult> {
  const { configPath, stage: name, outPath } = options;
  const packed = join(outPath, `${modelName(configPath)}.safetensors`);
  const { result, ...made } = await run(options);
  await using trained = await openWeightsFiles(join(outPath, name, WEIGHTS_FILE));
  await writeFileAtomic(packed, packedChunks(trained.files[0]!, made));
  return { ...result, outputs: [...result.outputs, packed] };
}

async function run(
  options: TrainStageOptions,
): Promise<Pick<OpenedPaperStage, 'configuration' | 'head'> & { readonly result: TrainStageResult }> {
  const { configPath, stage: name, outPath, fromPath, device } = options;
  const sizes = await paperSampleSizes(configPath);
  if (name !== '1' && name !== '2') throw noSuchStage(configPath, name);
  // What needs no samples is said before they are made.
  await expectStart(stageFolder(options), options);
  const made = await stageSamples(options, sizes);
  await using opened = await openPaperStage(options, made);
  const { configuration, head, text } = opened;
  if (device.name !== 'cpu') return { configuration, head, result: await runStage(opened, options) };
  const source: BatchSource = {
    ...{ configPath, text, files: made.files, stage: name, outPath },
    ...(fromPath === undefined ? {} : { fromPath }),
  };
  await using stage = withBatchThreads(opened.stage, source, { threads: PAPER_THREADS, most: PAPER_THREADS });
  return { configuration, head, result: await runStage({ ...opened, stage }, options) };
}

/** Imported weights, or what the run has of the first stage; none begins fresh. */
async function openWeightsBefore({ stage, outPath, fromPath }: StageSource): Promise<OpenedWeights> {
  const first = join(outPath, '1', WEIGHTS_FILE);
  const path = fromPath ?? (stage === '2' && existsSync(first) ? first : undefined);
  if (path !== undefined) return openWeightsFiles(path);
  return { files: [], [Symbol.asyncDispose]: async () => {} };
}

/** What a run has learned as a file of weights, tensor by tensor. */
function packedChunks(
  { tensors }: TensorFile,
  { configuration: { model }, head }: Pick<OpenedPaperStage, 'configuration' | 'head'>,
): AsyncIterable<Uint8Array> {
  const rest = createHeadPoser(head).pose(neutralParameters(head));
  const layout = initialiseField(bindGaussians(head, { uvSize: model.uvSize }), rest, 0, {
    channels: model.gaussianChannels,
  });
  const names = new Set(Object.keys(fieldParameters(layout)));
  const isShipped = (key: string): boolean =>
    /^(vae|unet|reference_unet|guidance|label_embedding)\./.test(key);
  const kept = [...tensors.values()].filter(({ name }) => names.has(name) || isShipped(name));
  const metadata = {
    ...{ format: WEIGHTS_FORMAT, version: '1', config: JSON.stringify(model), headName: head.name },
    ...fieldMetadata(layout),
  };
  return safetensorsChunks(
    kept.map((held) => ({ ...held, writtenType: 'float32' })),
    metadata,
  );
}
