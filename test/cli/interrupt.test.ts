// Interrupts: the program ends with 130 and one line, and leaves nothing half-written.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../node/test-clips.ts';
import { runCli } from './run-cli.ts';
import { NO_WEIGHTS, PORTRAIT, writeTurningTrack } from './sample-inputs.ts';

const PROGRAM = join(import.meta.dirname, 'slow-program.ts');

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} stops a command that writes: status 130, one line, no file`, async () => {
    using folder = temporaryFolder();
    let filesMeanwhile: string[] = [];
    const run = await runCli(['slow', '--out', join(folder.path, 'clip.mp4'), '--json'], {
      program: PROGRAM,
      onStderr(text, interrupt) {
        if (!text.includes('writing')) return;
        filesMeanwhile = readdirSync(folder.path);
        interrupt(signal);
      },
    });
    assert.equal(filesMeanwhile.length, 1);
    assert.match(filesMeanwhile[0]!, /^\.clip\.mp4\..*\.tmp$/);
    assert.equal(run.status, 130);
    assert.deepEqual(run.stderr.split('\n').filter(Boolean).slice(1), [
      'learn2control: Interrupted; nothing was left half-written.',
    ]);
    const { error } = JSON.parse(run.stdout) as { error: { code: string } };
    assert.equal(error.code, 'interrupted');
    assert.deepEqual(readdirSync(folder.path), []);
  });
}

test('a second interrupt ends a command that does not listen, just as clean', async () => {
  using folder = temporaryFolder();
  const run = await runCli(['slow', '--out', join(folder.path, 'clip.mp4'), '--deaf'], {
    program: PROGRAM,
    onStderr(text, interrupt) {
      if (!text.includes('writing')) return;
      interrupt('SIGINT');
      setTimeout(() => interrupt('SIGINT'), 200);
    },
  });
  assert.equal(run.status, 130);
  assert.match(run.stderr, /Interrupted; nothing was left half-written/);
  assert.deepEqual(readdirSync(folder.path), []);
});

test('SIGINT in the middle of a reenactment with the network ends it at once and leaves nothing', {
  skip: NO_WEIGHTS,
}, async () => {
  using folder = temporaryFolder();
  const [out, driving] = [join(folder.path, 'o.mp4'), join(folder.path, 'turn.track')];
  await writeTurningTrack(driving, 12);
  const words = ['reenact', '--portrait', PORTRAIT, '--driving', driving, '--out', out, '--json'];
  let interruptedMs = 0;
  const run = await runCli(words, {
    onStart(interrupt) {
      const watch = setInterval(() => {
        if (!readdirSync(folder.path).some((name) => name.startsWith('.o.mp4.'))) return;
        clearInterval(watch);
        interruptedMs = performance.now();
        interrupt('SIGINT');
      }, 20);
    },
  });
  const stopSeconds = (performance.now() - interruptedMs) / 1000;
  assert.equal(run.status, 130);
  assert.match(run.stderr, /learn2control: Interrupted; nothing was left half-written\.\n$/);
  const { error } = JSON.parse(run.stdout) as { error: { code: string } };
  assert.equal(error.code, 'interrupted');
  assert.ok(interruptedMs > 0 && stopSeconds < 20, `stopped after ${stopSeconds} s`);
  assert.deepEqual(readdirSync(folder.path), ['turn.track']);
});
