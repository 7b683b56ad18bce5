// `synthesize`: a dataset with its truth, a run that is killed and goes on, mistakes in one line.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { depthsOf, mapsOf, normalsOf, openDataset, verifyDataset } from '../../src/dataset/index.ts';
import { projectPoint } from '../../src/geometry/index.ts';
import {
  createHeadPoser,
  encodeHeadTrack,
  type HeadTrack,
  parametersAt,
  trackCamera,
} from '../../src/head/index.ts';
import {
  datasetFolder,
  decodeDepth,
  decodeFrame,
  decodeMask,
  loadEmbeddedHead,
} from '../../src/node/index.ts';
import { filesOf } from '../dataset/small-dataset.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { runCli, runJson, runToFailure } from './run-cli.ts';

const SMALL = ['--subjects', '3', '--views', '2', '--size', '64', '--seed', '30'];

test('subjects come with pictures, masks and truth; a killed run goes on to the same bytes', async () => {
  using folder = temporaryFolder();
  const [killed, whole] = [join(folder.path, 'killed'), join(folder.path, 'whole')];
  // Killed as soon as the first subject is there.
  const run = await runCli(['synthesize', '--out', killed, ...SMALL], {
    onStart(interrupt) {
      const items = join(killed, '.items');
      const watch = setInterval(() => {
        if (!existsSync(items) || !readdirSync(items).some((name) => name.endsWith('.json'))) return;
        clearInterval(watch);
        interrupt('SIGKILL');
      }, 2);
    },
  });
  assert.equal(run.status, null);
  const rest = await runJson('synthesize', '--out', killed, ...SMALL);
  assert.deepEqual([rest.subjects, rest.images, rest.shards], [3, 6, 1]);
  assert.ok(Number(rest.imagesRendered) < 6, `${rest.imagesRendered} rendered again`);
  const made = await runJson('synthesize', '--out', whole, ...SMALL);
  assert.deepEqual([made.images, made.imagesRendered], [6, 6]);
  assert.ok(Number(made.imagesPerSecond) > 0);
  assert.deepEqual(filesOf(killed), filesOf(whole));

  await using disk = datasetFolder(whole);
  assert.deepEqual((await verifyDataset(disk)).faults, []);
  const dataset = await openDataset(disk);
  assert.deepEqual(
    dataset.clips.map(({ key }) => key),
    ['subject-000030', 'subject-000031', 'subject-000032'],
  );
  const clip = await dataset.open(dataset.clips[1]!);
  const { label, kind, licence, width } = clip.info;
  assert.deepEqual([label, kind, licence, width], ['synthetic', 'views', 'CC0-1.0', 64]);
  const track = (await clip.track())!;
  // The truth meets the picture: the middle between the eyes lies in the mask of the head.
  const joints = createHeadPoser(await loadEmbeddedHead()).joints(parametersAt(track, 1));
  const middle = [0, 1, 2].map((axis) => (joints[9 + axis]! + joints[12 + axis]!) / 2);
  const [x, y] = projectPoint(trackCamera(track), middle);
  const mask = await decodeMask((await clip.map('head', 1))!);
  assert.equal(mask[Math.floor(y) * 64 + Math.floor(x)], 255);
  assert.equal((await decodeFrame((await clip.frame(1)).bytes)).width, 64);
  // The tip of the nose (landmark 4) lies below the eyes.
  assert.ok(track.landmarksPx[956 + 9]! > y);

  const other = await runToFailure('synthesize', '--out', whole, ...SMALL, '--size', '32');
  assert.deepEqual([other.status, other.code], [2, 'dataset-of-other-request']);
  assert.match(other.line, /to be of sizePx 32, but it was begun with 64/);
});

