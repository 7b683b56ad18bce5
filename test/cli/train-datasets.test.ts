// `train --data` with datasets and mixtures as they are: samples are made first, once; and what it says where it cannot.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { beginDataset } from '../../src/node/index.ts';
import type { ShardIndex } from '../../src/training/index.ts';
import { someEncodedClip, somePlan } from '../dataset/small-dataset.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { writeSmallSubjects } from '../training/small-subjects.ts';
import { runJson, runToFailure } from './run-cli.ts';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());
const CONFIG = join(import.meta.dirname, '..', '..', 'configs', 'tiny.json');
const place = (...names: string[]): string => join(folder.path, ...names);
const views = await writeSmallSubjects(folder.path, 'views', { seed: 60, views: 2, sizePx: 48 });
await writeSmallSubjects(folder.path, 'clips', { seed: 80, views: 4, isClip: true, sizePx: 48 });
const mixture = place('mixture.json');
const sources = [
  { folder: 'views', stage1: 1, stage2: 0 },
  { folder: 'clips', stage1: 0.5, stage2: 1 },
];
writeFileSync(mixture, JSON.stringify({ sources }));
const indexOf = (path: string): ShardIndex => JSON.parse(readFileSync(join(path, 'index.json'), 'utf8'));
const words = (data: string, stage: string, ...more: string[]): string[] => [
  ...['train', '--config', CONFIG, '--data', data, '--stage', stage, '--out', place('model'), ...more],
];

test('a rehearsal says what making the samples would take, and makes none', async () => {
  const { preparation } = await runJson(...words(views, 'vae', '--dry-run', '--samples', '9'));
  const { samples, bytes, secondsEach } = preparation as Record<string, number>;
  assert.equal(samples, 9);
  assert.ok(bytes! > 9 * 11 * 32 ** 2 && secondsEach! > 0);
  assert.ok(!existsSync(place('model')));
});

test('stages learn from a mixture: pairs for single pictures, clips for motion, each made once', async () => {
  await runJson(...words(mixture, 'vae', '--steps', '1', '--samples', '8'));
  const singles = place('model', 'samples', 'singles');
  const { mixture: shares, size, shards } = indexOf(singles);
  assert.deepEqual([shares, size], [{ views: 1, clips: 0.5 }, 32]);
  assert.equal(shards[0]!.labels.length, 8);
  const written = statSync(join(singles, 'index.json')).mtimeMs;
  await runJson(...words(mixture, '1', '--steps', '1', '--samples', '8'));
  assert.equal(statSync(join(singles, 'index.json')).mtimeMs, written);
  await runJson(...words(mixture, '2', '--steps', '1', '--samples', '3'));
  const clips = indexOf(place('model', 'samples', 'clips'));
  assert.deepEqual(clips.mixture, { clips: 1 });
  assert.equal(clips.shards[0]!.labels.length, 3 * 4);
  // What was made is a folder of samples like any other.
  await runJson(...words(singles, 'vae', '--steps', '2', '--resume'));
  const { code, line } = await runToFailure(...words(singles, 'vae', '--resume', '--samples', '4'));
  assert.equal(code, 'samples-are-made');
  assert.match(line, /--samples is for datasets and mixtures/);
});

test('what is no training data, or none for this stage, is refused in a line before anything is made', async () => {
  const fresh = place('fresh');
  const refused = async (data: string, stage: string, ...more: string[]): Promise<readonly unknown[]> => {
    const run = await runToFailure(...words(data, stage, ...more), '--out', fresh);
    assert.ok(!existsSync(fresh), run.line);
    return [run.status, run.code, run.line];
  };
  mkdirSync(place('nothing'));
  {
    using other = await beginDataset(somePlan(place('other-head'), 1, { headName: 'another head' }));
    await other.put(0, { clips: [someEncodedClip(0)] });
    await other.finish();
    using empty = await beginDataset(somePlan(place('empty'), 0, { headName: null }));
    await empty.finish();
  }
  writeFileSync(
    place('still.json'),
    JSON.stringify({ sources: [{ folder: 'views', stage1: 0, stage2: 0 }] }),
  );
  writeFileSync(place('lost.json'), JSON.stringify({ sources: [{ folder: 'gone', stage1: 1, stage2: 1 }] }));
  const cases: readonly (readonly [data: string, status: number, code: string, line: RegExp])[] = [
    ['gone', 3, 'no-training-data', /training data at .*gone/],
    ['nothing', 2, 'not-training-data', /neither dataset\.json nor index\.json/],
    ['other-head', 2, 'sample-head', /has tracks of another head/],
    ['empty', 2, 'no-usable-clips', /Expected tracked clips in the train part of .*empty/],
    ['still.json', 2, 'empty-mixture', /a stage1 above 0, but all 1 have 0/],
    ['lost.json', 3, 'no-dataset', /Expected a dataset in .*gone/],
  ];
  for (const [data, status, code, line] of cases) {
    const [ownStatus, ownCode, ownLine] = await refused(place(data), 'vae');
    assert.deepEqual([ownStatus, ownCode], [status, code]);
    assert.match(ownLine as string, line);
  }
  assert.equal(
    (await refused(views, 'vae', '--samples', '999999', '--cache-gb', '0.5'))[1],
    'too-many-samples',
  );
  assert.equal((await refused(views, '1'))[1], 'file-not-found', 'the stage before is missing');
});

test('stage 2 needs clips, and validation needs a second person', async () => {
  const still = await runToFailure(...words(views, '2', '--resume'));
  assert.equal(still.code, 'no-usable-clips');
  assert.match(still.line, /tracked sequences of 4 frames or more/);
  const alone = await runToFailure(...words(views, 'vae', '--samples', '1'), '--out', place('alone'));
  assert.equal(alone.code, 'too-few-people');
});
