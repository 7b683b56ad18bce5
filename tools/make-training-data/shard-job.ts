// One shard of training samples, made on a worker thread: pairs or clips of synthetic subjects, or round
// trips of fitted stills. A shard is written whole or not at all, so that a run can be stopped and continued.

import { rename, writeFile } from 'node:fs/promises';
import { headWindow } from '../../src/avatar/index.ts';
import { cropCamera, frontCamera } from '../../src/geometry/index.ts';
import type { HeadParameters } from '../../src/head/index.ts';
import { resampleMask, resampleWindow } from '../../src/media/index.ts';
import { createDevice, loadEmbeddedHead, loadPersonSegmenter, readImage } from '../../src/node/index.ts';
import {
  type AssetLibrary,
  createRenderTools,
  createSubject,
  makeRoundTripPair,
  makeSyntheticClip,
  makeSyntheticPair,
  type RenderTools,
} from '../../src/synthesis/index.ts';
import { createRandom, deriveSeed } from '../../src/tensor/index.ts';
import type { PersonSegmenter } from '../../src/tracking/index.ts';
import {
  encodeSampleShard,
  type ShardEntry,
  shardEntry,
  type TrainingSample,
} from '../../src/training/index.ts';

/** A still with the head that the tracker fitted to it. */
export type FittedStill = {
  readonly path: string;
  /** Number of the person; stills count from `FIRST_STILL_SUBJECT`. */
  readonly subject: number;
  readonly focalPx: number;
  readonly parameters: { readonly [Part in keyof HeadParameters]: readonly number[] };
};

/** What one shard holds. */
export type ShardJob = {
  readonly folder: string;
  readonly file: string;
  readonly sizePx: number;
} & (
  | {
      readonly kind: 'synthetic';
      readonly seeds: readonly number[];
      readonly pairs: number;
      /** What subjects may wear. */
      readonly assets: AssetLibrary | null;
    }
  | {
      readonly kind: 'clips';
      /** One clip of each. */
      readonly seeds: readonly number[];
      readonly frames: number;
      readonly assets: AssetLibrary | null;
    }
  | { readonly kind: 'stills'; readonly stills: readonly FittedStill[]; readonly variant: number }
);

let tools: RenderTools | null = null;
/** Open for as long as the thread lives. */
let segmenter: PersonSegmenter | null = null;

/** Makes and writes one shard; returns its line of the index. */
export async function writeShard(job: ShardJob): Promise<ShardEntry> {
  tools ??= createRenderTools(await loadEmbeddedHead());
  const samples = await samplesOf(tools, job);
  const shard = { size: job.sizePx, headName: tools.head.name, samples };
  const path = `${job.folder}/${job.file}`;
  await writeFile(`${path}.part`, encodeSampleShard(shard));
  await rename(`${path}.part`, path);
  return shardEntry(job.file, shard);
}

async function samplesOf(own: RenderTools, job: ShardJob): Promise<TrainingSample[]> {
  if (job.kind === 'synthetic') return syntheticSamples(own, job);
  return job.kind === 'clips' ? clipSamples(own, job) : stillSamples(own, job.stills, job);
}

/** The frames of a clip side by side, as `clipsAt` of training finds them. */
function clipSamples(
  own: RenderTools,
  { seeds, frames, sizePx, assets }: Extract<ShardJob, { kind: 'clips' }>,
): TrainingSample[] {
  return seeds.flatMap((seed) => {
    const clip = makeSyntheticClip(own, createSubject(seed, own, { assets }), { sizePx, index: 0, frames });
    return clip.map(
      (pair): TrainingSample => ({ ...pair, label: 'synthetic', kind: 'singleLift', subject: seed }),
    );
  });
}

function syntheticSamples(
  own: RenderTools,
  { seeds, pairs, sizePx, assets }: Extract<ShardJob, { kind: 'synthetic' }>,
): TrainingSample[] {
  return seeds.flatMap((seed) => {
    const subject = createSubject(seed, own, { assets });
    return Array.from({ length: pairs }, (_, index): TrainingSample => {
      const pair = makeSyntheticPair(own, subject, { sizePx, index });
      return { ...pair, label: 'synthetic', kind: 'singleLift', subject: seed };
    });
  });
}

async function stillSamples(
  own: RenderTools,
  stills: readonly FittedStill[],
  { sizePx, variant }: { readonly sizePx: number; readonly variant: number },
): Promise<TrainingSample[]> {
  const samples: TrainingSample[] = [];
  for (const { path, subject, focalPx, parameters: plain } of stills) {
    const random = createRandom(deriveSeed(subject, variant));
    const parameters: HeadParameters = {
      identity: Float32Array.from(plain.identity),
      expression: Float32Array.from(plain.expression),
      jointRotations: Float32Array.from(plain.jointRotations),
      translation: Float32Array.from(plain.translation),
    };
    const { image } = await readImage(path);
    const camera = frontCamera(image.width, image.height, focalPx);
    const joints = own.poser.joints(parameters);
    const eyes = [0, 1, 2].map((k) => (joints[9 + k]! + joints[12 + k]!) / 2);
    const window = headWindow(camera, eyes, { scale: random.uniform(0.9, 1.2) });
    const { leftPx, topPx, sizePx: windowPx } = window;
    const square = { leftPx, topPx, widthPx: windowPx, heightPx: windowPx };
    const framed = resampleWindow(image, square, sizePx, sizePx);
    segmenter ??= await loadPersonSegmenter(await createDevice('cpu'));
    const whole = { ...image, data: await segmenter.mask(image) };
    const personMask = resampleMask(whole, square, sizePx, sizePx);
    const fit = { parameters, camera: cropCamera(camera, window, sizePx), personMask };
    const pair = makeRoundTripPair(own, framed, fit, random);
    samples.push({ ...pair, label: 'real', kind: 'roundTrip', subject });
  }
  return samples;
}
