// A dataset's clips as cases: whose are taken, and what becomes of a clip.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ClipInfo, clipKey, encodeClip } from '../../src/dataset/index.ts';
import type { Protocol } from '../../src/evaluation/index.ts';
import type { EventSink } from '../../src/events/index.ts';
import { type HeadTrack, neutralParameters } from '../../src/head/index.ts';
import { createLiftTools } from '../../src/lift/index.ts';
import { solidImage } from '../../src/media/index.ts';
import { beginDataset } from '../../src/node/dataset-builder.ts';
import { datasetCases, encodeFrame, encodeMask } from '../../src/node/index.ts';
import type { Tracker } from '../../src/tracking/index.ts';
import { someInfo, somePlan } from '../dataset/small-dataset.ts';
import { head } from '../head/embedded-head.ts';
import { temporaryFolder } from '../node/test-clips.ts';

const SIZE = 48;
const FRAMES = 5;
const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

/** A head at rest a metre away; frame t has turned t tenths of a radian. */
function turningTrack(frames: number): HeadTrack {
  const { identity, expression, jointRotations } = neutralParameters(head);
  const repeated = (row: ArrayLike<number>): Float32Array =>
    Float32Array.from({ length: frames * row.length }, (_, i) => row[i % row.length]!);
  return {
    headName: head.name,
    ...{ width: SIZE, height: SIZE, focalPx: 2.2 * SIZE, identity },
    timestampsSeconds: Float64Array.from({ length: frames }, (_, t) => t / 25),
    expression: repeated(expression),
    jointRotations: repeated(jointRotations).map((value, i) =>
      i % jointRotations.length === 1 ? 0.1 * Math.floor(i / jointRotations.length) : value,
    ),
    translation: repeated([0, 0.02, -1]),
    confidence: new Float32Array(frames).fill(1),
    landmarksPx: new Float32Array(frames * 956),
    provenance: {},
  };
}

type Wanted = Pick<ClipInfo, 'identity' | 'split' | 'kind'>;

async function writeDataset(name: string, clips: readonly Wanted[]): Promise<string> {
  const path = join(folder.path, name);
  using dataset = await beginDataset(somePlan(path, clips.length, { headName: head.name }));
  const half = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (i % SIZE < SIZE / 2 ? 255 : 0));
  for (const [item, wanted] of clips.entries()) {
    const frames = [];
    const masks = [];
    for (let t = 0; t < FRAMES; t++) {
      frames.push(await encodeFrame(solidImage(SIZE, SIZE, [100, 20 * t, 10 * item])));
      masks.push(await encodeMask(half, SIZE, SIZE));
    }
    const info = someInfo({ ...wanted, width: SIZE, height: SIZE });
    const key = clipKey(`${wanted.identity}-${item}`);
    const clip = encodeClip({ key, info, track: turningTrack(FRAMES), frames, maps: { head: masks } });
    await dataset.put(item, { clips: [clip] });
  }
  await dataset.finish();
  return path;
}

const open = (path: string, protocol: Protocol, emit: EventSink = () => {}) =>
  datasetCases({
    ...{ path, protocol, emit, clipFrames: 4, clips: 3, sizePx: 32 },
    tools: createLiftTools(head),
    // All of every picture is person; nothing is tracked, since clips have tracks.
    tracker: { personMask: async ({ width, height }) => new Uint8Array(width * height).fill(255) } as Tracker,
  });

test('held-out clips alone are taken, two of a person, by name, up to the number that is asked for', async () => {
  const clip = (identity: string, split: ClipInfo['split'] = 'heldOut'): Wanted => ({
    identity,
    split,
    kind: 'sequence',
  });
  const people = [
    clip('carl'),
    clip('anna'),
    clip('anna'),
    clip('anna'),
    clip('bert', 'train'),
    clip('dora'),
  ];
  const path = await writeDataset('people', people);
  await using self = await open(path, 'self');
  assert.deepEqual(self.names, ['anna-1', 'anna-2', 'carl-0']);
  await using cross = await open(path, 'cross');
  assert.deepEqual(cross.names, ['anna-1+carl-0', 'carl-0+dora-5', 'dora-5+anna-1']);
  await assert.rejects(open(path, 'novel-view'), { code: 'no-clips' });
});

test('the first frame of a clip is the reference, the rest its targets, masks and poses go along', async () => {
  const warnings: string[] = [];
  const path = await writeDataset('views', [{ identity: 'anna', split: 'train', kind: 'views' }]);
  await using cases = await open(path, 'novel-view', (event) => {
    if (event.kind === 'log') warnings.push(event.message);
  });
  assert.match(warnings.join(), /no clips out of training/);
  const { reference, targets, isSequence, hasTruth } = await cases.load('anna-0');
  assert.deepEqual([isSequence, hasTruth, targets.length], [false, true, 3]);
  assert.deepEqual([reference.image.width, reference.camera.width], [32, 32]);
  assert.ok(Math.abs(reference.camera.focalXPx - 2.2 * 32) < 1e-3);
  assert.deepEqual(
    targets.map(({ index, head: { jointRotations } }) => [index, Number(jointRotations[1]!.toFixed(3))]),
    [
      [1, 0.1],
      [2, 0.2],
      [3, 0.3],
    ],
  );
  assert.ok(Math.abs(targets[1]!.picture.data[1]! - 40) < 4);
  const inside = targets[0]!.region.filter((value) => value > 0).length;
  assert.equal(inside, (32 * 32) / 2);
});

test('in cross the driver moves the reference, and its frames are what is shown', async () => {
  const path = join(folder.path, 'people');
  await using cases = await open(path, 'cross');
  const { reference, targets, hasTruth } = await cases.load('anna-1+carl-0');
  assert.equal(hasTruth, false);
  assert.equal(targets.length, 4);
  assert.ok(Math.abs(reference.image.data[2]! - 10) < 4 && targets[0]!.picture.data[2]! < 4);
  assert.ok(Math.abs(targets[3]!.head.jointRotations[1]! - 0.3) < 1e-4);
});
