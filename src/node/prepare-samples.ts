// Training samples from datasets: planned before anything is made, made once by threads, and kept in a folder of shards, which
// a run that was killed continues. A sample is a function of the datasets and its position alone.

import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openSampleStream } from '../dataset/index.ts';
import { BadInputError } from '../errors/index.ts';
import { type EventSink, silentSink } from '../events/index.ts';
import {
  SAMPLE_INDEX_FILE,
  SHARD_FORMAT,
  type ShardEntry,
  type ShardIndex,
  sampleBytes,
} from '../training/index.ts';
import { type DatasetLock, lockDataset } from './dataset-lock.ts';
import { pictureDecoders } from './dataset-pictures.ts';
import { loadEmbeddedHead } from './model-files.ts';
import type { MadeShard, SampleShardJob } from './sample-shard-job.ts';
import { expectWritable, writeFileAtomic } from './temporary-files.ts';
import { contentDigest, type DataSource, type OpenSource, openSource } from './training-data.ts';
import { expectRoomFor } from './weights-files.ts';
import { WorkerPool } from './worker-pool.ts';

/** Which samples are wanted. */
export type SamplesRequest = {
  readonly sources: readonly DataSource[];
  readonly sizePx: number;
  /** Pictures of a sample: 1, or those of a clip. */
  readonly frames: number;
  /** How many samples, a clip being one; by default as many as the datasets are good for. */
  readonly count?: number | undefined;
  /** What they may take on disk; the default is `CACHE_BYTES`. */
  readonly maxBytes?: number | undefined;
  /** Pictures of a shard, which is what a kill costs; the default takes a fraction of a minute. */
  readonly shardPictures?: number;
};

/** What is going to be made. */
export type SamplesPlan = Omit<SamplesRequest, 'count' | 'maxBytes' | 'shardPictures'> & {
  readonly count: number;
  readonly headName: string;
  /** On disk, and in memory while a stage trains. */
  readonly bytes: number;
  /** Differs where other samples would be made. */
  readonly origin: string;
  readonly shards: readonly { readonly file: string; readonly first: number; readonly count: number }[];
};

/** Room for the samples of a run, where nothing else is asked for. */
export const CACHE_BYTES = 4e9;
/** Pictures of which a sample takes another reference each time it comes, and a still another way. */
const SAMPLES_A_FRAME = 4;
const MOST_PICTURES = 4000;
const PICTURES_A_SHARD = 32;
const MOST_WORKERS = 4;
const SHARD_FILE = /^\.?dataset-\d{6}\.safetensors/;

/**
 * Looks at the datasets and decides what to make; writes nothing.
 * @throws BadInputError `sample-head`, `no-usable-clips`, `mixed-heads`, `too-many-samples`; as `openDataset`
 */
export async function planSamples(
  {
    sources,
    sizePx,
    frames,
    count,
    maxBytes = CACHE_BYTES,
    shardPictures = PICTURES_A_SHARD,
  }: SamplesRequest,
  events: EventSink = silentSink,
): Promise<SamplesPlan> {
  const { name: headName } = await loadEmbeddedHead();
  const open: OpenSource[] = [];
  for (const source of sources) {
    const { dataset } = await openSource(source, headName);
    open.push({ ...source, dataset });
    if (dataset.header.totals !== null) continue;
    const message = `${source.folder} is not complete: its ${dataset.shards} finished shards are used.`;
    events({ kind: 'log', level: 'warning', message });
  }
  // Says where nothing can be drawn from.
  openSampleStream({ sources: open, decoders: pictureDecoders, seed: 0, frames, sizePx });
  const bytesEach = frames * sampleBytes(sizePx);
  const fitting = Math.floor(maxBytes / bytesEach);
  if (fitting < (count ?? 1)) throw tooMany({ count: count ?? 1, sizePx, frames }, bytesEach, maxBytes);
  const good = open.reduce((sum, source) => sum + runsIn(source, frames), 0);
  const wanted = Math.min(SAMPLES_A_FRAME * good, Math.floor(MOST_PICTURES / frames));
  const planned = count ?? Math.min(wanted, fitting);
  const drawn = open.map(({ name, weight, dataset }) => ({ name, weight, content: contentDigest(dataset) }));
  return {
    ...{ sources, sizePx, frames, headName, count: planned, bytes: planned * bytesEach },
    origin: JSON.stringify({ version: 1, sizePx, frames, headName, sources: drawn }),
    shards: shardsOf(planned, Math.max(1, Math.floor(shardPictures / frames))),
  };
}

/** How many runs of frames a source has side by side. */
function runsIn({ dataset }: OpenSource, frames: number): number {
  return dataset.clips
    .filter(({ split, isTracked }) => split === 'train' && isTracked)
    .filter(({ kind }) => frames === 1 || kind === 'sequence')
    .reduce((sum, clip) => sum + Math.floor(clip.frames / frames), 0);
}

function shardsOf(count: number, each: number): SamplesPlan['shards'] {
  return Array.from({ length: Math.ceil(count / each) }, (_, i) => ({
    file: `dataset-${String(i * each).padStart(6, '0')}.safetensors`,
    first: i * each,
    count: Math.min(each, count - i * each),
  }));
}

