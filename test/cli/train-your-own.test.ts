// The commands of docs/train-your-own.md, one after the other as they stand there, at a tiny size.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runJson } from './run-cli.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DOCUMENT = readFileSync(join(ROOT, 'docs', 'train-your-own.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'learn2control-own-'));
after(() => {
  process.chdir(ROOT);
  rmSync(folder, { recursive: true });
});

/** What makes the commands small: each must be in the document. */
const SMALLER: readonly (readonly [RegExp, string])[] = [
  [/configs\/compact\.json/, 'configs/tiny.json'],
  [/--size 256/, '--size 32'],
  [/--subjects 12 --views 4/, '--subjects 1 --views 2'],
  [/--subjects 800 --views 4/, '--subjects 3 --views 2'],
  [/--subjects 160 --frames 8/, '--subjects 2 --frames 4'],
  [/--masks/, '--masks --size 64'],
  [/--data mixture\.json/, '--data mixture.json --samples 6'],
  [/--minutes 60 --resume/, '--steps 3 --resume'],
  [/--minutes \d+/, '--steps 2'],
];

test('its commands lead from nothing to a video', async () => {
  process.chdir(folder);
  symlinkSync(join(ROOT, 'configs'), join(folder, 'configs'));
  const [, mixture] = DOCUMENT.match(/```json\n([\s\S]*?)```/)!;
  writeFileSync(join(folder, 'mixture.json'), mixture!);
  mkdirSync(join(folder, 'photos'));
  copyFileSync(join(ROOT, 'samples', 'portrait.png'), join(folder, 'photos', 'anna.png'));
  copyFileSync(join(ROOT, 'samples', 'driving.mp4'), join(folder, 'speech.mp4'));
  const blocks = [...DOCUMENT.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!.trim());
  const commands = blocks.flatMap((block) => block.split('\n'));
  for (const [pattern] of SMALLER)
    assert.ok(
      commands.some((one) => pattern.test(one)),
      String(pattern),
    );
  for (const command of commands) {
    const small = SMALLER.reduce((line, [pattern, tiny]) => line.replace(pattern, tiny), command);
    const [, words] = small.match(/^npx learn2control (.*)/) ?? [];
    if (words !== undefined) {
      await runJson(...words.split(' '));
      continue;
    }
    const { status, stderr } = spawnSync('sh', ['-c', small], { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, `${command}\n${stderr}`);
  }
  assert.ok(statSync(join(folder, 'anna.mp4')).size > 1000);
  assert.ok(statSync(join(folder, 'model', '2', 'curves.html')).size > 1000);
});
