// Samples from datasets: planned, made once, continued after an end at any moment, and never more than there is room for.

import assert from 'node:assert/strict';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { AvatarEvent } from '../../src/events/index.ts';
import { type DataSource, planSamples, prepareSamples } from '../../src/node/index.ts';
import { openShardMaker } from '../../src/node/sample-shard-job.ts';
import { decodeSampleShard, type ShardIndex } from '../../src/training/index.ts';
import { writeSmallSubjects } from '../training/small-subjects.ts';
import { temporaryFolder } from './test-clips.ts';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());
const views = await writeSmallSubjects(folder.path, 'views', { seed: 60, views: 3, sizePx: 32 });
const sources: readonly DataSource[] = [{ name: 'views', folder: views, weight: 1 }];
const request = { sources, sizePx: 16, frames: 1 };
/** Two shards. */
const small = { ...request, count: 3, shardPictures: 2 };
const contentOf = (path: string): Map<string, string> =>
  new Map(readdirSync(path).map((file) => [file, readFileSync(join(path, file), 'base64')]));
const filesBut = (path: string, ...left: string[]): string[] =>
  readdirSync(path).filter((file) => !left.includes(file));

test('a plan is as large as the data is good for, and no larger than there is room', async () => {
  const plan = await planSamples(request);
  // Three subjects of three views, four samples for each view.
  assert.equal(plan.count, 36);
  assert.deepEqual(
    plan.shards.map(({ count }) => count),
    [32, 4],
  );
  assert.equal((await planSamples({ ...request, count: 5 })).count, 5);
  const bytesEach = plan.bytes / plan.count;
  assert.equal((await planSamples({ ...request, maxBytes: 10.5 * bytesEach })).count, 10);
  await assert.rejects(planSamples({ ...request, count: 11, maxBytes: 10.5 * bytesEach }), {
    code: 'too-many-samples',
    message: /11 samples of 16 pixels take .* GB, but --cache-gb allows/,
  });
  await assert.rejects(planSamples({ ...request, maxBytes: 1 }), { code: 'too-many-samples' });
});

test('samples are made once, and one that is stopped goes on to the same bytes', async () => {
  const plan = await planSamples(small);
  const whole = join(folder.path, 'whole');
  await prepareSamples(plan, whole, { workers: 2 });
  const expected = contentOf(whole);
  assert.deepEqual([...expected.keys()].sort(), [
    'dataset-000000.safetensors',
    'dataset-000002.safetensors',
    'index.json',
  ]);
  const events: AvatarEvent[] = [];
  const times = (): number[] => readdirSync(whole).map((file) => statSync(join(whole, file)).mtimeMs);
  const before = times();
  await prepareSamples(plan, whole, { workers: 1, events: (event) => events.push(event) });
  assert.deepEqual(times(), before);
  assert.deepEqual(events, []);

  const stopped = join(folder.path, 'stopped');
  const controller = new AbortController();
  const run = prepareSamples(plan, stopped, {
    workers: 1,
    signal: controller.signal,
    events: (event) => event.kind === 'progress' && event.done > 0 && controller.abort(),
  });
  await assert.rejects(run, { name: 'AbortError' });
  assert.deepEqual(filesBut(stopped, 'index.json'), ['dataset-000000.safetensors']);
  // As a kill leaves it: a part of a file, and a shard that no index knows.
  writeFileSync(join(stopped, '.dataset-000002.safetensors.1-0.tmp'), 'half');
  writeFileSync(join(stopped, 'dataset-000002.safetensors'), 'not listed');
  await prepareSamples(plan, stopped, { workers: 1 });
  assert.deepEqual(contentOf(stopped), expected);
  truncateSync(join(stopped, 'dataset-000000.safetensors'), 100);
  await prepareSamples(plan, stopped, { workers: 1 });
  assert.deepEqual(contentOf(stopped), expected);
});

test('fewer samples leave the rest out, and other data gives way with a word about it', async () => {
  const path = join(folder.path, 'changing');
  await prepareSamples(await planSamples(small), path, { workers: 1 });
  await prepareSamples(await planSamples({ ...small, count: 1 }), path, { workers: 1 });
  const { shards, mixture } = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8')) as ShardIndex;
  assert.deepEqual([shards.length, shards[0]!.labels.length], [1, 1]);
  assert.deepEqual(mixture, { views: 1 });
  assert.ok(!existsSync(join(path, 'dataset-000002.safetensors')));
  const said: string[] = [];
  await prepareSamples(await planSamples({ ...request, sizePx: 24, count: 1 }), path, {
    workers: 1,
    events: (event) => event.kind === 'log' && said.push(event.message),
  });
  assert.deepEqual(said, [`${path} holds samples of other data or another size: they are made anew.`]);
});

test('a folder with samples that were not made from datasets stays as it is', async () => {
  const path = join(folder.path, 'theirs');
  const plan = await planSamples({ ...request, count: 1 });
  await prepareSamples(plan, path, { workers: 1 });
  rmSync(join(path, 'dataset-000000.safetensors'));
  writeFileSync(join(path, 'index.json'), '{"format":"learn2control/samples","version":1,"shards":[]}');
  await assert.rejects(prepareSamples(plan, path), { code: 'other-samples' });
  assert.deepEqual(readdirSync(path), ['index.json']);
});

test('of lifted portraits the photographs are the answers, and none of what was lifted', async () => {
  const options = { seed: 60, views: 3, sizePx: 32, command: 'dataset lift' };
  const lifted = await writeSmallSubjects(folder.path, 'lifted', options);
  const kindsOf = async (path: string): Promise<readonly string[]> => {
    const own = [{ name: 'one', folder: path, weight: 1 }];
    await using maker = await openShardMaker({ sources: own, sizePx: 16, frames: 1 });
    return decodeSampleShard((await maker.make(0, 4)).bytes).samples.map(({ kind }) => kind);
  };
  assert.deepEqual(new Set(await kindsOf(lifted)), new Set(['roundTrip']));
  assert.deepEqual(new Set(await kindsOf(views)), new Set(['singleLift']));
});
