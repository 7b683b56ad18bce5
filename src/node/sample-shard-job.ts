// One shard of training samples from datasets, made on a worker thread: positions of a stream that all threads share, each
// sample carried to its target's head. The same positions always give the same bytes.

import { createHeadMirror, openSampleStream } from '../dataset/index.ts';
import { createLiftTools } from '../lift/index.ts';
import {
  avatarFraming,
  encodeSampleShard,
  learningSamples,
  type SampleLabel,
  type TrainingSample,
} from '../training/index.ts';
import { datasetFolder } from './dataset-folder.ts';
import { pictureDecoders } from './dataset-pictures.ts';
import { loadEmbeddedHead } from './model-files.ts';
import { type DataSource, openLessons } from './training-data.ts';

/** Which positions of which stream. */
export type SampleShardJob = {
  readonly sources: readonly DataSource[];
  readonly sizePx: number;
  /** Targets of a sample: 1, or consecutive frames of a clip. */
  readonly frames: number;
  readonly first: number;
  readonly count: number;
};

/** A shard, and what its folder's index says of it; the lists have an entry for each picture. */
export type MadeShard = {
  readonly bytes: Uint8Array;
  readonly labels: readonly SampleLabel[];
  readonly subjects: readonly number[];
};

const SEED = 1;
const FLIPPED_SHARE = 0.5;

/** Makes shards of one stream. Owns the datasets' files: hold it with `await using`. */
export type ShardMaker = AsyncDisposable & { make(first: number, count: number): Promise<MadeShard> };

/** Opens datasets for shards. @throws as `openDataset` and `openSampleStream`; `make` as `SampleStream.at` */
export async function openShardMaker({
  sources,
  frames,
  sizePx,
}: Omit<SampleShardJob, 'first' | 'count'>): Promise<ShardMaker> {
  const tools = createLiftTools(await loadEmbeddedHead());
  const disks = sources.map(({ folder }) => datasetFolder(folder));
  const datasets = sources.map(async ({ weight }, i) => ({ dataset: await openLessons(disks[i]!), weight }));
  const stream = openSampleStream({
    sources: await Promise.all(datasets),
    decoders: pictureDecoders,
    seed: SEED,
    ...{ frames, sizePx, framing: avatarFraming(tools.poser) },
    augmentation: { cropJitter: 0, colour: 0, flip: FLIPPED_SHARE },
    mirror: createHeadMirror(tools.head),
  });
  return {
    async make(first, count) {
      const samples: TrainingSample[] = [];
      for (let position = first; position < first + count; position++) {
        const taken = await stream.at(position);
        const { name: source } = sources[taken.source]!;
        samples.push(...learningSamples(tools, taken, SEED).map((sample) => ({ ...sample, source })));
      }
      return {
        bytes: encodeSampleShard({ size: sizePx, headName: tools.head.name, samples }),
        labels: samples.map(({ label }) => label),
        subjects: samples.map(({ subject }) => subject),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const disk of disks) await disk[Symbol.asyncDispose]();
    },
  };
}

/** Open for as long as the thread lives: all of its jobs are of one stream. */
let opened: Promise<ShardMaker> | null = null;

/** Makes a shard on a thread of its own. @throws as `openShardMaker` */
export async function makeSampleShard({ first, count, ...stream }: SampleShardJob): Promise<MadeShard> {
  opened ??= openShardMaker(stream);
  return (await opened).make(first, count);
}
