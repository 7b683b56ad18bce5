// The samples of a folder of shards in training order: shuffled anew each epoch, labels mixed by share,
// the last subjects kept for validation. The order is a function of the seed and the step alone, so a
// run that resumes sees what an uninterrupted one would have seen.

import { BadInputError, MissingResourceError } from '../errors/index.ts';
import { createRandom, deriveSeed } from '../tensor/index.ts';
import type { SampleLabel, ShardIndex, TrainingSample } from './sample-shard.ts';
import { decodeSampleShard, SAMPLE_LABELS, SHARD_FORMAT } from './sample-shard.ts';

/** Where the files of a folder come from; `null` where there is none of the name. */
export type FolderReader = (file: string) => Promise<Uint8Array | null>;

/** The samples of a folder. */
export type SampleReader = {
  readonly size: number;
  readonly headName: string;
  /** Number of training samples of each label. */
  readonly counts: Readonly<Record<SampleLabel, number>>;
  /** The batch of a step (from 0). */
  batchAt(step: number): TrainingSample[];
  /**
   * The clips of a step (from 0): runs of `frames` samples of one subject that stand side by side in a shard.
   * @throws BadInputError if there is no such run.
   */
  clipsAt(step: number, frames: number): TrainingSample[][];
  /** Samples of subjects that no batch has, labels alternating. */
  readonly validation: readonly TrainingSample[];
  /** Training samples in no particular order, for statistics. */
  readonly training: readonly TrainingSample[];
};

/** Options of `openSamples`. */
export type SampleReaderOptions = {
  readonly batch: number;
  readonly seed: number;
  /** Share of real samples, where both labels exist. */
  readonly realShare: number;
  readonly validationSubjects: number;
};

/**
 * Loads all shards of a folder into memory (about 0.7 MB a sample at 256 x 256).
 * @throws MissingResourceError if there is no index or a shard is gone; BadInputError if one is damaged.
 */
export async function openSamples(
  read: FolderReader,
  { batch, seed, realShare, validationSubjects }: SampleReaderOptions,
): Promise<SampleReader> {
  const index = parseIndex(await mustRead(read, 'index.json'));
  const samples: TrainingSample[] = [];
  for (const { file } of index.shards) {
    samples.push(...decodeSampleShard(await mustRead(read, file), file).samples);
  }
  const byLabel = Object.fromEntries(
    SAMPLE_LABELS.map((label) => {
      const own = samples.filter((sample) => sample.label === label);
      const subjects = [...new Set(own.map((s) => s.subject))].sort((a, b) => a - b);
      const heldOut = new Set(subjects.slice(Math.max(1, subjects.length - validationSubjects)));
      return [
        label,
        {
          training: own.filter((s) => !heldOut.has(s.subject)),
          validation: own.filter((s) => heldOut.has(s.subject)),
        },
      ];
    }),
  ) as Record<SampleLabel, { training: TrainingSample[]; validation: TrainingSample[] }>;
  const counts = { real: byLabel.real.training.length, synthetic: byLabel.synthetic.training.length };
  if (counts.real + counts.synthetic === 0) {
    throw new BadInputError({
      code: 'no-samples',
      message: 'expected training samples, but the shards hold none',
      hint: 'write the samples again',
    });
  }
  const share = counts.synthetic === 0 ? 1 : counts.real === 0 ? 0 : realShare;
  let clips: { readonly frames: number; readonly all: TrainingSample[][] } | null = null;
  const draw = (label: SampleLabel, position: number): TrainingSample => {
    const own = byLabel[label].training;
    const epoch = Math.floor(position / own.length);
    const order = permutation(own.length, deriveSeed(seed, SAMPLE_LABELS.indexOf(label), epoch));
    return own[order[position % own.length]!]!;
  };
  return {
    size: index.size,
    headName: index.headName,
    counts,
    batchAt(step) {
      const realBefore = Math.floor(step * batch * share);
      const realAfter = Math.floor((step + 1) * batch * share);
      return Array.from({ length: batch }, (_, slot) =>
        slot < realAfter - realBefore
          ? draw('real', realBefore + slot)
          : draw('synthetic', step * batch - realBefore + slot - (realAfter - realBefore)),
      );
    },
    clipsAt(step, frames) {
      if (clips?.frames !== frames) {
        const training = new Set([...byLabel.real.training, ...byLabel.synthetic.training]);
        clips = {
          frames,
          all: runsOf(
            samples.filter((s) => training.has(s)),
            frames,
          ),
        };
      }
      const { all } = clips;
      if (all.length === 0) throw noClips(frames);
      return Array.from({ length: batch }, (_, slot) => {
        const position = step * batch + slot;
        const order = permutation(all.length, deriveSeed(seed, Math.floor(position / all.length)));
        return all[order[position % all.length]!]!;
      });
    },
    validation: alternate(byLabel.real.validation, byLabel.synthetic.validation),
    training: [...byLabel.real.training, ...byLabel.synthetic.training],
  };
}

/** All runs of `frames` samples of one subject, side by side, that do not overlap. */
function runsOf(samples: readonly TrainingSample[], frames: number): TrainingSample[][] {
  const runs: TrainingSample[][] = [];
  let run: TrainingSample[] = [];
  for (const sample of samples) {
    if (run.length > 0 && run[0]!.subject !== sample.subject) run = [];
    run.push(sample);
    if (run.length < frames) continue;
    runs.push(run);
    run = [];
  }
  return runs;
}

function noClips(frames: number): BadInputError {
  return new BadInputError({
    code: 'no-clips',
    message: `expected runs of ${frames} samples of one subject side by side, but the shards hold none`,
    hint: 'write samples of moving heads for the second stage',
  });
}

function parseIndex(bytes: Uint8Array): ShardIndex {
  try {
    const index = JSON.parse(new TextDecoder().decode(bytes)) as ShardIndex;
    if (index.format === SHARD_FORMAT && index.version === 1) return index;
  } catch {
    // Not JSON: the same answer as for another format.
  }
  throw new BadInputError({
    code: 'bad-sample-index',
    message: `expected index.json to list shards of "${SHARD_FORMAT}", version 1`,
    hint: 'name a folder of training samples, or write the samples again',
  });
}

async function mustRead(read: FolderReader, file: string): Promise<Uint8Array> {
  const bytes = await read(file);
  if (bytes !== null) return bytes;
  throw new MissingResourceError({
    code: 'no-shard',
    message: `expected ${file} in the folder of training samples, but it is not there`,
    hint: 'name a folder of training samples',
  });
}

const permutations = new Map<string, Uint32Array>();
const KEPT_PERMUTATIONS = 4;

function permutation(length: number, seed: number): Uint32Array {
  const key = `${length}:${seed}`;
  const known = permutations.get(key);
  if (known !== undefined) return known;
  const random = createRandom(seed);
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const [oldest] = permutations.keys();
  if (permutations.size >= KEPT_PERMUTATIONS && oldest !== undefined) permutations.delete(oldest);
  permutations.set(key, order);
  return order;
}

function alternate<T>(a: readonly T[], b: readonly T[]): T[] {
  const mixed: T[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (i < a.length) mixed.push(a[i]!);
    if (i < b.length) mixed.push(b[i]!);
  }
  return mixed;
}
