// What a thread that makes batches runs: it opens the stage once, on its own device with one thread, and makes the
// batches of the steps that it is asked for.

import type { AnyTensor, Device, Tensor } from '../tensor/index.ts';
import { type FolderReader, openSamples, parseConfiguration, type Stage } from '../training/index.ts';
import { createDevice } from './onnx-device.ts';
import { openStage, type StageSource, settingsOf } from './open-stage.ts';
import type { SharedFiles } from './shared-samples.ts';
import { isPaperText, openPaperBatches } from './train-paper-stage.ts';

/** What batches are made from: the same stage as the run's. */
export type BatchSource = StageSource & {
  readonly configPath: string;
  /** The configuration, as its file has it. */
  readonly text: string;
  readonly files: SharedFiles;
};

/** One batch to make. */
export type BatchJob = {
  readonly source: BatchSource;
  readonly step: number;
  /** What the run knows of its latents; empty where the weights hold it. */
  readonly statistics: Readonly<Record<string, Tensor>>;
};

/** What a thread needs of a stage. */
type BatchStage = Pick<Stage, 'batchAt' | 'restore' | 'outsideState'>;

let opened: Promise<BatchStage> | null = null;

/** The batch of a step, as the stage of the run would make it. */
export async function makeBatch({ source, step, statistics }: BatchJob): Promise<Record<string, AnyTensor>> {
  opened ??= openForBatches(source);
  const stage = await opened;
  if (Object.keys(statistics).length > 0) stage.restore?.({ ...stage.outsideState?.(), ...statistics });
  return stage.batchAt(step);
}

async function openForBatches({ files, ...source }: BatchSource): Promise<BatchStage> {
  const { configPath, text } = source;
  const read: FolderReader = async (file) => files.get(file) ?? null;
  const cpu = await createDevice('cpu');
  const device: Device = {
    ...cpu,
    createSession: (model, options) => cpu.createSession(model, { ...options, threads: 1 }),
  };
  if (isPaperText(text)) return openPaperBatches({ ...source, read }, device);
  const configuration = parseConfiguration(text, configPath);
  const { batch } = settingsOf(configuration, source.stage);
  const samples = await openSamples(read, { ...configuration.training, batch });
  return openStage(configuration, samples, { ...source, device });
}
