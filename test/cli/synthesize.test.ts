// `synthesize`: pictures with their truth, a run that goes on where it stopped, mistakes in one line.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { temporaryFolder } from '../node/test-clips.ts';
import { runCli } from './run-cli.ts';

type Result = {
  readonly subjects: number;
  readonly images: number;
  readonly imagesRendered: number;
  readonly imagesPerSecond: number;
  readonly error?: { readonly code: string };
};

const SMALL = ['--subjects', '2', '--views', '2', '--size', '64', '--seed', '30', '--json'];

test('subjects come with pictures, masks and truth, and a second run makes only what is missing', async () => {
  using folder = temporaryFolder();
  const out = join(folder.path, 'subjects');
  const first = await runCli(['synthesize', '--out', out, ...SMALL]);
  assert.equal(first.status, 0, first.stderr);
  const made = JSON.parse(first.stdout) as Result;
  assert.deepEqual([made.subjects, made.images, made.imagesRendered], [2, 4, 4]);
  assert.ok(made.imagesPerSecond > 0);
  assert.equal(readdirSync(out).length, 2 * (2 * 2 + 1));
  const { width, height } = await sharp(join(out, 'subject-000031-1.png')).metadata();
  assert.deepEqual([width, height], [64, 64]);
  const truth = JSON.parse(readFileSync(join(out, 'subject-000031.json'), 'utf8')) as {
    views: { parameters: { expression: number[] }; camera: { width: number } }[];
  };
  assert.equal(truth.views.length, 2);
  assert.equal(truth.views[1]!.parameters.expression.length, 52);
  assert.equal(truth.views[1]!.camera.width, 64);

  const picture = join(out, 'subject-000030-0.png');
  const before = readFileSync(picture);
  const kept = statSync(join(out, 'subject-000031-0.png')).mtimeMs;
  rmSync(join(out, 'subject-000030.json'));
  const second = JSON.parse((await runCli(['synthesize', '--out', out, ...SMALL])).stdout) as Result;
  assert.deepEqual([second.images, second.imagesRendered], [4, 2]);
  assert.deepEqual(readFileSync(picture), before);
  assert.equal(statSync(join(out, 'subject-000031-0.png')).mtimeMs, kept);

  const other = await runCli(['synthesize', '--out', out, ...SMALL, '--size', '32']);
  assert.equal(other.status, 2);
  assert.equal((JSON.parse(other.stdout) as Result).error?.code, 'subjects-of-other-request');
  assert.match(other.stderr, /to be of sizePx 32, but it is of 64/);
});

test('a size too small and a folder that is a file are refused in one line', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'file');
  writeFileSync(file, 'in the way');
  const [small, inTheWay] = await Promise.all([
    runCli(['synthesize', '--out', folder.path, '--size', '8', '--json']),
    runCli(['synthesize', '--out', file, ...SMALL]),
  ]);
  assert.match(small.stderr, /^learn2control: --size expects [^\n]*got "8"[^\n]*\n$/);
  assert.match(inTheWay.stderr, /^learn2control: [^\n]+\n$/);
  assert.deepEqual([small.status, inTheWay.status], [2, 2]);
  assert.deepEqual(readdirSync(folder.path), ['file']);
});
