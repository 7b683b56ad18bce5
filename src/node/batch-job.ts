// What a thread that makes batches runs: it opens what makes them once, on its own device with one thread, and makes the
// batches of the steps that it is asked for, one after the other.

import { type AnyTensor, onOneThread, type Tensor } from '../tensor/index.ts';
import { type FolderReader, openSamples, parseConfiguration, type Stage } from '../training/index.ts';
import { createDevice } from './onnx-device.ts';
import { openBatches, type StageSource, settingsOf } from './open-stage.ts';
import type { SharedFiles } from './shared-samples.ts';
import { isPaperText, openPaperBatches } from './train-paper-stage.ts';

/** What batches are made from: the same stage as the run's. */
export type BatchSource = StageSource & {
  readonly configPath: string;
  /** The configuration, as its file has it. */
  readonly text: string;
  readonly files: SharedFiles;
};

/** The source to open, before all else, or batches to make. */
export type BatchJob =
  | { readonly source: BatchSource }
  | {
      readonly steps: readonly number[];
      /** What the run knows of its latents; empty where the weights hold it. */
      readonly statistics: Readonly<Record<string, Tensor>>;
    };

type Batch = Record<string, AnyTensor>;

let opened: Promise<Pick<Stage, 'batchAt' | 'restore'>>;
/** The job before, which ends first: two at a time would both be late. */
let before: Promise<unknown> = Promise.resolve();

/** The batches of steps, as the stage of the run would make them; none of a source. */
export function makeBatches(job: BatchJob): Promise<Batch[]> {
  const made = before.then(() => ('source' in job ? open(job.source) : make(job)));
  before = made.catch(() => {});
  return made;
}

async function open(source: BatchSource): Promise<Batch[]> {
  opened = openForBatches(source);
  await opened;
  return [];
}

async function make({ steps, statistics }: Exclude<BatchJob, { source: unknown }>): Promise<Batch[]> {
  const stage = await opened;
  if (Object.keys(statistics).length > 0) stage.restore?.(statistics);
  const batches: Batch[] = [];
  for (const step of steps) batches.push(await stage.batchAt(step));
  return batches;
}

async function openForBatches({
  files,
  ...source
}: BatchSource): Promise<Pick<Stage, 'batchAt' | 'restore'>> {
  const { configPath, text } = source;
  const read: FolderReader = async (file) => files.get(file) ?? null;
  const device = onOneThread(await createDevice('cpu'));
  if (isPaperText(text)) return openPaperBatches({ ...source, read }, device);
  const configuration = parseConfiguration(text, configPath);
  const { batch } = settingsOf(configuration, source.stage);
  const samples = await openSamples(read, { ...configuration.training, batch });
  return openBatches(configuration, samples, { ...source, device });
}
