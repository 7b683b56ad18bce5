// The examples and the lines in the README run as they are written, on a few frames of the embedded sample.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadHead, readTrack, readVideo, type TrackJson } from '../../src/index.ts';
import { runCli } from '../cli/run-cli.ts';
import { drivingFrames, PORTRAIT } from '../cli/sample-inputs.ts';
import { steadyTimestamps, temporaryFolder, writeTestClip } from '../node/test-clips.ts';

const FRAMES = 4;
const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLES = join(ROOT, 'examples');
const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);

before(async () => {
  const frames = await drivingFrames(FRAMES);
  const timestampsSeconds = steadyTimestamps(FRAMES, 25);
  await writeTestClip(at('clip.mp4'), { timestampsSeconds, frame: (i) => frames[i]! });
});
after(() => folder[Symbol.dispose]());

/** Runs an example; returns what it said. */
async function run(name: string, ...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runCli(words, { program: join(EXAMPLES, `${name}.ts`) });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** What each example writes, and what is to be seen of it. */
const CASES: Readonly<Record<string, () => Promise<void>>> = {
  'track-a-clip': async () => {
    const said = await run('track-a-clip', at('clip.mp4'), at('clip.track'));
    assert.match(said, /4 of 4 frames tracked\n0\.00 s {2}yaw .* smile 0\.\d\d\n/);
    const track = await readTrack(at('clip.track'), await loadHead());
    assert.equal(track.timestampsSeconds.length, FRAMES);
  },
  'track-as-frames-come': async () => {
    const said = await run('track-as-frames-come', at('clip.mp4'));
    assert.match(said, /^0\.00 s {2}yaw -?\d+\.\d {2}smile \d\.\d\d {2}after \d+ ms\n/);
    assert.equal(said.trimEnd().split('\n').length, FRAMES);
  },
  'render-control': async () => {
    const said = await run('render-control', at('clip.mp4'), at('control.mp4'));
    assert.match(said, /features \[8, 320, 320\]/);
    using video = await readVideo(at('control.mp4'));
    assert.deepEqual([video.width, video.height, video.frameCountEstimate], [3 * 320, 320, FRAMES]);
  },
  'reenact-a-portrait': async () => {
    await run('reenact-a-portrait', PORTRAIT, at('clip.mp4'), at('reenacted.mp4'), '--preview');
    using video = await readVideo(at('reenacted.mp4'));
    assert.deepEqual([video.width, video.height, video.frameCountEstimate], [256, 256, FRAMES]);
  },
  'export-to-csv': async () => {
    assert.match(await run('export-to-csv', at('clip.mp4'), at('clip.csv')), /4 rows of 63 columns/);
    const { frames } = JSON.parse(readFileSync(at('clip.json'), 'utf8')) as TrackJson;
    assert.equal(frames.length, FRAMES);
  },
};

test('the lines in the README run as they stand', async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, code] = /```ts\n(import .*? from 'learn2control';.*?)```/s.exec(readme)!;
  // Inside the package, where its own name resolves.
  mkdirSync(join(ROOT, 'out'), { recursive: true });
  const program = join(ROOT, 'out', `readme-${process.pid}.ts`);
  writeFileSync(program, code!.replaceAll("'speech.mp4'", JSON.stringify(at('clip.mp4'))));
  try {
    const { status, stdout, stderr } = await runCli([], { program });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^4 of 4 frames, focal length \d+/);
    assert.match(stdout, /frame 3: features \[8, 320, 320\] as tensors, 960 x 320 to look at\n$/);
  } finally {
    rmSync(program);
  }
});

test('every example is tried here', () => {
  const names = readdirSync(EXAMPLES).map((file) => file.replace('.ts', ''));
  assert.deepEqual(names.sort(), Object.keys(CASES).sort());
});

for (const [name, check] of Object.entries(CASES)) test(`${name} does what it says`, check);
