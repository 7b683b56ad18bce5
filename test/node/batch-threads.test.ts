// Batches from threads: the same as the stage's own, at whatever step, and errors that arrive.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type BatchSource,
  createDevice,
  loadEmbeddedHead,
  openRunFolder,
  openStage,
  shareFolder,
  trainStage,
  withBatchThreads,
} from '../../src/node/index.ts';
import { openPaperBatches } from '../../src/node/train-paper-stage.ts';
import {
  openSamples,
  parseConfiguration,
  STAGE_NAMES,
  type Stage,
  type StageName,
} from '../../src/training/index.ts';
import { folderOfSamples, tinySamples } from '../training/tiny-run.ts';
import { temporaryFolder } from './test-clips.ts';

const PAPER_CONFIG = join(import.meta.dirname, '../../configs/paper-tiny.json');
const CONFIG = join(import.meta.dirname, '../../configs/tiny.json');
const FILES = ['index.json', '0.safetensors', '1.safetensors'];
const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());
const head = await loadEmbeddedHead();
const device = await createDevice('cpu');
for (const size of [32, 64]) {
  const inMemory = folderOfSamples(tinySamples(head, { size, subjects: 8 }), size, head.name);
  for (const file of FILES)
    await openRunFolder(join(folder.path, `${size}`)).write(file, (await inMemory.read(file))!);
}
const dataPath = join(folder.path, '32');
const outPath = join(folder.path, 'out');
const text = await readFile(CONFIG, 'utf8');

/** A tiny stage, and where threads find the same. */
async function opened(stage: StageName): Promise<{ readonly own: Stage; readonly source: BatchSource }> {
  const configuration = parseConfiguration(text, CONFIG);
  const { read, files } = shareFolder(dataPath);
  const { vae, stage1, stage2, distill } = configuration.training;
  const { batch } = { vae, 1: stage1, 2: stage2, distill }[stage];
  const samples = await openSamples(read, { ...configuration.training, batch });
  assert.ok(samples.training[0]!.target.buffer instanceof SharedArrayBuffer);
  const own = await openStage(configuration, samples, { stage, outPath, device });
  return { own, source: { stage, outPath, configPath: CONFIG, text, files } };
}

const noBatches = async (): Promise<never> => {
  throw new Error('expected a thread to make this batch');
};

for (const stage of STAGE_NAMES) {
  test(`threads make the batches that stage ${stage} makes, to the bit, and read samples without a copy`, async () => {
    const { own, source } = await opened(stage);
    await using threaded = withBatchThreads({ ...own, batchAt: noBatches }, source);
    await threaded.started;
    for (const step of [0, 1, 2, 7, 3]) {
      const [expected, made] = [await own.batchAt(step), await threaded.batchAt(step)];
      assert.deepEqual(made, expected, `step ${step}`);
    }
    // The next stage builds on this one.
    await trainStage({
      ...{ configPath: CONFIG, stage, dataPath, outPath, device },
      ...{ isResumed: false, steps: 1 },
    });
  });
}

test("threads make the batches of the paper's scale too, in both stages", async () => {
  const paperText = await readFile(PAPER_CONFIG, 'utf8');
  const { read, files } = shareFolder(join(folder.path, '64'));
  for (const file of FILES) await read(file);
  for (const stage of ['1', '2'] as const) {
    const where = {
      ...{ stage, outPath: join(folder.path, 'paper') },
      ...{ configPath: PAPER_CONFIG, text: paperText },
    };
    const own = await openPaperBatches({ ...where, read }, device);
    const stub = { batchAt: noBatches } as unknown as Stage;
    await using threaded = withBatchThreads(stub, { ...where, files }, { threads: 1 });
    await threaded.started;
    for (const step of [0, 5]) {
      const [expected, made] = [await own.batchAt(step), await threaded.batchAt(step)];
      assert.deepEqual(made, expected, `stage ${stage}, step ${step}`);
      // A field that learns is drawn at the step, one that stays with the batch.
      assert.equal(made.gaussian !== undefined, stage === '2');
    }
  }
});

test('until a thread has started the stage makes its own batches', async () => {
  const { own, source } = await opened('vae');
  const madeHere: number[] = [];
  const watched: Stage = {
    ...own,
    batchAt(step) {
      madeHere.push(step);
      return own.batchAt(step);
    },
  };
  await using threaded = withBatchThreads(watched, source, { threads: 1 });
  await threaded.batchAt(0);
  await threaded.started;
  await threaded.batchAt(1);
  assert.deepEqual(madeHere, [0]);
});

test('where batches keep being late threads are added, up to the most', async () => {
  const { own, source } = await opened('vae');
  const many = { ...source, text: text.replace('"batch": 4', '"batch": 2000') };
  await using threaded = withBatchThreads(own, many, { threads: 1, most: 2 });
  await threaded.started;
  for (let step = 0; step < 12; step++) await threaded.batchAt(step);
  assert.equal(threaded.threadCount(), 2);
});

test('what keeps a thread from making batches is told to who waits for one', async () => {
  const stage = { batchAt: async () => ({}) } as unknown as Stage;
  const source = { stage: 'vae', outPath: 'out', configPath: CONFIG, text, files: new Map() } as const;
  await using threaded = withBatchThreads(stage, source, { threads: 1 });
  await assert.rejects(threaded.started, { code: 'no-shard' });
  await assert.rejects(threaded.batchAt(0), { code: 'no-shard' });
});
