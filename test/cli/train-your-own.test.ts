// The commands of docs/train-your-own.md, one after the other as they stand there, at a tiny size.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
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
  [/--subjects 800 --pairs 2/, '--subjects 3 --pairs 1'],
  [/--subjects 12 --views 4/, '--subjects 1 --views 2'],
  [/--variants 12/, '--variants 1 --workers 1'],
  [/--clips 160 --frames 8/, '--clips 3 --frames 4 --workers 1'],
  [/--minutes 60 --resume/, '--steps 3 --resume'],
  [/--minutes \d+/, '--steps 2'],
];

test('its commands lead from nothing to a video', async () => {
  process.chdir(folder);
  for (const place of ['tools', 'configs', 'node_modules', 'src', 'package.json', 'bin']) {
    symlinkSync(join(ROOT, place), join(folder, place));
  }
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
    const script = small.replace(/^npx tsx/, `${process.execPath} --import tsx`);
    const { status, stderr } = spawnSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, `${command}\n${stderr}`);
  }
  assert.ok(statSync(join(folder, 'anna.mp4')).size > 1000);
  assert.ok(statSync(join(folder, 'model', '2', 'curves.html')).size > 1000);
});
