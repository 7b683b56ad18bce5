// --head: who takes it, and what comes of files that are no heads.

import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandNames, loadCommand, splitCommand } from '../../src/cli/command-list.ts';
import { runCli } from './run-cli.ts';

test('commands that use no head refuse --head in one line', async () => {
  const { status, stderr } = await runCli(['info', 'clip.mp4', '--head', 'some.head']);
  assert.equal(status, 2);
  assert.match(stderr, /Leave --head out/);
});

test('a file that is no head is refused by name before anything is tracked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'head-option-'));
  const path = join(folder, 'fake.head');
  await writeFile(path, 'no head at all, but long enough to have a header');
  const words = ['track', 'samples/none.mp4', '--out', join(folder, 'o.track'), '--head', path];
  const { status, stderr } = await runCli(words);
  assert.equal(status, 2);
  assert.match(stderr, /fake\.head to be a safetensors file/);
});

test('every command is found by its words', async () => {
  for (const name of commandNames()) {
    assert.deepEqual(splitCommand([...name.split(' '), '--json']), { name, words: ['--json'] });
    assert.ok((await loadCommand(name)).summary.length > 0);
  }
});
