// The commands as a user types them, on small inputs cut from the project's own sample.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeHeadTrack } from '../../src/head/index.ts';
import { readImage, readVideo, SHIPPED_AVATAR } from '../../src/node/index.ts';
import { temporaryFolder, writeTestClip } from '../node/test-clips.ts';
import { difference, framesOf } from './clip-frames.ts';
import { runJson, runToFailure } from './run-cli.ts';
import { drivingFrames, NO_WEIGHTS, PORTRAIT, writeTurningTrack } from './sample-inputs.ts';

const FRAMES = 4;
const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);

before(async () => {
  const frames = await drivingFrames(FRAMES);
  await writeTestClip(at('clip.mp4'), {
    timestampsSeconds: frames.map((_, i) => i / 25),
    soundSeconds: 1,
    frame: (index) => frames[index]!,
  });
  await writeTurningTrack(at('turn.track'), 3);
});
after(() => folder[Symbol.dispose]());

test('track finds the head of a clip and writes it with its clock', async () => {
  const result = await runJson('track', at('clip.mp4'), '--out', at('clip.track'));
  assert.deepEqual([result.frames, result.framesTracked, result.device], [FRAMES, FRAMES, 'cpu']);
  assert.ok(Number(result.framesPerSecond) > 0);
  assert.ok(Number(result.landmarkErrorMedian) < 0.05, `landmark error ${result.landmarkErrorMedian}`);
  const track = decodeHeadTrack(new Uint8Array(readFileSync(at('clip.track'))));
  assert.deepEqual([track.width, track.height], [320, 320]);
  assert.ok(Math.abs(track.timestampsSeconds[2]! - 0.08) < 1e-3);
});

test('control shows frame, mesh and map of a clip with its sound; of a track, mesh and map', async () => {
  const ofClip = await runJson('control', at('clip.mp4'), '--out', at('control.mp4'));
  const ofTrack = await runJson('control', at('turn.track'), '--out', at('control-track.mp4'));
  assert.deepEqual([ofClip.frames, ofClip.framesTracked], [FRAMES, FRAMES]);
  assert.deepEqual([ofTrack.frames, ofTrack.framesTracked], [3, 3]);
  using clip = await readVideo(at('control.mp4'));
  assert.deepEqual([clip.width, clip.height, clip.sound?.codec], [3 * 320, 320, 'aac']);
  const [first] = await framesOf(at('control-track.mp4'));
  assert.deepEqual([first!.width, first!.height], [2 * 512, 512]);
});

test('reenact makes the frames of a track with the network, and names its weights', {
  skip: NO_WEIGHTS,
}, async () => {
  const words = ['reenact', '--portrait', PORTRAIT, '--driving', at('turn.track')];
  const made = await runJson(...words, '--out', at('network.mp4'), '--steps', '1');
  const carried = await runJson(...words, '--out', at('preview.mp4'), '--preview');
  assert.deepEqual([made.frames, made.width, made.height], [3, 256, 256]);
  const sha256 = createHash('sha256').update(readFileSync(SHIPPED_AVATAR)).digest('hex');
  assert.deepEqual(made.weights, { name: 'compact', sha256 });
  assert.equal(carried.weights, null);
  const stages = Object.keys(made.secondsByStage as Record<string, number>);
  assert.deepEqual(stages, ['tracking', 'preparation', 'rendering']);
  const [network, preview] = [await framesOf(at('network.mp4')), await framesOf(at('preview.mp4'))];
  for (const [i, frame] of network.entries()) {
    const apart = difference(frame, preview[i]!);
    assert.ok(apart > 0.2 && apart < 40, `frame ${i}: ${apart} grey levels from the lifted portrait`);
  }
  assert.ok(difference(network[0]!, network[2]!) > 1, 'the head turns');
});

test('reenact carries a portrait by geometry through a clip, and keeps its sound', async () => {
  const result = await runJson(
    ...['reenact', '--portrait', PORTRAIT, '--driving', at('clip.mp4'), '--out', at('o.mp4')],
    ...['--sheet', at('sheet.png'), '--size', '128', '--compare', '--preview'],
  );
  assert.deepEqual([result.frames, result.width, result.height], [FRAMES, 3 * 128, 128]);
  assert.deepEqual(result.outputs, [at('o.mp4'), at('sheet.png')]);
  using clip = await readVideo(at('o.mp4'));
  assert.equal(clip.sound?.codec, 'aac');
  // Four moments in two columns.
  const { image } = await readImage(at('sheet.png'));
  assert.ok(image.width >= 2 * 3 * 128 && image.height >= 2 * 128, `${image.width} x ${image.height}`);
});

test('a track as driver has no pictures to compare with: the result says so', async () => {
  const result = await runJson(
    ...['reenact', '--portrait', PORTRAIT, '--driving', at('turn.track'), '--out', at('two.mp4')],
    ...['--size', '64', '--compare', '--preview'],
  );
  assert.deepEqual([result.width, result.height], [2 * 64, 64]);
  assert.match(String(result.warnings), /turn\.track holds no pictures/);
});

test('evaluate measures a subject beside the lift and copying; a report asked twice is the same', {
  skip: NO_WEIGHTS,
}, async () => {
  const words = [
    ...['evaluate', '--protocol', 'novel-view', '--synthetic', '1', '--steps', '1', '--orbits', '0'],
    ...['--out', at('evaluation')],
  ];
  type Row = { readonly psnr: { readonly mean: number } };
  const result = (await runJson(...words, '--sheet', at('evaluation.png'))) as Record<
    'metrics' | 'lift' | 'copying',
    Row
  > &
    Record<string, unknown>;
  assert.deepEqual([result.subjects, result.failures], [1, 0]);
  for (const name of ['metrics', 'lift', 'copying'] as const) {
    const { mean } = result[name].psnr;
    assert.ok(mean > 5 && mean < 50, `${name}: ${mean} dB`);
  }
  assert.ok(result.lift.psnr.mean > result.copying.psnr.mean, 'a lift is nearer than a copy');
  assert.ok(existsSync(at('evaluation.png')));
  const files = ['report.html', 'report.json', 'report.md'];
  const contents = (): string[] => files.map((file) => readFileSync(at(`evaluation/${file}`), 'utf8'));
  const first = contents();
  const again = await runJson(...words);
  assert.deepEqual(again.metrics, result.metrics);
  assert.deepEqual(contents(), first);
  const other = await runToFailure(...words, '--clip-frames', '12');
  assert.deepEqual([other.status, other.code], [2, 'other-evaluation']);
  assert.match(other.line, /its clipFrames is 40, not 12/);
});
