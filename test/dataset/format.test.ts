// The format: what is written comes back, other programs read it, and no byte can change unnoticed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { clipKey, crc32, type DatasetFault, openDataset, verifyDataset } from '../../src/dataset/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { filesOf, memoryFolder, someClip, writeSmallDataset } from './small-dataset.ts';

const COUNT = 7;

async function smallFiles(): Promise<Map<string, Uint8Array>> {
  using folder = temporaryFolder();
  await writeSmallDataset(folder.path, COUNT);
  return filesOf(folder.path);
}

const files = await smallFiles();
const damagedBy = (change: (copy: Map<string, Uint8Array>) => void): Map<string, Uint8Array> => {
  const copy = new Map([...files].map(([name, bytes]) => [name, bytes.slice()]));
  change(copy);
  return copy;
};
const faultsOf = async (copy: Map<string, Uint8Array>): Promise<readonly DatasetFault[]> =>
  (await verifyDataset(memoryFolder(copy))).faults;

test('crc32 gives the published check value', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
  assert.equal(crc32(new TextEncoder().encode('6789'), crc32(new TextEncoder().encode('12345'))), 0xcbf43926);
});

test('keys keep plain names, and never make one of two', () => {
  assert.equal(clipKey('Clip+abc_-1'), 'Clip+abc_-1');
  const [a, b] = [clipKey('a.b/c'), clipKey('a/b.c')];
  assert.notEqual(a, b);
  for (const key of [a, b, clipKey('x'.repeat(500))]) assert.match(key, /^[\w+-]{1,79}$/);
  assert.equal(clipKey(a), a);
});

test('a dataset lists its clips and skipped items, and gives back pictures, masks, tracks and origins', async () => {
  const dataset = await openDataset(memoryFolder(files));
  assert.equal(dataset.clips.length, COUNT - 1);
  assert.ok(dataset.shards >= 2, `${dataset.shards} shards`);
  assert.deepEqual(dataset.header.totals, {
    shards: dataset.shards,
    clips: COUNT - 1,
    frames: 3 * (COUNT - 1),
    skipped: 1,
  });
  assert.deepEqual(dataset.items[3], { name: 'item-3', skipped: 'nobody is to be seen' });
  const place = dataset.clips.at(-1)!;
  const expected = someClip(COUNT - 1);
  const clip = await dataset.open(place);
  const { members: _, ...info } = clip.info;
  assert.deepEqual(info, expected.info);
  assert.deepEqual(await clip.track(), expected.track);
  assert.deepEqual((await clip.frame(2)).bytes, expected.frames[2]!.bytes);
  assert.deepEqual(await clip.map('head', 1), expected.maps.head![1]);
  assert.equal(await clip.map('person', 1), null);
  await assert.rejects(clip.frame(3), { code: 'dataset-damaged', message: /has no frame 3/ });
});

test('tar lists and unpacks a shard', async (t) => {
  using folder = temporaryFolder();
  await writeSmallDataset(folder.path, 2);
  const shard = join(folder.path, 'shard-000000.tar');
  const listed = spawnSync('tar', ['-tf', shard], { encoding: 'utf8' });
  if (listed.error) return t.skip('there is no tar program here');
  const names = listed.stdout.trim().split('\n');
  assert.deepEqual(names.slice(0, 4), [
    'clip-0.json',
    'clip-0.track',
    'clip-0.0000.jpg',
    'clip-0.0000.head.png',
  ]);
  assert.equal(names.length, 2 * (2 + 2 * 3));
  const { stdout } = spawnSync('tar', ['-xOf', shard, 'clip-1.0002.jpg']);
  assert.deepEqual(new Uint8Array(stdout), someClip(1).frames[2]!.bytes);
});

test('a whole dataset verifies without a fault', async () => {
  const { faults, isComplete, clips, frames } = await verifyDataset(memoryFolder(files));
  assert.deepEqual([faults, isComplete, clips, frames], [[], true, COUNT - 1, 3 * (COUNT - 1)]);
});

