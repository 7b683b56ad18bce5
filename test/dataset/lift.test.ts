// Lifting a folder of portraits into a dataset.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openDataset, verifyDataset } from '../../src/dataset/index.ts';
import { silentSink } from '../../src/events/index.ts';
import { parametersAt } from '../../src/head/index.ts';
import { solidImage } from '../../src/media/index.ts';
import { createDevice, datasetFolder, liftDataset, loadTracker, writeImage } from '../../src/node/index.ts';
import { head } from '../head/embedded-head.ts';
import { temporaryFolder } from '../node/test-clips.ts';

const PORTRAIT = join(import.meta.dirname, '..', '..', 'samples', 'portrait.png');
const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

test('a portrait becomes itself with variants away and back, and a picture without a face is skipped', async () => {
  const [source, out] = [join(folder.path, 'source'), join(folder.path, 'lifted')];
  mkdirSync(source);
  copyFileSync(PORTRAIT, join(source, 'anna.png'));
  await writeImage(join(source, 'wall.png'), solidImage(64, 64, [90, 90, 90]));
  await using tracker = await loadTracker(await createDevice('cpu'), head);
  const options = {
    ...{ source, out, name: 'test', licence: 'CC0-1.0', sizePx: 64, variants: 2, seed: 3, tracker, head },
    away: { yawDegrees: 20, pitchDegrees: 8, expression: 1 },
    emit: silentSink,
    signal: new AbortController().signal,
  };
  const result = await liftDataset(options);
  assert.equal(result.portraitsLifted, 1);
  assert.deepEqual(
    result.skipped.map(({ item }) => item),
    ['wall'],
  );
  assert.ok(result.qualities.every((quality) => quality > 0.4 && quality < 1));

  await using disk = datasetFolder(out);
  const dataset = await openDataset(disk);
  const clip = await dataset.open(dataset.clips[0]!);
  const track = (await clip.track())!;
  assert.equal(track.timestampsSeconds.length, 5);
  assert.equal(clip.info.label, 'real');
  const [photograph, away, back] = [0, 1, 2].map((frame) => parametersAt(track, frame));
  assert.deepEqual(back, photograph);
  assert.notDeepEqual(away!.jointRotations, photograph!.jointRotations);
  // What is seen less counts less: nothing of the photograph is invented, and two ways cost more than one.
  assert.equal(track.confidence[0], 1);
  assert.ok(track.confidence[2]! <= track.confidence[1]! + 0.05 && track.confidence[2]! > 0);
  for (const name of ['head', 'visibility'] as const) assert.ok(await clip.map(name, 1));
  assert.deepEqual((await verifyDataset(disk)).faults, []);

  const again = await liftDataset(options);
  assert.equal(again.portraitsLifted, 0);
  assert.deepEqual(again.totals, result.totals);
  assert.ok(!readdirSync(out).includes('.items'));
  await assert.rejects(liftDataset({ ...options, variants: 3 }), { code: 'dataset-of-other-request' });
});
