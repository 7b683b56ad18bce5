// Writes the shards that training reads: pairs of synthetic subjects, round trips of stills, and clips of
// moving subjects for the temporal layers (in a folder of their own: --subjects 0 --clips N).
// --data takes a dataset, or several mixed by a file such as configs/mixture.json: --samples N of them as pairs, or with
// --stage 2 as clips of --frames frames, as `train --data` makes them by itself.
// --portraits takes the shared portraits by their names, --photos every picture of a folder.
// Run it again to continue where it was stopped: shards that exist are kept.
//
//   npx tsx tools/make-training-data/main.ts --out DIR [--subjects 1500] [--pairs 2] [--portraits DIR] [--photos DIR]
//     [--variants 16] [--size 256] [--workers 2] [--assets DIR] [--clips 0] [--frames 8]
//     [--data DATASET|MIXTURE.json] [--samples N] [--stage 1]

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { HeadModel } from '../../src/head/index.ts';
import {
  createDevice,
  findTrainingData,
  loadEmbeddedHead,
  loadTracker,
  planSamples,
  prepareSamples,
  readAssetFolder,
  readImage,
  WorkerPool,
} from '../../src/node/index.ts';
import {
  decodeSampleShard,
  SHARD_FORMAT,
  type ShardEntry,
  type ShardIndex,
  shardEntry,
} from '../../src/training/index.ts';
import type { FittedStill, ShardJob } from './shard-job.ts';

/** Synthetic subjects from this seed on are kept for evaluation. */
const FIRST_HELD_OUT_SEED = 500_000;
const FIRST_STILL_SUBJECT = 1_000_000;
/** Of the portraits that shipped weights may learn from, the names; of one's own photographs, every picture. */
const SHARED_PORTRAIT = /^(female|male)-\d+\.jpg$/;
const PICTURE = /\.(jpe?g|png|webp)$/i;
const SUBJECTS_A_SHARD = 16;
const CLIPS_A_SHARD = 4;
const STILLS_A_SHARD = 32;

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'out/samples' },
    subjects: { type: 'string' },
    data: { type: 'string' },
    samples: { type: 'string', default: '0' },
    stage: { type: 'string', default: '1' },
    'first-seed': { type: 'string', default: '0' },
    pairs: { type: 'string', default: '2' },
    portraits: { type: 'string' },
    photos: { type: 'string' },
    clips: { type: 'string', default: '0' },
    frames: { type: 'string', default: '8' },
    variants: { type: 'string', default: '16' },
    size: { type: 'string', default: '256' },
    workers: { type: 'string', default: '2' },
    assets: { type: 'string' },
    config: { type: 'string', default: join(import.meta.dirname, '../../configs/compact.json') },
  },
});
const [subjects, datasetSamples, firstSeed, pairs, clips, frames, variants, sizePx, workers] = [
  values.subjects ?? (values.data ? '0' : '1500'),
  values.samples,
  values['first-seed'],
  values.pairs,
  values.clips,
  values.frames,
  values.variants,
  values.size,
  values.workers,
].map(Number) as [number, ...[number, number, number, number, number, number, number, number]];
if (firstSeed + Math.max(subjects, clips) > FIRST_HELD_OUT_SEED)
  throw new RangeError('seeds from 500000 on are held out');

setPriority(10);
const folder = values.out;
await mkdir(folder, { recursive: true });
if (values.data !== undefined) {
  await makeDatasetSamples(values.data);
  process.exit();
}
const head = await loadEmbeddedHead();
const { library: assets, notes } = values.assets
  ? await readAssetFolder(values.assets, head)
  : { library: null, notes: [] };
for (const note of notes) console.log(note);
const stills = [
  ...(values.portraits ? await fitStills(values.portraits, head, SHARED_PORTRAIT) : []),
  ...(values.photos ? await fitStills(values.photos, head, PICTURE) : []),
];
const jobs = [...syntheticJobs(), ...stillJobs(stills), ...clipJobs()];
const entries = new Map<string, ShardEntry>();
await using pool = new WorkerPool<ShardJob, ShardEntry>({
  module: new URL('./shard-job.ts', import.meta.url),
  functionName: 'writeShard',
  size: workers,
});
const pending = interleave(jobs);
const start = performance.now();
await Promise.all(Array.from({ length: workers }, runJobs));

async function runJobs(): Promise<void> {
  for (let job = pending.shift(); job; job = pending.shift()) {
    const path = join(folder, job.file);
    const entry = existsSync(path)
      ? shardEntry(job.file, decodeSampleShard(new Uint8Array(await readFile(path)), job.file))
      : await pool.run(job);
    entries.set(job.file, entry);
    await writeIndex();
    const seconds = Math.round((performance.now() - start) / 1000);
    console.log(`${entries.size} of ${jobs.length} shards, ${seconds} s: ${job.file}`);
  }
}

function syntheticJobs(): ShardJob[] {
  return Array.from({ length: Math.ceil(subjects / SUBJECTS_A_SHARD) }, (_, i) => {
    const first = firstSeed + i * SUBJECTS_A_SHARD;
    const last = Math.min(first + SUBJECTS_A_SHARD, firstSeed + subjects);
    const seeds = Array.from({ length: last - first }, (_, k) => first + k);
    const file = `synthetic-${String(first).padStart(6, '0')}.safetensors`;
    return { kind: 'synthetic', folder, file, sizePx, seeds, pairs, assets };
  });
}

