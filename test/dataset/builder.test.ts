// Writing datasets: in any order, killed and continued, on a full disk, and never two at once.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifyDataset } from '../../src/dataset/index.ts';
import { beginDataset, datasetFolder } from '../../src/node/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { filesOf, resultOf, someEncodedClip, somePlan, writeSmallDataset } from './small-dataset.ts';

const COUNT = 12;

test('neither the order of the items nor interruptions change a byte', async () => {
  using straight = temporaryFolder();
  await writeSmallDataset(straight.path, COUNT);
  const expected = filesOf(straight.path);
  for (const seed of [1, 2]) {
    using folder = temporaryFolder();
    const random = createRandom(seed);
    for (let left = COUNT; left > 0; ) {
      using dataset = await beginDataset(somePlan(folder.path, COUNT));
      assert.equal(dataset.missing.length, left);
      const order = [...dataset.missing].sort(() => random.uniform() - 0.5);
      // Each run stops after a few items.
      for (const item of order.slice(0, 1 + random.integer(5))) {
        await dataset.put(item, resultOf(item));
        left--;
      }
      if (left === 0) await dataset.finish();
    }
    assert.deepEqual(filesOf(folder.path), expected);
  }
});

test('a finished dataset has nothing to do, and takes more items at its end', async () => {
  using folder = temporaryFolder();
  await writeSmallDataset(folder.path, 4);
  const before = filesOf(folder.path);
  await writeSmallDataset(folder.path, 4);
  assert.deepEqual(filesOf(folder.path), before);
  await writeSmallDataset(folder.path, 6);
  await using disk = datasetFolder(folder.path);
  const { clips, faults } = await verifyDataset(disk);
  assert.deepEqual([clips, faults], [5, []]);
  assert.deepEqual(filesOf(folder.path).get('shard-000000.tar'), before.get('shard-000000.tar'));
});

test('other options and other items than those of the beginning are refused', async () => {
  using folder = temporaryFolder();
  await writeSmallDataset(folder.path, 4);
  const before = filesOf(folder.path);
  const { path } = folder;
  const asked = (changes: object) => beginDataset({ ...somePlan(path, 4), ...changes });
  await assert.rejects(asked({ request: { command: 'test', size: 16 } }), {
    code: 'dataset-of-other-request',
    message: /to be of size 16, but it was begun with 8/,
  });
  await assert.rejects(asked({ items: ['item-0', 'other'] }), {
    code: 'dataset-of-other-items',
    message: /item 1 of the source to be item-1, .* but it is other/,
  });
  await assert.rejects(asked({ items: ['item-0'] }), { code: 'dataset-of-other-items', message: /missing/ });
  assert.deepEqual(filesOf(path), before);
});

test('a shard that is cut short or gone is told before anything is added, and written again without its index', async () => {
  using folder = temporaryFolder();
  await writeSmallDataset(folder.path, 6);
  const whole = filesOf(folder.path);
  const [shard, index] = ['shard-000000.tar', 'shard-000000.json'].map((name) => join(folder.path, name));
  for (const damage of [() => truncateSync(shard!, 9000), () => rmSync(shard!)]) {
    damage();
    await assert.rejects(beginDataset(somePlan(folder.path, 6)), {
      code: 'dataset-damaged',
      message: /shard-000000\.tar to have \d+ bytes, as its index says, but it (has 9000|is not there)/,
    });
  }
  rmSync(index!);
  await writeSmallDataset(folder.path, 6);
  assert.deepEqual(filesOf(folder.path), whole);
});

test("somebody else's folder is left alone", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'photo.jpg'), 'mine');
  await assert.rejects(beginDataset(somePlan(folder.path, 1)), {
    code: 'not-a-dataset',
    message: /photo\.jpg/,
  });
  assert.deepEqual(readdirSync(folder.path), ['photo.jpg']);
  await assert.rejects(beginDataset(somePlan(join(folder.path, 'photo.jpg'), 1)), {
    code: 'output-not-writable',
  });
});

