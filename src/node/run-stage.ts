// A stage that is opened, run in its folder: configuration, checkpoints, curves, pictures and report, as compact and
// paper-scale training both keep them.

import { join } from 'node:path';
import { BadInputError } from '../errors/index.ts';
import type { Device } from '../tensor/index.ts';
import {
  CHECKPOINT_INDEX,
  CONFIGURATION_FILE,
  type LoopOptions,
  listCheckpoints,
  type RunFolder,
  runTraining,
  type SampleReader,
  type Stage,
  stepBytes,
  WEIGHTS_FILE,
} from '../training/index.ts';
import { expectMemoryFor } from './memory.ts';
import { modelName } from './pack-avatar.ts';
import { openRunFolder } from './run-folder.ts';
import type { TrainStageOptions, TrainStageResult } from './train-stage.ts';
import { PAGE_FILE, REPORT_FILE, writeTrainingPage, writeTrainingReport } from './training-report.ts';

/** What a stage is opened as. */
export type OpenedStage = {
  readonly stage: Stage;
  /** The configuration, as its file has it. */
  readonly text: string;
  readonly samples: SampleReader;
};

/** @throws BadInputError before anything starts, where a step would not fit; a GPU's own memory is not known. */
export function expectMemoryForStep({ name, problem }: Stage, device: Device): void {
  if (device.name !== 'cpu') return;
  expectMemoryFor(`the step of stage ${name}`, stepBytes(problem), {
    hint: 'lower the batch of this stage in the configuration, or set its microBatches, recomputesBlocks and quantisesMoments',
  });
}

/** Where the files of a stage lie. */
export function stageFolder({ outPath, stage }: Pick<TrainStageOptions, 'outPath' | 'stage'>): RunFolder {
  return openRunFolder(join(outPath, stage));
}

/** Runs a stage. @throws as `runTraining`, and BadInputError `too-few-people` where nobody can be kept for validation */
export async function runStage(
  { stage, text, samples }: OpenedStage,
  options: TrainStageOptions,
): Promise<TrainStageResult> {
  const { configPath, stage: name, outPath } = options;
  if (samples.validation.length === 0) throw tooFewPeople();
  const path = join(outPath, name);
  const folder = stageFolder(options);
  const keepConfiguration = (): Promise<void> => folder.write(CONFIGURATION_FILE, text);
  const page = (): Promise<void> => writeTrainingPage(folder, { stage: name, title: modelName(configPath) });
  // A run that is there keeps its configuration until this one has turned out to fit its checkpoint.
  if ((await listCheckpoints(folder)).length === 0) await keepConfiguration();
  const loop: LoopOptions = {
    ...{ ...options, stage, folder },
    async afterSave() {
      await keepConfiguration();
      await page();
    },
  };
  const result = await runTraining(loop);
  await writeTrainingReport(folder, { stage: name, counts: samples.counts, result });
  await page();
  const files = [CHECKPOINT_INDEX, WEIGHTS_FILE, REPORT_FILE, PAGE_FILE];
  return { ...result, outputs: files.map((file) => join(path, file)) };
}

function tooFewPeople(): BadInputError {
  return new BadInputError({
    code: 'too-few-people',
    message:
      'Expected samples of two people or more of one label, so that one of them is kept for validation.',
    hint: 'Add people to the data.',
  });
}