/** How the making of samples goes. */
export type PrepareOptions = {
  readonly workers?: number;
  readonly events?: EventSink;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Makes the samples of a plan that a folder lacks; samples of another origin that were made there before give way.
 * @throws BadInputError `other-samples` where the folder holds samples that this did not make; `dataset-in-use`,
 *   `disk-full`; FaultError if the disk fails
 */
export async function prepareSamples(
  plan: SamplesPlan,
  path: string,
  {
    workers = Math.min(MOST_WORKERS, availableParallelism()),
    events = silentSink,
    signal,
  }: PrepareOptions = {},
): Promise<void> {
  await expectWritable(join(path, SAMPLE_INDEX_FILE));
  const lock: DatasetLock = lockDataset(path);
  try {
    const kept = await keptShards(plan, path, events);
    const queue = plan.shards.filter(({ file }) => !kept.has(file));
    if (queue.length === 0) return;
    const share = queue.reduce((sum, { count }) => sum + count, 0) / plan.count;
    await expectRoomFor(
      join(path, SAMPLE_INDEX_FILE),
      share * plan.bytes,
      'free some of it, or lower --samples',
    );
    await using pool = new WorkerPool<SampleShardJob, MadeShard>({
      module: new URL('./sample-shard-job.ts', import.meta.url),
      functionName: 'makeSampleShard',
      size: Math.min(workers, queue.length),
    });
    let done = plan.count - share * plan.count;
    const tell = (): void =>
      events({
        kind: 'progress',
        stage: 'prepare',
        done: Math.round(done),
        total: plan.count,
        unit: 'samples',
      });
    /** One after the other, so that none is older than the one before. */
    let indexing: Promise<void> = Promise.resolve();
    const { sources, sizePx, frames } = plan;
    const makeShards = async (): Promise<void> => {
      for (let shard = queue.shift(); shard !== undefined; shard = queue.shift()) {
        signal?.throwIfAborted();
        const { file, first, count } = shard;
        const { bytes, ...entry } = await pool.run({ sources, sizePx, frames, first, count });
        await writeFileAtomic(join(path, file), bytes);
        kept.set(file, { file, ...entry, bytes: bytes.length });
        const index = JSON.stringify(samplesIndex(plan, kept.values()));
        indexing = indexing.then(() => writeFileAtomic(join(path, SAMPLE_INDEX_FILE), index));
        await indexing;
        done += count;
        tell();
      }
    };
    tell();
    await Promise.all(Array.from({ length: Math.min(workers, queue.length) }, makeShards));
  } finally {
    lock.release();
  }
}

/** The shards of a plan that a folder has whole; what else it was given by an earlier plan is removed. */
async function keptShards(
  plan: SamplesPlan,
  path: string,
  events: EventSink,
): Promise<Map<string, ShardEntry>> {
  const { origin, shards, frames } = plan;
  const index = await readIndex(join(path, SAMPLE_INDEX_FILE));
  if (index !== null && index.origin === undefined) throw otherSamples(path);
  const isSame = index?.origin === origin;
  if (index !== null && !isSame) {
    const message = `${path} holds samples of other data or another size: they are made anew.`;
    events({ kind: 'log', level: 'warning', message });
    await rm(join(path, SAMPLE_INDEX_FILE));
  }
  const kept = new Map<string, ShardEntry>();
  for (const { file, count } of isSame ? shards : []) {
    const entry = index!.shards.find((known) => known.file === file);
    if (entry?.labels.length !== count * frames) continue;
    const length = await stat(join(path, file)).then(
      ({ size }) => size,
      () => -1,
    );
    if (length === entry.bytes) kept.set(file, entry);
  }
  if (isSame && kept.size < index!.shards.length) {
    await writeFileAtomic(join(path, SAMPLE_INDEX_FILE), JSON.stringify(samplesIndex(plan, kept.values())));
  }
  for (const file of await readdir(path)) {
    if (SHARD_FILE.test(file) && !kept.has(file)) await rm(join(path, file), { force: true });
  }
  return kept;
}

/** Null where there is none, or none that can be read: then shards are made again. */
async function readIndex(file: string): Promise<ShardIndex | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ShardIndex;
  } catch {
    return null;
  }
}

/** The index of a plan's folder while it has some of its shards. */
export function samplesIndex(
  { sizePx: size, headName, sources, origin }: SamplesPlan,
  entries: Iterable<ShardEntry>,
): ShardIndex {
  const mixture = Object.fromEntries(sources.map(({ name, weight }) => [name, weight]));
  const shards = [...entries].sort((a, b) => a.file.localeCompare(b.file));
  return { format: SHARD_FORMAT, version: 1, size, headName, mixture, origin, shards };
}

function tooMany(
  { count, sizePx, frames }: { readonly count: number; readonly sizePx: number; readonly frames: number },
  bytesEach: number,
  maxBytes: number,
): BadInputError {
  const gigabytes = (n: number): string => `${Number((n / 1e9).toPrecision(2))} GB`;
  const what = frames === 1 ? `${count} samples` : `${count} clips of ${frames} frames`;
  return new BadInputError({
    code: 'too-many-samples',
    message: `${what} of ${sizePx} pixels take ${gigabytes(count * bytesEach)}, but --cache-gb allows ${gigabytes(maxBytes)}.`,
    hint: 'Ask for fewer --samples, or raise --cache-gb.',
  });
}

function otherSamples(path: string): BadInputError {
  return new BadInputError({
    code: 'other-samples',
    message: `Expected ${path} to be empty or to hold samples that were made from datasets, but it holds others.`,
    hint: 'Name another folder.',
  });
}
