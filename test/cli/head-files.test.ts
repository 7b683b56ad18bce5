// `head import` and `head inspect` on a small synthetic FLAME (bench/peers/flame.py).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeNpz, encodeNpz, type NumpyArray } from '../../src/numpy/index.ts';
import { golden } from '../flame/flame-files.ts';
import { runJson, runToFailure } from './run-cli.ts';

const folder = await mkdtemp(join(tmpdir(), 'head-files-'));

async function place(name: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, golden(name).bytes);
  return path;
}

const files = await Promise.all(['model.pkl', 'mediapipe-embedding.npz', 'template.obj'].map(place));

test('FLAME’s files become a head that can be inspected and says what it is', async () => {
  const out = join(folder, 'small.head');
  const made = await runJson(
    'head',
    'import',
    ...files,
    '--out',
    out,
    '--licence',
    'CC0-1.0',
    '--expressions',
    '7',
  );
  assert.deepEqual(
    [made.name, made.vertices, made.identities, made.expressions, made.landmarksFromFiles, made.texture],
    ['small', 30, 300, 7, 20, 'template'],
  );
  const sheet = join(folder, 'small.png');
  const seen = await runJson('head', 'inspect', out, '--sheet', sheet);
  assert.deepEqual(seen.outputs, [sheet]);
  assert.deepEqual([seen.licence, seen.identities, seen.hasEyelids], ['CC0-1.0', 300, false]);
  assert.match(JSON.stringify(seen.provenance), /"model\.pkl":"[^"]*shapedirs[^"]*sha256 [0-9a-f]{64}/);
});

async function fails(words: string[], status: number, code: string, pattern: RegExp): Promise<void> {
  const failure = await runToFailure(...words);
  assert.deepEqual([failure.status, failure.code], [status, code]);
  assert.match(failure.line, pattern);
}

test('a pickle that calls, and one that is cut short, are refused in one line and leave no head', async () => {
  const out = join(folder, 'none.head');
  const evil = join(folder, 'evil.pkl');
  await writeFile(evil, "cos\nsystem\n(S'echo ran'\ntR.");
  await fails(
    ['head', 'import', evil, '--out', out],
    2,
    'pickle-call',
    /evil\.pkl asks to load "os\.system"/,
  );
  const cut = join(folder, 'cut.pkl');
  await writeFile(cut, golden('model.pkl').bytes.subarray(0, 5000));
  await fails(['head', 'import', cut, '--out', out], 2, 'bad-numpy-file', /cut\.pkl cannot be read/);
  await fails(['head', 'inspect', out], 3, 'file-not-found', /none\.head/);
  await fails(['head', 'import', '--out', out], 2, 'missing-option', /FILE\.\.\. is missing/);
  const taken = ['head', 'import', files[0]!, '--out', out, '--name', 'embedded-2'];
  await fails(taken, 2, 'head-name-taken', /another name/);
  await fails(['head', 'improt'], 2, 'unknown-command', /head import/);
});

test('FLAME parameters go through a track and a folder and come back; heads of other units are refused', async () => {
  const head = join(folder, 'small.head');
  const frames = 3;
  const rows = (width: number) => ({
    shape: [frames, width],
    data: Float32Array.from({ length: frames * width }, (_, i) => 0.01 * i),
  });
  const clip = join(folder, 'clip.npz');
  const arrays = { shape: { shape: [300], data: new Float32Array(300).fill(0.1) }, expr: rows(100) };
  await writeFile(clip, encodeNpz({ ...arrays, rotation: rows(3), jaw_pose: rows(3), translation: rows(3) }));
  const own = ['--head', head, '--to', head];
  const track = join(folder, 'clip.track');
  const first = await runJson('head', 'convert', clip, ...own, '--out', track, '--fps', '50');
  assert.deepEqual([first.frames, first.toHead, first.places], [frames, 'small', 0]);
  assert.match(
    JSON.stringify(first.warnings),
    /no camera.*more expression coefficients|more expression coefficients.*no camera/,
  );
  const out = join(folder, 'vhap');
  await runJson('head', 'convert', track, ...own, '--out', out);
  const again = join(folder, 'again.npz');
  await runJson('head', 'convert', out, ...own, '--out', again);
  const [before, after] = [clip, again].map((path) => decodeNpz(new Uint8Array(readFileSync(path))));
  for (const key of ['rotation', 'jaw_pose', 'translation']) {
    const [a, b] = [before!, after!].map((file) => [...(file.get(key) as NumpyArray).data]);
    assert.deepEqual(
      a!.map((value) => value.toFixed(5)),
      b!.map((value) => value.toFixed(5)),
      key,
    );
  }
  assert.deepEqual([...(after!.get('timestamps_seconds') as NumpyArray).data], [0, 0.02, 0.04]);
  await fails(['head', 'convert', track, ...own, '--out', out], 2, 'folder-in-use', /holds 3 files/);
  await fails(['head', 'convert', track, '--out', again], 2, 'track-of-other-head', /is one of small/);
  await fails(
    ['head', 'convert', clip, '--out', track],
    2,
    'head-not-flame',
    /has expression units of its own/,
  );
});
