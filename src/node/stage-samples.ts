// The samples of a stage in shared memory, whatever `--data` names: a folder of them as it is; from datasets they are made
// first, into the run's folder, where the next stage or run finds them.

import { join } from 'node:path';
import { BadInputError } from '../errors/index.ts';
import type { EventSink } from '../events/index.ts';
import { type FolderReader, SAMPLE_INDEX_FILE, type StageName } from '../training/index.ts';
import { expectMemoryFor } from './memory.ts';
import { planSamples, prepareSamples, type SamplesPlan, samplesIndex } from './prepare-samples.ts';
import { openShardMaker } from './sample-shard-job.ts';
import { type SharedFiles, shareFolder } from './shared-samples.ts';
import { findTrainingData } from './training-data.ts';

/** Where samples come from and go to. */
export type StageSamplesOptions = {
  readonly dataPath: string;
  /** The model's folder: samples lie in its `samples`. */
  readonly outPath: string;
  readonly stage: StageName;
  /** Of samples from datasets: how many, and what they may take on disk. */
  readonly samples?: number;
  readonly cacheBytes?: number;
  readonly events?: EventSink;
  readonly signal?: AbortSignal;
};

/** What a configuration asks of its samples. */
export type SampleSizes = { readonly size: number; readonly clipFrames: number };

/** The files of samples: `read` gives them, `files` holds those that were read. */
export type StageSamples = { readonly read: FolderReader; readonly files: SharedFiles };

/** What making samples would take. */
export type Preparation = {
  readonly samples: number;
  readonly bytes: number;
  /** On one core. */
  readonly secondsEach: number;
};

/**
 * The samples that a stage learns from; makes what is missing of them.
 * @throws as `findTrainingData`, `planSamples` and `prepareSamples`; BadInputError `samples-are-made`, `too-little-memory`
 */
export async function stageSamples(options: StageSamplesOptions, sizes: SampleSizes): Promise<StageSamples> {
  const plan = await planOf(options, sizes);
  if (plan === null) return shareFolder(options.dataPath);
  const path = join(options.outPath, 'samples', options.stage === '2' ? 'clips' : 'singles');
  const { events, signal } = options;
  const what = `Training from ${plan.count} ${plan.frames === 1 ? 'samples' : 'clips'}`;
  expectMemoryFor(what, plan.bytes, { hint: 'lower --samples' });
  await prepareSamples(plan, path, { signal, ...(events === undefined ? {} : { events }) });
  // No run has begun: the same command goes on.
  signal?.throwIfAborted();
  return shareFolder(path);
}

/** As `stageSamples`, but a few samples are made in memory, and what the others would take is told. */
export async function rehearsedSamples(
  options: StageSamplesOptions,
  sizes: SampleSizes,
): Promise<StageSamples & { readonly preparation: Preparation | null }> {
  const plan = await planOf(options, sizes);
  if (plan === null) return { ...shareFolder(options.dataPath), preparation: null };
  const { sources, sizePx, frames, count, bytes } = plan;
  const few = Math.min(count, Math.ceil(REHEARSED_PICTURES / frames));
  await using maker = await openShardMaker({ sources, sizePx, frames });
  const began = performance.now();
  const { bytes: shard, ...entry } = await maker.make(0, few);
  const secondsEach = (performance.now() - began) / 1000 / few;
  const index = new TextEncoder().encode(JSON.stringify(samplesIndex(plan, [{ file: SHARD, ...entry }])));
  const files = new Map<string, Uint8Array>([
    [SAMPLE_INDEX_FILE, index],
    [SHARD, shard],
  ]);
  const preparation = { samples: count, bytes, secondsEach };
  return { read: async (file) => files.get(file) ?? null, files, preparation };
}

const REHEARSED_PICTURES = 8;
const SHARD = 'rehearsed.safetensors';

/** Null where the samples are made already. */
async function planOf(
  { dataPath, stage, samples, cacheBytes, events }: StageSamplesOptions,
  { size, clipFrames }: SampleSizes,
): Promise<SamplesPlan | null> {
  const data = await findTrainingData(dataPath, stage === '2' ? 'stage2' : 'stage1');
  if (data.kind === 'datasets') {
    const frames = stage === '2' ? clipFrames : 1;
    const { sources } = data;
    return planSamples({ sources, sizePx: size, frames, count: samples, maxBytes: cacheBytes }, events);
  }
  if (samples === undefined && cacheBytes === undefined) return null;
  throw new BadInputError({
    code: 'samples-are-made',
    message: `--${samples === undefined ? 'cache-gb' : 'samples'} is for datasets and mixtures, but ${dataPath} holds samples that are made already.`,
    hint: 'Leave it out, or name the datasets.',
  });
}
