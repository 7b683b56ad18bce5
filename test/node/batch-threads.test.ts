// Batches from threads: the same as the stage's own, at whatever step, and errors that arrive.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createDevice,
  loadEmbeddedHead,
  openRunFolder,
  openStage,
  shareFolder,
  withBatchThreads,
} from '../../src/node/index.ts';
import { openPaperBatches } from '../../src/node/train-paper-stage.ts';
import { openSamples, parseConfiguration, type Stage } from '../../src/training/index.ts';
import { folderOfSamples, tinySamples } from '../training/tiny-run.ts';
import { temporaryFolder } from './test-clips.ts';

const PAPER_CONFIG = join(import.meta.dirname, '../../configs/paper-tiny.json');
const CONFIG = join(import.meta.dirname, '../../configs/tiny.json');

test('threads make the batches that the stage makes, to the bit, and read samples without a copy', async () => {
  using folder = temporaryFolder();
  const head = await loadEmbeddedHead();
  const inMemory = folderOfSamples(tinySamples(head, { size: 32, subjects: 8 }), 32, head.name);
  for (const file of ['index.json', '0.safetensors', '1.safetensors'])
    await openRunFolder(folder.path).write(file, (await inMemory.read(file))!);
  const text = await readFile(CONFIG, 'utf8');
  const configuration = parseConfiguration(text, CONFIG);
  const { read, files } = shareFolder(folder.path);
  const samples = await openSamples(read, {
    ...configuration.training,
    batch: configuration.training.vae.batch,
  });
  assert.ok(samples.training[0]!.target.buffer instanceof SharedArrayBuffer);
  const where = { stage: 'vae', outPath: join(folder.path, 'out') } as const;
  const own: Stage = await openStage(configuration, samples, { ...where, device: await createDevice('cpu') });
  await using threaded = withBatchThreads(own, { ...where, configPath: CONFIG, text, files }, 2);
  for (const step of [0, 1, 2, 7, 3]) {
    const [expected, made] = [await own.batchAt(step), await threaded.batchAt(step)];
    assert.deepEqual(made, expected, `step ${step}`);
  }
});

test("threads make the batches of the paper's scale too, in both stages", async () => {
  using folder = temporaryFolder();
  const head = await loadEmbeddedHead();
  const inMemory = folderOfSamples(tinySamples(head, { size: 64, subjects: 8 }), 64, head.name);
  for (const file of ['index.json', '0.safetensors', '1.safetensors'])
    await openRunFolder(folder.path).write(file, (await inMemory.read(file))!);
  const text = await readFile(PAPER_CONFIG, 'utf8');
  const { read, files } = shareFolder(folder.path);
  for (const file of ['index.json', '0.safetensors', '1.safetensors']) await read(file);
  for (const stage of ['1', '2'] as const) {
    const where = { stage, outPath: join(folder.path, 'out'), configPath: PAPER_CONFIG, text };
    const own = await openPaperBatches({ ...where, read }, await createDevice('cpu'));
    await using threaded = withBatchThreads(own as unknown as Stage, { ...where, files }, 1);
    for (const step of [0, 5]) {
      const [expected, made] = [await own.batchAt(step), await threaded.batchAt(step)];
      assert.deepEqual(made, expected, `stage ${stage}, step ${step}`);
      // A field that learns is drawn at the step, one that stays with the batch.
      assert.equal(made.gaussian !== undefined, stage === '2');
    }
  }
});

test('what keeps a thread from making batches is told to who waits for one', async () => {
  const text = await readFile(CONFIG, 'utf8');
  const stage = { batchAt: async () => ({}) } as unknown as Stage;
  const source = { stage: 'vae', outPath: 'out', configPath: CONFIG, text, files: new Map() } as const;
  await using threaded = withBatchThreads(stage, source, 1);
  await assert.rejects(threaded.batchAt(0), { code: 'no-shard' });
});
