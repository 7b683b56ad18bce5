// Training at the paper's scale from files: as `trainStage`, with weights that were imported or begin fresh. What comes
// out is a file of weights as `weights import` makes them, Gaussians included.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { safetensorsChunks, type TensorFile, WEIGHTS_FORMAT } from '../checkpoints/index.ts';
import { BadInputError } from '../errors/index.ts';
import { bindGaussians, fieldMetadata, fieldParameters, initialiseField } from '../gaussians/index.ts';
import { createHeadPoser, type HeadModel, neutralParameters } from '../head/index.ts';
import {
  openSamples,
  type PaperConfiguration,
  paperStage,
  parsePaperConfiguration,
  WEIGHTS_FILE,
} from '../training/index.ts';
import { expectInputFile } from './input-file.ts';
import { loadEmbeddedHead } from './model-files.ts';
import { modelName } from './pack-avatar.ts';
import { openRunFolder } from './run-folder.ts';
import { expectMemoryForStep, type OpenedStage, runStage } from './run-stage.ts';
import { writeFileAtomic } from './temporary-files.ts';
import type { TrainStageOptions, TrainStageResult } from './train-stage.ts';
import { type OpenedWeights, openWeightsFiles } from './weights-files.ts';

/** Whether a configuration is of the paper's scale. */
export async function isPaperScale(configPath: string): Promise<boolean> {
  await expectInputFile(configPath, 'a configuration');
  return /"family"\s*:\s*"stable-diffusion"/.test(await readFile(configPath, 'utf8'));
}

/** What a stage of the paper's scale is made of; disposing of it closes the weights that it began from. */
export type OpenedPaperStage = OpenedStage &
  AsyncDisposable & {
    readonly configuration: PaperConfiguration;
    readonly head: HeadModel;
  };

/** Opens a stage. @throws BadInputError, MissingResourceError for files that are not there or do not fit. */
export async function openPaperStage(options: TrainStageOptions): Promise<OpenedPaperStage> {
  const { configPath, stage: name, dataPath, device } = options;
  const text = await readFile(configPath, 'utf8');
  const configuration = parsePaperConfiguration(text, configPath);
  if (name !== '1' && name !== '2') {
    throw new BadInputError({
      code: 'no-such-stage',
      message: `${configPath} has the stages 1 and 2, got --stage ${name}`,
      hint: "its autoencoder is Stable Diffusion's and is not trained",
    });
  }
  const { model, training } = configuration;
  const { batch } = name === '1' ? training.stage1 : training.stage2;
  const samples = await openSamples(openRunFolder(dataPath).read, { ...training, batch });
  const head = await loadEmbeddedHead();
  if (samples.size !== model.size || samples.headName !== head.name) {
    throw new BadInputError({
      code: samples.size === model.size ? 'sample-head' : 'sample-size',
      message: `expected samples of ${model.size} pixels and the head ${head.name}, got ${samples.size} and ${samples.headName}`,
      hint: 'use the configuration that the samples were made for',
    });
  }
  const before = await openWeightsBefore(options);
  try {
    const { tensors: weights } = before.files[0] ?? { tensors: new Map() };
    const stage = await paperStage({ configuration, samples, device, head, name, weights });
    expectMemoryForStep(stage, device);
    const dispose = async (): Promise<void> => before[Symbol.asyncDispose]();
    return { configuration, text, head, samples, stage, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await before[Symbol.asyncDispose]();
    throw error;
  }
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
  await using opened = await openPaperStage(options);
  const { configuration, head } = opened;
  return { configuration, head, result: await runStage(opened, options) };
}

/** Imported weights, or what the run has of the first stage; none begins fresh. */
async function openWeightsBefore({ stage, outPath, fromPath }: TrainStageOptions): Promise<OpenedWeights> {
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
  const layout = initialiseField(bindGaussians(head), rest, 0, { channels: model.gaussianChannels });
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