test('verify finds any flipped bit of a shard', async () => {
  const random = createRandom(5);
  const shards = [...files.keys()].filter((name) => name.endsWith('.tar'));
  for (let i = 0; i < 40; i++) {
    const name = random.choose(shards);
    const at = random.integer(files.get(name)!.length);
    const copy = damagedBy((all) => {
      all.get(name)![at]! ^= 1 << random.integer(8);
    });
    const faults = await faultsOf(copy);
    assert.ok(faults.length > 0 && faults.every(({ file }) => file === name), `byte ${at} of ${name}`);
  }
});

test('verify names what is cut short, too long, missing or listed wrongly, each in one line', async () => {
  const [first, last] = ['shard-000000.tar', 'shard-000001.tar'];
  const changed = (name: string, from: string, to: string) =>
    damagedBy((all) => {
      const text = new TextDecoder().decode(all.get(name)!);
      assert.ok(text.includes(from), `${from} in ${name}`);
      all.set(name, new TextEncoder().encode(text.replace(from, to)));
    });
  const cases: readonly [Map<string, Uint8Array>, RegExp][] = [
    [damagedBy((all) => all.set(last, all.get(last)!.subarray(0, 9000))), /cut short at byte 9000/],
    [damagedBy((all) => all.set(last, all.get(last)!.subarray(0, -1))), /cut short at its end/],
    [damagedBy((all) => all.set(last, Uint8Array.of(...all.get(last)!, 0))), /goes on after its end/],
    [damagedBy((all) => all.delete(first)), /is not there/],
    [damagedBy((all) => all.delete('shard-000000.json')), /is not there/],
    [changed('shard-000001.json', '"frames":3', '"frames":4'), /the index says frames 4, the shard 3/],
    [changed('shard-000000.json', '"identity":"person-1"', '"identity":"person-2"'), /index says identity/],
    [changed('shard-000001.json', '"at":0', '"at":512'), /at byte 512, expected 0/],
    [changed('shard-000001.json', '"clips"', '"clip"'), /clips: /],
    [changed('shard-000001.json', '{', ''), /not JSON/],
    [changed('dataset.json', `"clips": ${COUNT - 1}`, '"clips": 99'), /counts 99 clips, the shards have 6/],
  ];
  for (const [copy, problem] of cases) {
    const faults = await faultsOf(copy);
    assert.match(faults[0]?.problem ?? 'no fault', problem);
    for (const fault of faults) assert.doesNotMatch(fault.problem, /\n/);
  }
});

test('reading stops at a damaged clip with its name, and reads the others', async () => {
  const whole = await openDataset(memoryFolder(files));
  const [one, other] = [whole.clips[0]!, whole.clips[1]!];
  const copy = damagedBy((all) => {
    all.get('shard-000000.tar')![one.at + 9000]! ^= 4;
  });
  const dataset = await openDataset(memoryFolder(copy));
  const readAll = async (place: typeof one): Promise<void> => {
    const clip = await dataset.open(place);
    await clip.track();
    for (let frame = 0; frame < place.frames; frame++) await clip.frame(frame);
  };
  await assert.rejects(readAll(one), {
    code: 'dataset-damaged',
    message: /^clip-0 in memory\/shard-000000\.tar/,
  });
  await readAll(other);
  const cut = damagedBy((all) =>
    all.set('shard-000000.tar', all.get('shard-000000.tar')!.subarray(0, other.at + 9)),
  );
  const short = await openDataset(memoryFolder(cut));
  await assert.rejects(short.open(other), {
    code: 'dataset-damaged',
    message: /ends within its description/,
  });
});

test('a folder without a dataset, without a shard or with another version is refused', async () => {
  await assert.rejects(openDataset(memoryFolder(new Map())), { code: 'no-dataset' });
  const copy = damagedBy((all) => all.delete('shard-000001.json'));
  await assert.rejects(openDataset(memoryFolder(copy)), { code: 'no-shard' });
  const text = new TextDecoder().decode(files.get('dataset.json')!).replace('"version": 1', '"version": 2');
  const later = new Map([...files, ['dataset.json', new TextEncoder().encode(text)] as const]);
  await assert.rejects(openDataset(memoryFolder(later)), { code: 'dataset-damaged', message: /version/ });
});
