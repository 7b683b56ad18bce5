// `reenact`: what it refuses and says; and, where the clips for local tests lie, the whole road.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readVideo, writeImage, writeVideo } from '../../src/node/index.ts';
import { orientedFrame, temporaryFolder, writeTestClip } from '../node/test-clips.ts';
import { runCli } from './run-cli.ts';

test('reenact refuses what cannot work before long work, and leaves nothing', async () => {
  using folder = temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  await writeImage(at('portrait.png'), orientedFrame(96, 96));
  await writeTestClip(at('clip.mp4'));
  await writeTestClip(at('audio.mp4'), { timestampsSeconds: [], soundSeconds: 0.5 });
  writeFileSync(at('file'), 'x');
  const before = readdirSync(folder.path);
  const run = (portrait: string, driving: string, out: string) =>
    runCli(['reenact', '--portrait', portrait, '--driving', driving, '--out', out, '--preview', '--json']);
  const cases = [
    [run(at('gone.png'), at('clip.mp4'), at('o.mp4')), 3, 'file-not-found'],
    [run(at('portrait.png'), at('audio.mp4'), at('o.mp4')), 2, 'no-picture'],
    [run(at('clip.mp4'), at('clip.mp4'), at('o.mp4')), 2, 'not-an-image'],
    [run(at('portrait.png'), at('clip.mp4'), join(at('file'), 'o.mp4')), 2, 'output-not-writable'],
    [run(at('portrait.png'), at('clip.mp4'), at('o.mp4')), 2, 'no-face'],
  ] as const;
  for (const [pending, status, code] of cases) {
    const result = await pending;
    const { error } = JSON.parse(result.stdout) as { error: { code: string; message: string } };
    assert.equal(error.code, code, error.message);
    assert.equal(result.status, status, code);
    assert.equal(result.stderr.trim().split('\n').length, 1, result.stderr);
  }
  assert.deepEqual(readdirSync(folder.path), before);
});

const CLIP = '/work/shared/clips/d10.mp4';
const PORTRAIT = '/work/shared/portraits/female-00.jpg';
const isHere = existsSync(CLIP) && existsSync(PORTRAIT);
const FRAMES = 15;

/** The first half second of a clip, with its sound. */
async function writeBeginning(path: string): Promise<void> {
  using clip = await readVideo(CLIP);
  const sink = await writeVideo(path, clip);
  for await (const { index, image, timestampSeconds } of clip.frames()) {
    if (index === FRAMES) break;
    await sink.add(image, timestampSeconds);
  }
  await sink.finish();
}

test('a portrait makes the motion of a clip, side by side with it, with its sound', {
  skip: !isHere && 'the clips and portraits for local tests are not here',
}, async () => {
  using folder = temporaryFolder();
  const driving = join(folder.path, 'driving.mp4');
  const out = join(folder.path, 'o.mp4');
  const sheet = join(folder.path, 'sheet.png');
  await writeBeginning(driving);
  const words = [
    '--portrait',
    PORTRAIT,
    '--driving',
    driving,
    '--out',
    out,
    '--sheet',
    sheet,
    '--size',
    '128',
  ];
  const { status, stdout, stderr } = await runCli(['reenact', ...words, '--compare', '--preview', '--json']);
  assert.equal(status, 0, stderr);
  const result = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(result.frames, FRAMES);
  assert.deepEqual(result.outputs, [out, sheet]);
  assert.ok(Number(result.framesPerSecond) > 0 && Number(result.firstFrameSeconds) > 0);
  using clip = await readVideo(out);
  assert.deepEqual([clip.height, clip.frameCountEstimate, clip.sound?.codec], [128, FRAMES, 'aac']);
  assert.ok(Math.abs(clip.durationSeconds - FRAMES / 30) < 0.01);
});
