// `head import` and `head inspect` on a small synthetic FLAME (bench/peers/flame.py).

import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
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
  await fails(['head', 'improt'], 2, 'unknown-command', /head import/);
});
