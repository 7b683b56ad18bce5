// The program as a user meets it: exit status, streams, one JSON object, one line for each mistake.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { orientedFrame, temporaryFolder, writeTestClip } from '../node/test-clips.ts';
import { runCli } from './run-cli.ts';

const COMMON_FIELDS = ['command', 'version', 'seconds', 'peakMemoryMB', 'device', 'outputs', 'warnings'];

test('--version prints the version, --help the commands, COMMAND --help its options', async () => {
  const [version, help, info] = await Promise.all([
    runCli(['--version']),
    runCli(['--help']),
    runCli(['info', '--help']),
  ]);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.match(help.stdout, /info {2,}say what a clip/);
  assert.match(info.stdout, /--decode/);
  assert.match(info.stdout, /--device/);
  assert.deepEqual([version.status, help.status, info.status], [0, 0, 0]);
});

test('--json prints exactly one object on standard output, with the common fields', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'clip.mp4');
  await writeTestClip(path, { soundSeconds: 1 });
  const { status, stdout } = await runCli(['info', path, '--decode', '--json']);
  assert.equal(status, 0);
  const result = JSON.parse(stdout) as Record<string, unknown>;
  for (const field of COMMON_FIELDS) assert.ok(field in result, field);
  assert.deepEqual([result.command, result.frames, result.sound, result.width], ['info', 10, 'aac', 64]);
});

test('bad input, a missing file and a bad option end with their status, one line, and a JSON error', async () => {
  using folder = temporaryFolder();
  const text = join(folder.path, 'text.mp4');
  const audio = join(folder.path, 'audio.mp4');
  writeFileSync(text, 'not a video');
  await writeTestClip(audio, { timestampsSeconds: [], soundSeconds: 0.5 });
  const cases: readonly (readonly [string[], number, string])[] = [
    [['info', text], 2, 'not-a-video'],
    [['info', audio], 2, 'no-picture'],
    [['info', join(folder.path, 'gone.mp4')], 3, 'file-not-found'],
    [['info', text, '--sede', '1'], 2, 'unknown-option'],
    [['info'], 2, 'missing-option'],
    [['inof', text], 2, 'unknown-command'],
  ];
  await Promise.all(
    cases.map(async ([words, status, code]) => {
      const run = await runCli([...words, '--json']);
      assert.equal(run.status, status, words.join(' '));
      assert.match(run.stderr, /^learn2control: [^\n]+\n$/);
      const { error } = JSON.parse(run.stdout) as { error: { code: string; message: string; hint: string } };
      assert.equal(error.code, code);
      assert.ok(error.message.length > 0 && error.hint.length > 0);
    }),
  );
});

test('what was done to a picture on the way is a warning in the result', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'cut-out.png');
  const { data, width, height } = orientedFrame(8, 8);
  await sharp(data, { raw: { width, height, channels: 3 } })
    .ensureAlpha(0.5)
    .png()
    .toFile(path);
  const { stdout, stderr } = await runCli(['info', path, '--json']);
  const { warnings } = JSON.parse(stdout) as { warnings: string[] };
  assert.match(warnings.join(), /transparency/);
  assert.match(stderr, /^warning: .*transparency/);
});
