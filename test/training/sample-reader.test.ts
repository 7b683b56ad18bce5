// The order of samples: sources come as often as a mixture says, labels by share where there is none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadEmbeddedHead } from '../../src/node/index.ts';
import type { SampleReader, TrainingSample } from '../../src/training/index.ts';
import { encodeSampleShard, openSamples, SHARD_FORMAT, shardEntry } from '../../src/training/index.ts';
import { memoryFolder, tinySamples } from './tiny-run.ts';

const head = await loadEmbeddedHead();
const SIZE = 32;

/** 32 samples of real and 32 of synthetic subjects; the real ones are of `filmed`, the others of `drawn`. */
async function readerOf(mixture?: Record<string, number>): Promise<SampleReader> {
  const samples = tinySamples(head, { size: SIZE, subjects: 16 }).map((sample): TrainingSample => {
    const source = sample.label === 'real' ? 'filmed' : 'drawn';
    return mixture === undefined ? sample : { ...sample, source };
  });
  const folder = memoryFolder();
  const shard = { size: SIZE, headName: head.name, samples };
  await folder.write('0.safetensors', encodeSampleShard(shard));
  const index = {
    ...{ format: SHARD_FORMAT, version: 1, size: SIZE, headName: head.name },
    ...(mixture === undefined ? {} : { mixture }),
    shards: [shardEntry('0.safetensors', shard)],
  };
  await folder.write('index.json', JSON.stringify(index));
  return openSamples(folder.read, { batch: 5, seed: 1, realShare: 0.5, validationSubjects: 1 });
}

const shareOf = (taken: readonly TrainingSample[], label: string): number =>
  taken.filter((sample) => sample.label === label).length / taken.length;

test('a mixture says how often a source comes, whatever share the configuration gives its label', async () => {
  const reader = await readerOf({ filmed: 1, drawn: 0.25 });
  const taken = Array.from({ length: 40 }, (_, step) => reader.batchAt(step)).flat();
  assert.equal(taken.length, 200);
  assert.equal(shareOf(taken, 'real'), 0.8);
  const clips = Array.from({ length: 40 }, (_, step) => reader.clipsAt(step, 2)).flat();
  assert.equal(shareOf(clips.flat(), 'real'), 0.8);
});

test('a source of weight zero never comes, and what is missing leaves its share to the others', async () => {
  const silent = await readerOf({ filmed: 0, drawn: 1 });
  assert.equal(shareOf(silent.batchAt(3), 'synthetic'), 1);
  const missing = await readerOf({ filmed: 1, drawn: 1, elsewhere: 8 });
  const taken = Array.from({ length: 10 }, (_, step) => missing.batchAt(step)).flat();
  assert.equal(shareOf(taken, 'real'), 0.5);
});

test('without a mixture labels come by share; every sample comes once before one comes again', async () => {
  const reader = await readerOf();
  const { real } = reader.counts;
  const taken = Array.from({ length: (2 * real) / 5 + 1 }, (_, step) => reader.batchAt(step)).flat();
  assert.equal(shareOf(taken.slice(0, 50), 'real'), 0.5);
  const first = taken.filter(({ label }) => label === 'real').slice(0, real);
  assert.equal(new Set(first).size, real);
});
