// `reenact` at the paper's scale, with the same networks at a few channels and random weights.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { readVideo } from '../../src/node/index.ts';
import { writeTinyPaperWeights } from '../avatar/paper-weights.ts';
import { runJson, runToFailure } from './run-cli.ts';
import { PORTRAIT, writeTurningTrack } from './sample-inputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'reenact-paper-'));
const track = join(folder, 'turning.track');
await writeTurningTrack(track, 6);

async function writeWeights(name: string, metadata?: Readonly<Record<string, string>>): Promise<string> {
  await writeTinyPaperWeights(join(folder, name), metadata);
  return join(folder, name);
}

const words = (weights: string, out: string): string[] => [
  ...[
    'reenact',
    '--portrait',
    PORTRAIT,
    '--driving',
    track,
    '--weights',
    weights,
    '--out',
    join(folder, out),
  ],
  ...['--size', '64'],
];

test("the paper's networks make a video of a portrait, window after window", async () => {
  const weights = await writeWeights('small.safetensors');
  const made = await runJson(...words(weights, 'out.mp4'), '--config', 'paper-tiny', '--steps', '2');
  assert.deepEqual([made.frames, made.width, made.height], [6, 64, 64]);
  assert.equal((made.weights as { name: string }).name, 'small');
  assert.match((made.warnings as string[]).join(), /no trained Gaussians/);
  using video = await readVideo(join(folder, 'out.mp4'));
  assert.equal(video.frameCountEstimate, 6);
});

test('weights that do not fit what is asked for are refused before anything is opened', async () => {
  const weights = await writeWeights('other.safetensors', { headName: 'somebody' });
  const fails = async (code: string, pattern: RegExp, ...command: string[]): Promise<void> => {
    const failure = await runToFailure(...command);
    assert.equal(failure.code, code, failure.line);
    assert.match(failure.line, pattern);
  };
  await fails('avatar-head', /somebody/, ...words(weights, 'x.mp4'));
  await fails('other-configuration', /other sizes/, ...words(weights, 'x.mp4'), '--config', 'paper');
  const none = ['reenact', '--portrait', PORTRAIT, '--driving', track, '--out', join(folder, 'x.mp4')];
  await fails('no-weights', /weights import/, ...none, '--config', 'paper');
  await fails('bad-config', /configs\/paper\.json/, ...words(weights, 'x.mp4'), '--config', 'compact');
});

test('a request beyond the memory is refused with its estimate before anything is opened', async () => {
  const weights = await writeWeights('large.safetensors');
  const available = mock.method(process, 'availableMemory', () => 3e8);
  const failure = await runToFailure(...words(weights, 'y.mp4'), '--steps', '1').finally(() =>
    available.mock.restore(),
  );
  assert.deepEqual([failure.status, failure.code], [2, 'too-little-memory']);
  assert.match(failure.line, /large\.safetensors needs about 0\.\d GB of memory, but only 0\.3 GB/);
  assert.ok(!existsSync(join(folder, 'y.mp4')));
});
