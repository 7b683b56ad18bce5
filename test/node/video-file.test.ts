// Clips on disk: what comes out is what went in, also for unusual ones, and broken ones are refused in words.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RgbImage, solidImage, type VideoFrameImage } from '../../src/media/index.ts';
import { readVideo, writeVideo } from '../../src/node/index.ts';
import { orientedFrame, steadyTimestamps, temporaryFolder, writeTestClip } from './test-clips.ts';

async function allFrames(path: string, range = {}): Promise<VideoFrameImage[]> {
  using clip = await readVideo(path);
  const frames: VideoFrameImage[] = [];
  for await (const frame of clip.frames(range)) frames.push(frame);
  return frames;
}

const colourAt = (image: RgbImage, x: number, y: number): number[] => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
];

function assertColour(image: RgbImage, [x, y]: readonly [number, number], expected: readonly number[]): void {
  const got = colourAt(image, x, y);
  const isClose = got.every((value, i) => Math.abs(value - expected[i]!) <= 12);
  assert.ok(isClose, `expected ${expected} at ${x}, ${y}, got ${got}`);
}

const RED = [200, 40, 40];
const BLUE = [40, 60, 200];
const WHITE = [235, 235, 235];

test('a clip comes in with its size, rate, length, frames and colours', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'clip.mp4');
  await writeTestClip(path);
  using clip = await readVideo(path);
  assert.equal(`${clip.width}x${clip.height}`, '64x48');
  assert.equal(clip.framesPerSecond, 10);
  assert.equal(clip.durationSeconds, 1);
  assert.equal(clip.frameCountEstimate, 10);
  assert.equal(clip.sound, null);
  const frames = await allFrames(path);
  assert.equal(frames.length, 10);
  const { image } = frames[3]!;
  assertColour(image, [4, 4], WHITE);
  assertColour(image, [10, 40], RED);
  assertColour(image, [60, 4], BLUE);
});

test('rotation metadata is applied: size and pixels are as displayed', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'rotated.mp4');
  await writeTestClip(path, { rotation: 90 });
  using clip = await readVideo(path);
  assert.deepEqual([clip.width, clip.height, clip.rotationDegrees], [48, 64, 90]);
  const [first] = await allFrames(path);
  const { image } = first!;
  assert.deepEqual([image.width, image.height], [48, 64]);
  // The white corner moves from the upper left to the upper right.
  assertColour(image, [44, 4], WHITE);
  assertColour(image, [4, 4], RED);
  assertColour(image, [24, 60], BLUE);
});

test('uneven timestamps survive reading and writing', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'uneven.mp4');
  const copy = join(folder.path, 'copy.mp4');
  const timestampsSeconds = [0, 0.04, 0.2, 0.25, 0.7];
  await writeTestClip(path, { timestampsSeconds });
  using clip = await readVideo(path);
  const sink = await writeVideo(copy, clip);
  for await (const { image, timestampSeconds } of clip.frames()) await sink.add(image, timestampSeconds);
  await sink.finish();
  const stamps = (await allFrames(copy)).map((frame) => frame.timestampSeconds);
  assert.equal(stamps.length, timestampsSeconds.length);
  for (const [i, seconds] of timestampsSeconds.entries()) assert.ok(Math.abs(stamps[i]! - seconds) < 1e-3);
});

test('a part of a clip starts with the frame on show and ends before its end', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'clip.mp4');
  await writeTestClip(path);
  const stamps = (await allFrames(path, { fromSeconds: 0.35, toSeconds: 0.6 })).map(
    (f) => f.timestampSeconds,
  );
  assert.deepEqual(stamps, [0.3, 0.4, 0.5]);
});

test('a clip of one frame is read and written', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'one.mp4');
  const sink = await writeVideo(path, { width: 32, height: 32, framesPerSecond: 25 });
  await sink.add(solidImage(32, 32, [90, 90, 90]), 0);
  await sink.finish();
  const frames = await allFrames(path);
  assert.equal(frames.length, 1);
  assertColour(frames[0]!.image, [16, 16], [90, 90, 90]);
});

test('a clip of odd size is written at the next even one', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'odd.mp4');
  const sink = await writeVideo(path, { width: 33, height: 47, framesPerSecond: 25 });
  assert.deepEqual([sink.width, sink.height], [34, 48]);
  await sink.add(orientedFrame(33, 47), 0);
  await sink.finish();
  const [frame] = await allFrames(path);
  assert.deepEqual([frame!.image.width, frame!.image.height], [34, 48]);
});