/** One clip of each subject, so that clips side by side in a shard are of different subjects. */
function clipJobs(): ShardJob[] {
  return Array.from({ length: Math.ceil(clips / CLIPS_A_SHARD) }, (_, i) => {
    const first = firstSeed + i * CLIPS_A_SHARD;
    const last = Math.min(first + CLIPS_A_SHARD, firstSeed + clips);
    const seeds = Array.from({ length: last - first }, (_, k) => first + k);
    const file = `clips-${String(first).padStart(6, '0')}.safetensors`;
    return { kind: 'clips', folder, file, sizePx, seeds, frames, assets };
  });
}

/** Samples of the mixture's datasets; with --stage 2 clips of them, as `train --data` makes them for itself. */
async function makeDatasetSamples(path: string): Promise<void> {
  if (subjects + clips > 0 || values.portraits !== undefined || values.photos !== undefined)
    throw new RangeError('a mixture says how often all samples come: write others into another folder');
  const isClips = values.stage === '2';
  const data = await findTrainingData(path, isClips ? 'stage2' : 'stage1');
  if (data.kind === 'samples') throw new RangeError(`${path} holds samples already`);
  const plan = await planSamples({
    ...{ sources: data.sources, sizePx, frames: isClips ? frames : 1, maxBytes: Number.POSITIVE_INFINITY },
    count: datasetSamples === 0 ? undefined : datasetSamples,
  });
  const begun = performance.now();
  await prepareSamples(plan, folder, {
    workers,
    events(event) {
      const seconds = Math.round((performance.now() - begun) / 1000);
      console.log(
        event.kind === 'log' ? event.message : `${event.done} of ${event.total} samples, ${seconds} s`,
      );
    },
  });
}

function stillJobs(fitted: readonly FittedStill[]): ShardJob[] {
  const jobsOfStills: ShardJob[] = [];
  for (let variant = 0; variant < variants; variant++) {
    for (let first = 0; first < fitted.length; first += STILLS_A_SHARD) {
      const name = `${String(variant).padStart(3, '0')}-${String(first).padStart(4, '0')}`;
      const part = fitted.slice(first, first + STILLS_A_SHARD);
      jobsOfStills.push({
        kind: 'stills',
        folder,
        file: `stills-${name}.safetensors`,
        sizePx,
        stills: part,
        variant,
      });
    }
  }
  return jobsOfStills;
}

/** All kinds in turn, so that a run that is stopped early has some of each. */
function interleave(all: readonly ShardJob[]): ShardJob[] {
  const kinds = (['synthetic', 'stills', 'clips'] as const).map((kind) =>
    all.filter((job) => job.kind === kind),
  );
  const longest = Math.max(...kinds.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) =>
    kinds.flatMap((list) =>
      list.slice(Math.round((i * list.length) / longest), Math.round(((i + 1) * list.length) / longest)),
    ),
  ).flat();
}

/** The fits of a folder's stills, without the held-out ones; remembered in `fits.json`. */
async function fitStills(portraits: string, model: HeadModel, name: RegExp): Promise<FittedStill[]> {
  const known = join(folder, name === PICTURE ? 'photo-fits.json' : 'fits.json');
  if (existsSync(known)) return JSON.parse(await readFile(known, 'utf8')) as FittedStill[];
  const config = JSON.parse(await readFile(values.config, 'utf8')) as {
    training?: { heldOutPortraits?: string[] };
  };
  const heldOut = new Set(config.training?.heldOutPortraits ?? []);
  if (heldOut.size === 0 && name === SHARED_PORTRAIT)
    throw new RangeError(`${values.config} names no held-out portraits`);
  const files = (await readdir(portraits)).filter((file) => name.test(file)).sort();
  await using tracker = await loadTracker(await createDevice('cpu'), model);
  const fits: FittedStill[] = [];
  for (const [i, file] of files.entries()) {
    if (heldOut.has(basename(file, extname(file)))) continue;
    const path = join(portraits, file);
    try {
      const { parameters, focalPx, landmarkError, confidence } = await tracker.trackImage(
        (await readImage(path)).image,
      );
      if (landmarkError > 0.05 || confidence < 0.3) {
        console.log(
          `left out ${file}: landmark error ${landmarkError.toFixed(3)}, confidence ${confidence.toFixed(2)}`,
        );
        continue;
      }
      const plain = {
        identity: Array.from(parameters.identity),
        expression: Array.from(parameters.expression),
        jointRotations: Array.from(parameters.jointRotations),
        translation: Array.from(parameters.translation),
      };
      fits.push({
        path,
        subject: FIRST_STILL_SUBJECT + i,
        focalPx,
        parameters: plain,
      });
    } catch (error) {
      console.log(`left out ${file}: ${error instanceof Error ? error.message : error}`);
    }
  }
  console.log(`${fits.length} of ${files.length} stills fitted`);
  await writeFile(`${known}.part`, JSON.stringify(fits));
  await rename(`${known}.part`, known);
  return fits;
}

async function writeIndex(): Promise<void> {
  const shards = [...entries.values()].sort((a, b) => a.file.localeCompare(b.file));
  const index: ShardIndex = {
    ...{ format: SHARD_FORMAT, version: 1, size: sizePx, headName: head.name, shards },
  };
  const path = join(folder, `index.json.${process.pid}-${entries.size}`);
  await writeFile(path, JSON.stringify(index));
  await rename(path, join(folder, 'index.json'));
}
