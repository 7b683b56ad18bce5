// Importing small folders in the layouts of other people's datasets, which the tests make.

import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { type Dataset, LAYOUTS, openDataset, verifyDataset } from '../../src/dataset/index.ts';
import { silentSink } from '../../src/events/index.ts';
import { projectPoint } from '../../src/geometry/index.ts';
import { createHeadPoser, parametersAt } from '../../src/head/index.ts';
import { solidImage } from '../../src/media/index.ts';
import {
  createDevice,
  datasetFolder,
  decodeFrame,
  type ImportOptions,
  type ImportResult,
  importDataset,
  loadTracker,
  writeImage,
} from '../../src/node/index.ts';
import { head } from '../head/embedded-head.ts';
import { orientedFrame, steadyTimestamps, temporaryFolder, writeTestClip } from '../node/test-clips.ts';
import { filesOf } from './small-dataset.ts';

const PORTRAIT = join(import.meta.dirname, '..', '..', 'samples', 'portrait.png');
const PORTRAITS = join(import.meta.dirname, '..', '..', '..', 'shared', 'portraits');
const folder = temporaryFolder();
const disks: ReturnType<typeof datasetFolder>[] = [];
after(async () => {
  for (const disk of disks) await disk[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});
let count = 0;
const newPath = (): string => join(folder.path, String(count++));

async function imported(
  source: string,
  changes: Partial<ImportOptions> & { readonly out?: string } = {},
): Promise<ImportResult & { readonly dataset: Dataset; readonly out: string }> {
  const out = changes.out ?? newPath();
  const result = await importDataset({
    source,
    layout: LAYOUTS.images,
    label: 'real',
    licence: 'CC0-1.0',
    name: 'test source',
    sizePx: null,
    tracker: null,
    head,
    segmenter: null,
    emit: silentSink,
    signal: new AbortController().signal,
    ...changes,
    out,
  });
  const disk = datasetFolder(out);
  disks.push(disk);
  assert.deepEqual((await verifyDataset(disk)).faults, []);
  return { ...result, out, dataset: await openDataset(disk) };
}

/** A path in a folder that is there. */
function at(...names: string[]): string {
  const path = join(...names);
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

const clip = (path: string, framesPerSecond: number, frames: number): Promise<void> =>
  writeTestClip(path, {
    timestampsSeconds: steadyTimestamps(frames, framesPerSecond),
    frame: (i) => solidImage(64, 48, [8 * i, 128, 64]),
  });

test('one unreadable picture among many is skipped, counted and listed; the others are kept byte for byte', async () => {
  const source = newPath();
  const picture = at(source, 'p00.png');
  await writeImage(picture, orientedFrame(24, 16));
  for (let i = 1; i < 60; i++) copyFileSync(picture, join(source, `p${String(i).padStart(2, '0')}.png`));
  writeFileSync(join(source, 'p17.png'), readFileSync(picture).subarray(0, 40));
  writeFileSync(join(source, 'p18.png'), '');
  const { dataset, skipped, totals, out } = await imported(source);
  assert.deepEqual([totals.clips, totals.frames, totals.skipped], [58, 58, 2]);
  assert.deepEqual(
    skipped.map(({ item }) => item),
    ['p17', 'p18'],
  );
  assert.match(skipped[0]!.reason, /^Expected a picture, but .*p17\.png cannot be read[^\n]*$/);
  assert.deepEqual(
    dataset.items.filter((item) => item.skipped !== undefined).map(({ name }) => name),
    ['p17', 'p18'],
  );
  const first = await dataset.open(dataset.clips[0]!);
  assert.deepEqual((await first.frame(0)).bytes, new Uint8Array(readFileSync(picture)));
  const { label, licence, origin, kind, width, height } = first.info;
  assert.deepEqual(
    [label, licence, origin, kind, width, height],
    ['real', 'CC0-1.0', 'test source: p00.png', 'views', 24, 16],
  );
  // Run again, nothing is left to do; with a picture more, that one alone.
  const before = filesOf(out);
  assert.equal((await imported(source, { out })).itemsImported, 0);
  assert.deepEqual(filesOf(out), before);
  copyFileSync(picture, join(source, 'q.png'));
  assert.equal((await imported(source, { out })).itemsImported, 1);
  rmSync(join(source, 'p03.png'));
  await assert.rejects(imported(source, { out }), { code: 'dataset-of-other-items', message: /p03/ });
  await assert.rejects(imported(source, { out, label: 'synthetic' }), { code: 'dataset-of-other-request' });
});

test('an import that is stopped in the middle of a clip continues to the same bytes', async () => {
  const source = newPath();
  for (const name of ['a', 'b', 'c']) await clip(at(source, `${name}.mp4`), 25, 6);
  const out = newPath();
  const controller = new AbortController();
  const stopped = imported(source, {
    out,
    layout: LAYOUTS.video,
    signal: controller.signal,
    emit: () => controller.abort(),
  });
  await assert.rejects(stopped, { name: 'AbortError' });
  assert.deepEqual(readdirSync(join(out, '.items')), ['00000000.json', '00000000.tar']);
  const { itemsImported } = await imported(source, { out, layout: LAYOUTS.video });
  assert.equal(itemsImported, 2);
  const whole = await imported(source, { layout: LAYOUTS.video });
  assert.deepEqual(filesOf(out), filesOf(whole.out));
});

test('a link to nowhere is skipped; a folder that is not there, or a file, is refused', async () => {
  const source = newPath();
  await writeImage(at(source, 'a.png'), orientedFrame(8, 8));
  const { symlinkSync } = await import('node:fs');
  symlinkSync(join(source, 'gone.png'), join(source, 'b.png'));
  assert.deepEqual((await imported(source)).skipped.length, 1);
  await assert.rejects(imported(newPath()), { code: 'folder-not-found' });
  await assert.rejects(imported(join(source, 'a.png')), { code: 'not-a-folder' });
});

test('videos come at 25 frames a second; one that is cut short is skipped as a whole', async () => {
  const source = newPath();
  await clip(at(source, 'fast.mp4'), 50, 20);
  await clip(at(source, 'slow.mp4'), 12.5, 5);
  await clip(at(source, 'cut.mp4'), 25, 20);
  writeFileSync(join(source, 'cut.mp4'), readFileSync(join(source, 'cut.mp4')).subarray(0, 900));
  const { dataset, skipped } = await imported(source, { layout: LAYOUTS.video });
  assert.deepEqual(
    dataset.clips.map(({ key, frames, kind }) => [key, frames, kind]),
    [
      // The last frame of a test clip is on show for 0.1 s.
      ['fast-000', 12, 'sequence'],
      ['slow-000', 11, 'sequence'],
    ],
  );
  assert.equal(skipped[0]!.item, 'cut');
  const slow = await dataset.open(dataset.clips[1]!);
  assert.equal(slow.info.framesPerSecond, 25);
  const reds = await Promise.all(
    [0, 1, 2, 3].map(async (i) => (await decodeFrame((await slow.frame(i)).bytes)).data[0]!),
  );
  assert.deepEqual([reds[0] === reds[1], reds[1] === reds[2], reds[2] === reds[3]], [true, false, true]);
});

test("VFHQ's pictures come at the rate of their text file", async () => {
  const source = newPath();
  const name = 'Clip+abc+P0+C0+F100-115';
  for (let i = 0; i < 12; i++) {
    await writeImage(
      at(source, name, `${String(100 + i).padStart(8, '0')}.png`),
      solidImage(16, 16, [20 * i, 0, 0]),
    );
  }
  writeFileSync(at(source, 'meta_info', `${name}.txt`), 'H 16\nW 16\nFPS 50\n');
  const { dataset } = await imported(source, { layout: LAYOUTS.vfhq });
  const clipOf = await dataset.open(dataset.clips[0]!);
  const reds: number[] = [];
  for (let i = 0; i < clipOf.place.frames; i++) {
    reds.push((await decodeFrame((await clipOf.frame(i)).bytes)).data[0]!);
  }
  assert.deepEqual(reds, [0, 40, 80, 120, 160, 200]);
  assert.equal(clipOf.place.identity, 'abc+P0');
});

test("NeRSemble's views carry their calibration, and held-out people say so", async () => {
  const source = newPath();
  for (const person of ['017', '018']) {
    const calibration = {
      world_2_cam: {
        1: [
          [1, 0, 0, 0.5],
          [0, 1, 0, 0],
          [0, 0, 1, 2],
          [0, 0, 0, 1],
        ],
      },
      intrinsics: [
        [80, 0, 31],
        [0, 80, 23],
        [0, 0, 1],
      ],
    };
    writeFileSync(at(source, person, 'calibration', 'camera_params.json'), JSON.stringify(calibration));
    for (const camera of [1, 2]) {
      await clip(at(source, person, 'sequences', 'EXP-1-head', 'images', `cam_${camera}.mp4`), 73, 8);
    }
  }
  const layout = { ...LAYOUTS.nersemble, heldOut: 1 };
  const { dataset, heldOutItems } = await imported(source, { layout });
  assert.equal(heldOutItems, 2);
  assert.deepEqual(
    dataset.clips.map(({ identity, split, frames }) => [identity, split, frames]),
    [
      ['017', 'train', 5],
      ['017', 'train', 5],
      ['018', 'heldOut', 5],
      ['018', 'heldOut', 5],
    ],
  );
  const [first, second] = [await dataset.open(dataset.clips[0]!), await dataset.open(dataset.clips[1]!)];
  assert.deepEqual(first.info.calibration, {
    width: 64,
    height: 48,
    focalXPx: 80,
    focalYPx: 80,
    centreXPx: 31,
    centreYPx: 23,
    cameraFromWorld: { rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation: [0.5, 0, 2] },
  });
  assert.equal(second.info.calibration, null);
  assert.deepEqual([first.info.sequence, first.info.view], ['EXP-1-head', '1']);
  writeFileSync(join(source, '017', 'calibration', 'camera_params.json'), '{');
  await assert.rejects(imported(source, { layout }), { code: 'bad-calibration', message: /017/ });
});

test("MEAD's views and multi-view renders keep person, take and view", async () => {
  const mead = newPath();
  for (const view of ['front', 'left_30']) {
    await clip(at(mead, 'W011', 'video', view, 'sad', 'level_3', '007.mp4'), 30, 6);
  }
  const { dataset } = await imported(mead, { layout: LAYOUTS.mead });
  const infos = await Promise.all(dataset.clips.map(async (place) => (await dataset.open(place)).info));
  assert.deepEqual(
    infos.map(({ identity, sequence, view }) => [identity, sequence, view]),
    [
      ['W011', 'sad-3-007', 'front'],
      ['W011', 'sad-3-007', 'left_30'],
    ],
  );
  const renders = newPath();
  for (const view of ['00', '01']) await writeImage(at(renders, 's7', `${view}.png`), orientedFrame(16, 16));
  const { dataset: views } = await imported(renders, { layout: LAYOUTS.multiview, label: 'synthetic' });
  assert.deepEqual(
    views.clips.map(({ identity, label, kind }) => [identity, label, kind]),
    Array.from({ length: 2 }, () => ['s7', 'synthetic', 'views']),
  );
});

test('a tracked picture is cut to the head, whose parameters and landmarks meet the cut picture', async () => {
  const source = newPath();
  copyFileSync(PORTRAIT, at(source, 'portrait.png'));
  await writeImage(at(source, 'wall.png'), solidImage(200, 200, [90, 90, 90]));
  await using tracker = await loadTracker(await createDevice('cpu'), head);
  const { dataset, skipped } = await imported(source, { tracker, sizePx: 192 });
  assert.deepEqual(
    skipped.map(({ item }) => item),
    ['wall'],
  );
  assert.match(skipped[0]!.reason, /Expected a face/);
  const still = await dataset.open(dataset.clips[0]!);
  const track = (await still.track())!;
  const { camera, width } = still.info;
  assert.deepEqual([width, camera!.width, track.width], [192, 192, 192]);
  assert.equal((await decodeFrame((await still.frame(0)).bytes)).width, 192);
  const joints = createHeadPoser(head).joints(parametersAt(track, 0));
  // Landmarks 468 and 473 are the irises of the right and the left eye, joints 4 and 3.
  for (const [landmark, joint] of [
    [468, 4],
    [473, 3],
  ] as const) {
    const [x, y] = projectPoint(camera!, joints.subarray(3 * joint, 3 * joint + 3));
    const [seenX, seenY] = track.landmarksPx.subarray(2 * landmark, 2 * landmark + 2);
    assert.ok(Math.hypot(x - seenX!, y - seenY!) < 5, `${x},${y} is not ${seenX},${seenY}`);
    assert.ok(x > 40 && x < 152 && y > 40 && y < 152);
  }
});

test('generated portraits import as real stills', {
  skip: !existsSync(PORTRAITS) && 'the folder of portraits is not here',
}, async () => {
  const source = newPath();
  const names = readdirSync(PORTRAITS).filter((name) => name.endsWith('.jpg'));
  for (const name of names.slice(0, 3)) copyFileSync(join(PORTRAITS, name), at(source, name));
  await using tracker = await loadTracker(await createDevice('cpu'), head);
  const { dataset, skipped } = await imported(source, { tracker, sizePx: 256 });
  assert.deepEqual(skipped, []);
  assert.ok(
    dataset.clips.every(({ label, isTracked, frames }) => label === 'real' && isTracked && frames === 1),
  );
});