test('sound is copied without a change, and cut to the length of the pictures', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'sound.mp4');
  const copy = join(folder.path, 'copy.mp4');
  await writeTestClip(path, { soundSeconds: 2 });
  using clip = await readVideo(path);
  const sink = await writeVideo(copy, clip);
  assert.equal(sink.soundNote, null);
  for await (const { image, timestampSeconds } of clip.frames()) await sink.add(image, timestampSeconds);
  await sink.finish();
  using copied = await readVideo(copy);
  assert.equal(copied.sound?.codec, 'aac');
  assert.equal(copied.sound?.sampleRateHz, 48000);
  const before: Uint8Array[] = [];
  const after: Uint8Array[] = [];
  let endSeconds = 0;
  for await (const packet of clip.sound!.packets()) before.push(packet.data);
  for await (const packet of copied.sound!.packets()) {
    after.push(packet.data);
    endSeconds = packet.timestamp + packet.duration;
  }
  assert.ok(after.length > 40 && after.length < before.length, `${after.length} of ${before.length} packets`);
  assert.ok(Math.abs(endSeconds - 1) < 0.03, `sound ends at ${endSeconds} s`);
  assert.deepEqual(after, before.slice(0, after.length));
});

test('nothing stands under the final name before a clip is whole, and nothing is left after giving up', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'clip.mp4');
  const sink = await writeVideo(path, { width: 32, height: 32, framesPerSecond: 25 });
  await sink.add(solidImage(32, 32, [9, 9, 9]), 0);
  assert.ok(!existsSync(path));
  await sink.discard();
  assert.deepEqual(readdirSync(folder.path), []);
});

test('a frame of the wrong size or out of order ends the writing without a trace', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'clip.mp4');
  const options = { width: 32, height: 32, framesPerSecond: 25 };
  const sized = await writeVideo(path, options);
  await assert.rejects(sized.add(solidImage(16, 32, [0, 0, 0]), 0), { code: 'frame-size' });
  const timed = await writeVideo(path, options);
  await timed.add(solidImage(32, 32, [0, 0, 0]), 1);
  await assert.rejects(timed.add(solidImage(32, 32, [0, 0, 0]), 0.5), { code: 'frame-time' });
  const empty = await writeVideo(path, options);
  await assert.rejects(empty.finish(), { code: 'no-frames' });
  assert.deepEqual(readdirSync(folder.path), []);
});

test('what is no clip is refused with what it is instead', async () => {
  using folder = temporaryFolder();
  const file = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder.path, name), bytes);
    return join(folder.path, name);
  };
  const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) & 255);
  await assert.rejects(readVideo(file('text.mp4', 'not a video')), { code: 'not-a-video', exitStatus: 2 });
  await assert.rejects(readVideo(file('noise.mp4', noise)), { code: 'not-a-video' });
  await assert.rejects(readVideo(file('empty.mp4', '')), { code: 'empty-file', exitStatus: 2 });
  await assert.rejects(readVideo(folder.path), { code: 'input-is-folder' });
  await assert.rejects(readVideo(join(folder.path, 'gone.mp4')), { code: 'file-not-found', exitStatus: 3 });
  const audio = join(folder.path, 'audio.mp4');
  await writeTestClip(audio, { timestampsSeconds: [], soundSeconds: 0.5 });
  await assert.rejects(readVideo(audio), { code: 'no-picture', message: /sound only/ });
});

test('a clip that was cut short is refused, wherever its index lies', async () => {
  using folder = temporaryFolder();
  const whole = join(folder.path, 'whole.mp4');
  const cut = join(folder.path, 'cut.mp4');
  const grain = (index: number): RgbImage => ({
    width: 160,
    height: 120,
    data: Uint8Array.from({ length: 160 * 120 * 3 }, (_, i) => Math.imul(i * 31 + index, 2654435761) >>> 24),
  });
  for (const isIndexFirst of [true, false]) {
    const timestampsSeconds = steadyTimestamps(40, 20);
    await writeTestClip(whole, { width: 160, height: 120, frame: grain, timestampsSeconds, isIndexFirst });
    assert.equal((await allFrames(whole)).length, 40);
    const bytes = readFileSync(whole);
    writeFileSync(cut, bytes.subarray(0, Math.floor(bytes.length * 0.8)));
    await assert.rejects(allFrames(cut), {
      code: isIndexFirst ? 'clip-damaged' : 'no-picture',
      message: isIndexFirst ? /breaks off after \d+ frames/ : /no index/,
    });
  }
});

test('a folder that may not be written to is refused before any work', async (t) => {
  if (process.getuid?.() === 0) {
    // Root may write anywhere; a file in the way of a folder is refused for everyone.
    t.diagnostic('running as root: permissions are not tested');
  } else {
    using folder = temporaryFolder();
    chmodSync(folder.path, 0o500);
    const locked = join(folder.path, 'clip.mp4');
    const options = { width: 32, height: 32, framesPerSecond: 25 };
    await assert.rejects(writeVideo(locked, options), { code: 'output-not-writable', exitStatus: 2 });
  }
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'file'), 'x');
  const options = { width: 32, height: 32, framesPerSecond: 25 };
  await assert.rejects(writeVideo(join(folder.path, 'file', 'clip.mp4'), options), {
    code: 'output-not-writable',
    message: /is a file, not a folder/,
  });
  await assert.rejects(writeVideo(folder.path, options), { code: 'output-is-folder' });
});
