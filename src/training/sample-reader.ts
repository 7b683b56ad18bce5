// The samples of a folder of shards in training order: shuffled anew each epoch, sources mixed by the folder's mixture
// (labels by share where it has none), the last subjects kept for validation. The order is a function of the seed and the step alone, so a
// run that resumes sees what an uninterrupted one would have seen.

import { BadInputError, MissingResourceError } from '../errors/index.ts';
import { createRandom, deriveSeed } from '../tensor/index.ts';
import type { SampleLabel, ShardIndex, TrainingSample } from './sample-shard.ts';
import { decodeSampleShard, SAMPLE_INDEX_FILE, SAMPLE_LABELS, SHARD_FORMAT } from './sample-shard.ts';

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
  /**
   * Of the same subjects, clips as of `clipsAt`.
   * @throws BadInputError if there is none.
   */
  validationClips(frames: number): TrainingSample[][];
  /** Training samples in no particular order, for statistics. */
  readonly training: readonly TrainingSample[];
};

/** Options of `openSamples`. */
export type SampleReaderOptions = {
  readonly batch: number;
  readonly seed: number;
  /** Share of real samples, where both labels exist and no mixture says how often each source comes. */
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
  const index = parseIndex(await mustRead(read, SAMPLE_INDEX_FILE));
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
  const training = [...byLabel.real.training, ...byLabel.synthetic.training];
  const { mixture } = index;
  const groups: readonly Group[] =
    mixture === undefined
      ? SAMPLE_LABELS.map((label) => ({
          samples: byLabel[label].training,
          weight: label === 'real' ? realShare : 1 - realShare,
        }))
      : Object.entries(mixture).map(([name, weight]) => ({
          samples: training.filter(({ source }) => source === name),
          weight,
        }));
  const singles = shuffledGroups(groups, batch, seed);
  const runsAmong = (some: readonly TrainingSample[], frames: number): TrainingSample[][] => {
    const among = new Set(some);
    return runsOf(
      samples.filter((s) => among.has(s)),
      frames,
    );
  };
  const validation = alternate(byLabel.real.validation, byLabel.synthetic.validation);
  let clips: { readonly frames: number; readonly at: (step: number) => TrainingSample[][] } | null = null;
  return {
    size: index.size,
    headName: index.headName,
    counts,
    batchAt: singles,
    clipsAt(step, frames) {
      if (clips?.frames !== frames) {
        // Without a mixture clips come as they are, whatever their label.
        const own = mixture === undefined ? [{ samples: training, weight: 1 }] : groups;
        const runs = own.map(({ samples: some, weight }) => ({ samples: runsAmong(some, frames), weight }));
        if (runs.every(({ samples: some }) => some.length === 0)) throw noClips(frames);
        clips = { frames, at: shuffledGroups(runs, batch, seed) };
      }
      return clips.at(step);
    },
    validation,
    validationClips(frames) {
      const runs = runsAmong(validation, frames);
      if (runs.length === 0) throw noClips(frames, 'a subject that is kept for validation');
      return runs;
    },
    training,
  };
}

/** What is drawn from, and how often beside the others. */
type Group<T = TrainingSample> = { readonly samples: readonly T[]; readonly weight: number };

/**
 * The batches of steps from 0 on. Of all that was drawn up to a step, each group has its share, to one; within a group
 * everything comes once before anything comes again. Groups without samples leave their share to the others.
 */
function shuffledGroups<T>(groups: readonly Group<T>[], batch: number, seed: number): (step: number) => T[] {
  const has = groups.map(({ samples }) => samples.length > 0);
  const isWeighed = groups.some(({ weight }, i) => has[i] && weight > 0);
  const weights = groups.map(({ weight }, i) => (has[i] ? (isWeighed ? weight : 1) : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  const shares = groups.map(({ samples }, i) => {
    const start = before / total;
    before += weights[i]!;
    return { samples, i, start, end: before / total };
  });
  /** How many of the first `count` draws lie below a share. */
  const below = (count: number, share: number): number => Math.floor(count * share);
  return (step) =>
    shares.flatMap(({ samples, i, start, end }) => {
      const [first, last] = [step, step + 1].map((s) => below(s * batch, end) - below(s * batch, start)) as [
        number,
        number,
      ];
      return Array.from({ length: last - first }, (_, k) => {
        const epoch = Math.floor((first + k) / samples.length);
        const order = permutation(samples.length, deriveSeed(seed, i, epoch));
        return samples[order[(first + k) % samples.length]!]!;
      });
    });
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

function noClips(frames: number, whose = 'one subject'): BadInputError {
  return new BadInputError({
    code: 'no-clips',
    message: `expected runs of ${frames} samples of ${whose} side by side, but the shards hold none`,
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
    message: `expected ${SAMPLE_INDEX_FILE} to list shards of "${SHARD_FORMAT}", version 1`,
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