test('--maps stores what is asked for beside the pictures, and inspect shows it', async () => {
  using folder = temporaryFolder();
  const out = join(folder.path, 'maps');
  const words = ['--out', out, '--subjects', '1', '--views', '2', '--size', '64', '--seed', '30'];
  await runJson('synthesize', ...words, '--maps', 'depth', 'eyes', '--maps', 'normals');
  await using disk = datasetFolder(out);
  assert.deepEqual((await verifyDataset(disk)).faults, []);
  const dataset = await openDataset(disk);
  const clip = await dataset.open(dataset.clips[0]!);
  assert.deepEqual(mapsOf(clip.info), ['head', 'person', 'eyes', 'normals', 'depth']);
  const eyes = await decodeMask((await clip.map('eyes', 1))!);
  const depths = depthsOf(await decodeDepth((await clip.map('depth', 1))!));
  const normals = normalsOf((await decodeFrame((await clip.map('normals', 1))!)).data);
  const track = (await clip.track())!;
  const joints = createHeadPoser(await loadEmbeddedHead()).joints(parametersAt(track, 1));
  const [x, y, depth] = projectPoint(trackCamera(track), joints.subarray(9, 12));
  const pixel = Math.floor(y) * 64 + Math.floor(x);
  // The eyeball's front lies a centimetre or so before its centre, and looks at the camera.
  assert.ok(eyes[pixel]! > 100, `${eyes[pixel]}`);
  assert.ok(depth - depths[pixel]! > 0.005 && depth - depths[pixel]! < 0.02, `${depth - depths[pixel]!}`);
  assert.ok(normals[3 * pixel + 2]! < -0.8, `${normals[3 * pixel + 2]}`);

  const page = join(folder.path, 'page.html');
  const seen = await runJson('dataset', 'inspect', out, '--out', page);
  assert.deepEqual((seen.maps as Record<string, unknown>).depth, { clips: 1, frames: 2 });
  assert.match(readFileSync(page, 'utf8'), /<h2>Maps<[\s\S]*alt="normals"[\s\S]*alt="depth"/);

  const unknown = await runToFailure('synthesize', ...words, '--maps', 'ears');
  assert.match(unknown.line, /--maps expects one or more of face, hair, [^\n]*got "ears"/);
  const other = await runToFailure('synthesize', ...words);
  assert.match(other.line, /to be of maps none, but it was begun with \["eyes","normals","depth"\]/);
});

test('a size too small and a folder that is a file are refused in one line', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'file');
  writeFileSync(file, 'in the way');
  const small = await runToFailure('synthesize', '--out', folder.path, '--size', '8');
  const inTheWay = await runToFailure('synthesize', '--out', file, ...SMALL);
  assert.match(small.line, /--size expects [^\n]*got "8"/);
  assert.deepEqual([small.status, inTheWay.status], [2, 2]);
  assert.equal(inTheWay.code, 'output-not-writable');
  assert.deepEqual(readdirSync(folder.path), ['file']);
});

test('subjects replay the motion of tracks as clips of 25 frames a second, and hold what a tracker lost', async () => {
  using folder = temporaryFolder();
  const [tracks, out] = [join(folder.path, 'tracks'), join(folder.path, 'clips')];
  mkdirSync(tracks);
  const head = await loadEmbeddedHead();
  const frames = 6;
  const jaw = head.expressionNames.indexOf('mouthPucker');
  const expression = new Float32Array(frames * head.expressionNames.length);
  for (let i = 0; i < frames; i++) expression[i * head.expressionNames.length + jaw] = 0.1 * i;
  const track: HeadTrack = {
    ...{ headName: head.name, width: 64, height: 64, focalPx: 120, expression, provenance: {} },
    // At 50 frames a second: every other frame is wanted, of which one is lost.
    timestampsSeconds: Float64Array.from({ length: frames }, (_, i) => i / 50),
    identity: new Float32Array(head.identityCount),
    jointRotations: new Float32Array(frames * 15),
    translation: Float32Array.from({ length: frames * 3 }, (_, i) => (i % 3 === 2 ? -0.9 : 0)),
    confidence: Float32Array.of(1, 1, 0, 1, 1, 1),
    landmarksPx: new Float32Array(frames * 478 * 2),
  };
  writeFileSync(join(tracks, 'talk.track'), encodeHeadTrack(track));
  const options = ['--subjects', '1', '--size', '32', '--seed', '40', '--out', out];
  const made = await runJson('synthesize', ...options, '--motion', tracks, '--frames', '3');
  assert.equal(made.images, 3);
  await using disk = datasetFolder(out);
  const clip = await (await openDataset(disk)).open((await openDataset(disk)).clips[0]!);
  assert.deepEqual([clip.info.kind, clip.info.framesPerSecond], ['sequence', 25]);
  assert.match(clip.info.origin, /seed 40, motion of talk\.track/);
  const replayed = (await clip.track())!;
  const puckers = [0, 1, 2].map((i) => replayed.expression[i * head.expressionNames.length + jaw]!);
  for (const [i, expected] of [0, 0.1, 0.4].entries())
    assert.ok(Math.abs(puckers[i]! - expected) < 1e-3, `${puckers}`);
  const both = await runToFailure('synthesize', ...options, '--frames', '3', '--views', '4');
  assert.equal(both.status, 2);
});
