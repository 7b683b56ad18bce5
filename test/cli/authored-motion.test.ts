// `orbit` and `animate` as a user types them, and what of their options cannot be meant.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decodeHeadTrack, frameCount, jointAngles, parametersAt } from '../../src/head/index.ts';
import { readImage } from '../../src/node/index.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { runJson, runToFailure } from './run-cli.ts';
import { PORTRAIT } from './sample-inputs.ts';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());
const at = (name: string): string => join(folder.path, name);
const small = ['--portrait', PORTRAIT, '--preview', '--size', '64'];

async function refused(words: readonly string[], code: string, line: RegExp): Promise<void> {
  const failure = await runToFailure(...words);
  assert.deepEqual([failure.code, failure.status], [code, 2], failure.line);
  assert.match(failure.line, line);
}

test('orbit turns a portrait, and with a track its face moves for as long as that', async () => {
  const words = ['orbit', ...small, '--path', 'circle', '--yaw', '-10..20'];
  const still = await runJson(...words, '--seconds', '0.2', '--out', at('o.mp4'), '--sheet', at('o.png'));
  assert.deepEqual([still.frames, still.width, still.height, still.weights], [5, 64, 64, null]);
  await runJson('track', PORTRAIT, '--out', at('face.track'));
  const moved = await runJson(...words, '--expression', at('face.track'), '--out', at('f.mp4'));
  assert.equal(moved.frames, 1);
});

test('animate goes to set values, writes their picture, and the motion as a track', async () => {
  const set = ['--set', 'jawOpen=0.6,headYaw=20deg'];
  const video = await runJson(
    ...['animate', ...small, ...set, '--seconds', '0.2', '--out', at('a.mp4'), '--track', at('a.track')],
  );
  assert.deepEqual([video.frames, video.outputs], [5, [at('a.mp4'), at('a.track')]]);
  const track = decodeHeadTrack(new Uint8Array(readFileSync(at('a.track'))));
  const { yaw } = jointAngles(parametersAt(track, frameCount(track) - 1), 'root');
  assert.ok(Math.abs(yaw - Math.PI / 9) < 1e-6, `${yaw} radians`);
  const picture = await runJson('animate', ...small, ...set, '--out', at('a.png'));
  assert.deepEqual([picture.frames, picture.width], [1, 64]);
  assert.equal((await readImage(at('a.png'))).image.height, 64);
});

test('animate makes keyframes and presets; with --paste-back in the whole portrait', async () => {
  writeFileSync(at('wink.json'), JSON.stringify({ keyframes: [{ at: 0.12, set: { eyeBlinkLeft: 1 } }] }));
  const wink = ['animate', '--portrait', PORTRAIT, '--preview', '--keyframes', at('wink.json')];
  const whole = await runJson(...wink, '--paste-back', '--out', at('wink.png'));
  assert.deepEqual([whole.width, whole.height], [512, 512]);
  const spoken = ['animate', ...small, '--preset', 'speak', '--seconds', '0.2', '--out', at('s.mp4')];
  assert.equal((await runJson(...spoken)).frames, 5);
});

test('orbit refuses ranges that are empty, backwards or too wide, and two lengths', async () => {
  const words = ['orbit', ...small, '--out', at('no.mp4')];
  await refused([...words, '--yaw', '10..10'], 'contradictory-options', /turn nothing/);
  await refused([...words, '--yaw', '20..-20'], 'contradictory-options', /Write --yaw -20\.\.20/);
  await refused([...words, '--yaw', '120'], 'bad-option', /from -75 to 75/);
  await refused([...words, '--pitch', 'up'], 'bad-option', /--pitch expects degrees/);
  const both = [...words, '--seconds', '2', '--expression', at('x.track')];
  await refused(both, 'contradictory-options', /how long/);
});

test('animate refuses no motion or two, unknown names, wrong units and values, broken keyframes', async () => {
  const words = ['animate', ...small, '--out', at('no.mp4')];
  await refused(words, 'contradictory-options', /got none/);
  const two = [...words, '--preset', 'nod', '--set', 'jawOpen=1'];
  await refused(two, 'contradictory-options', /--set and --preset/);
  await refused([...words, '--preset', 'nod', '--seconds', '9'], 'contradictory-options', /its own length/);
  await refused([...words, '--preset', 'dance'], 'bad-option', /nod, smile, look-around, speak/);
  await refused([...words, '--set', 'jawOpn=1'], 'unknown-control', /Did you mean jawOpen\?/);
  await refused([...words, '--set', 'jawOpen=NaN'], 'bad-option', /jawOpen=0\.6,headYaw=20deg/);
  await refused([...words, '--set', 'jawOpen=20deg'], 'control-unit', /a share without a unit/);
  await refused([...words, '--set', 'headYaw=300'], 'control-range', /-90 to 90 deg, got 300/);
  await refused([...words, '--set', 'jawOpen=1', '--intensity', 'NaN'], 'bad-option', /a number from 0 to 3/);
  const picture = ['animate', ...small, '--preset', 'nod', '--sheet', at('s.png'), '--out', at('no.png')];
  await refused(picture, 'contradictory-options', /--out is one picture/);
  await refused(
    [...words, '--preset', 'nod', '--steps', '2'],
    'contradictory-options',
    /--steps .* --preview/,
  );
  const keyframes = async (content: string, code: string, line: RegExp): Promise<void> => {
    writeFileSync(at('k.json'), content);
    await refused([...words, '--keyframes', at('k.json')], code, line);
  };
  await keyframes('{', 'bad-keyframes', /k\.json is not JSON/);
  await keyframes('null', 'bad-keyframes', /k\.json/);
  await keyframes('{"keyframes":[{"at":1},{"at":0.5}]}', 'keyframes-backwards', /keyframe 2/);
  await keyframes(
    '{"keyframes":[{"at":1,"set":{"headYuw":1}}]}',
    'unknown-control',
    /Did you mean headYaw\?/,
  );
});
