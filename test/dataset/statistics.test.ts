// Counts and histograms of a dataset against tracks whose angles are known.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasetStatistics, encodeClip, openDataset, spreadClips } from '../../src/dataset/index.ts';
import { beginDataset } from '../../src/node/dataset-builder.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { filesOf, memoryFolder, someClip, somePlan } from './small-dataset.ts';

const DEGREES = 180 / Math.PI;

test('histograms count every tracked frame once, at its own angle and under its own label', async () => {
  using folder = temporaryFolder();
  using writing = await beginDataset(somePlan(folder.path, 2));
  for (const [item, label] of (['real', 'synthetic'] as const).entries()) {
    const clip = someClip(item, 4, { label, identity: 'one', split: item === 0 ? 'train' : 'heldOut' });
    const jointRotations = new Float32Array(4 * 15);
    // Frame 0 turned by 30 degrees, frame 1 nodding by 20, frame 2 far beyond the axis, frame 3 not tracked.
    jointRotations[1] = 30 / DEGREES;
    jointRotations[15] = 20 / DEGREES;
    jointRotations[31] = 120 / DEGREES;
    const expression = new Float32Array(12).fill(0.5, 0, 3);
    const track = { ...clip.track!, jointRotations, expression, confidence: Float32Array.of(1, 1, 1, 0) };
    await writing.put(item, { clips: [encodeClip({ ...clip, track })] });
  }
  await writing.finish();
  const dataset = await openDataset(memoryFolder(filesOf(folder.path)));
  const found = await datasetStatistics(dataset);
  assert.deepEqual([found.clips, found.frames, found.people], [2, 8, 1]);
  assert.deepEqual([found.framesOpened, found.framesTracked], [8, 6]);
  assert.deepEqual(found.splits, { train: { clips: 1, frames: 4 }, heldOut: { clips: 1, frames: 4 } });
  assert.deepEqual(found.licences, { 'CC0-1.0': { clips: 2, frames: 8 } });
  const { low, high, counts } = found.yawDegrees;
  const bin = (degrees: number): number => Math.floor(((degrees - low) / (high - low)) * counts.real.length);
  const filled = (list: readonly number[]) => list.flatMap((count, i) => (count > 0 ? [[i, count]] : []));
  const expected = [
    [bin(0.001), 1],
    [bin(30.001), 1],
    [counts.real.length - 1, 1],
  ];
  assert.deepEqual(filled(counts.real), expected);
  assert.deepEqual(filled(counts.synthetic), expected);
  const pitch = found.pitchDegrees;
  const nod = Math.floor(((20 - pitch.low) / (pitch.high - pitch.low)) * 45);
  assert.deepEqual(
    filled(pitch.counts.real).map(([i]) => i),
    [Math.floor(45 / 2), nod],
  );
  // Two frames at rest, one with all coefficients 0.5.
  assert.deepEqual(
    found.expressionEnergy.counts.real.filter((count) => count > 0),
    [2, 1],
  );
});

test('a spread of clips is even, in order, and never has a clip twice', async () => {
  using folder = temporaryFolder();
  using writing = await beginDataset(somePlan(folder.path, 1));
  await writing.put(0, { clips: Array.from({ length: 10 }, (_, i) => encodeClip(someClip(i, 1))) });
  await writing.finish();
  const { clips } = await openDataset(memoryFolder(filesOf(folder.path)));
  const keys = (count: number): string =>
    spreadClips(clips, count)
      .map(({ key }) => key.slice(5))
      .join('');
  assert.deepEqual([keys(2), keys(5), keys(99), keys(0)], ['27', '13579', '0123456789', '']);
});