test('of two runs into one folder the second is refused, until the first ends', async () => {
  using folder = temporaryFolder();
  {
    using _first = await beginDataset(somePlan(folder.path, 2));
    await assert.rejects(beginDataset(somePlan(folder.path, 2)), {
      code: 'dataset-in-use',
      message: new RegExp(`process ${process.pid} `),
    });
  }
  await writeSmallDataset(folder.path, 2);
});

test('the lock of a run that is gone, and one cut short, are taken over; one of another machine is not', async () => {
  using folder = temporaryFolder();
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const lock = join(folder.path, '.writing');
  const { hostname } = await import('node:os');
  mkdirSync(join(folder.path, '.items'));
  for (const content of [JSON.stringify({ pid: gone, host: hostname(), since: '' }), '{"pi']) {
    writeFileSync(lock, content);
    (await beginDataset(somePlan(folder.path, 2)))[Symbol.dispose]();
    assert.ok(!existsSync(lock));
  }
  writeFileSync(lock, JSON.stringify({ pid: gone, host: 'elsewhere', since: 'noon' }));
  await assert.rejects(beginDataset(somePlan(folder.path, 2)), {
    code: 'dataset-in-use',
    message: /elsewhere/,
  });
});

test('a finished item that is damaged before its shard is written is made anew', async () => {
  using folder = temporaryFolder();
  {
    using dataset = await beginDataset(somePlan(folder.path, 2, { shardBytes: 1e9 }));
    await dataset.put(0, { clips: [someEncodedClip(0)] });
  }
  const path = join(folder.path, '.items', '00000000.tar');
  const bytes = readFileSync(path);
  bytes[5000]! ^= 1;
  writeFileSync(path, bytes);
  using dataset = await beginDataset(somePlan(folder.path, 2));
  assert.deepEqual(dataset.missing, [0, 1]);
});

const PROGRAM = join(import.meta.dirname, 'writer-program.ts');
const writerWords = (path: string, count: number): string[] => [
  '--import',
  'tsx',
  PROGRAM,
  path,
  String(count),
];

test('a run that is killed at any moment continues to the same bytes', async () => {
  using straight = temporaryFolder();
  await writeSmallDataset(straight.path, 16);
  using folder = temporaryFolder();
  const random = createRandom(8);
  for (const itemsBefore of [1, 6]) {
    const child = spawn(process.execPath, writerWords(folder.path, 16), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let written = 0;
    child.stdout.on('data', (data) => {
      written += String(data).split('\n').length - 1;
      if (written >= itemsBefore || String(data).includes('waiting'))
        setTimeout(() => child.kill('SIGKILL'), 10 * random.uniform());
    });
    await new Promise((resolve) => child.on('close', resolve));
    assert.equal(child.signalCode, 'SIGKILL', 'it ended before it was killed');
  }
  assert.ok(readdirSync(folder.path).includes('.writing'));
  await writeSmallDataset(folder.path, 16);
  assert.deepEqual(filesOf(folder.path), filesOf(straight.path));
});

test('a disk that fills up ends the run with one line; with space it continues to the same bytes', async (t) => {
  using folder = temporaryFolder();
  const script = [
    'mount -t tmpfs -o size=160k tmpfs "$1" || exit 99',
    '"$0" --import tsx "$2" "$1/out" 16 >/dev/null && exit 98',
    'mount -o remount,size=4m "$1"',
    '"$0" --import tsx "$2" "$1/out" 16 >/dev/null || exit 97',
    'cp -r "$1/out/." "$3"',
  ].join('\n');
  const [disk, copy] = [join(folder.path, 'disk'), join(folder.path, 'copy')];
  mkdirSync(disk);
  mkdirSync(copy);
  const run = spawnSync('unshare', ['-rm', 'sh', '-c', script, process.execPath, disk, PROGRAM, copy], {
    encoding: 'utf8',
  });
  if (run.error || run.status === 99 || /unshare/.test(run.stderr))
    return t.skip('no small disk can be made here');
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stderr, /^write-failed: .* could not be written: the disk is full\.\n$/);
  using straight = temporaryFolder();
  await writeSmallDataset(straight.path, 16);
  assert.deepEqual(filesOf(copy), filesOf(straight.path));
});
