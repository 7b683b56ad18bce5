// Pieces and single moments of a clip: the right frames, the right clock, and no reading of all that is before.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { clipPiece, solidImage, type VideoFrameImage } from '../../src/media/index.ts';
import { readVideo, writeVideo } from '../../src/node/index.ts';
import { steadyTimestamps, temporaryFolder, writeTestClip } from '../node/test-clips.ts';

const folder = temporaryFolder();
const CLIP = join(folder.path, 'clip.mp4');
const LONG = join(folder.path, 'long.mp4');
const LONG_FRAMES = 720;

/** The green of a frame says which it is. */
const grey = (value: number) => solidImage(64, 48, [value, value, value]);
const numberOf = ({ image }: VideoFrameImage): number => image.data[3 * (24 * 64 + 32) + 1]!;

before(async () => {
  await writeTestClip(CLIP, {
    timestampsSeconds: steadyTimestamps(20, 10),
    soundSeconds: 2,
    frame: (i) => grey(20 + 10 * i),
  });
  // Two hours, a frame every ten seconds.
  await writeTestClip(LONG, {
    timestampsSeconds: steadyTimestamps(LONG_FRAMES, 0.1),
    frame: (i) => grey(20 + (i % 200)),
  });
});
after(() => folder[Symbol.dispose]());

async function collect(frames: AsyncIterable<VideoFrameImage>): Promise<VideoFrameImage[]> {
  const all: VideoFrameImage[] = [];
  for await (const frame of frames) all.push(frame);
  return all;
}

test('a piece begins with the frame on show, its clock at 0, and ends before its end', async () => {
  using clip = await readVideo(CLIP);
  const piece = clipPiece(clip, { fromSeconds: 0.55, toSeconds: 0.95 });
  const frames = await collect(piece.frames());
  assert.deepEqual(
    frames.map(({ timestampSeconds }) => Number(timestampSeconds.toFixed(6))),
    [0, 0.05, 0.15, 0.25, 0.35],
  );
  assert.ok(Math.abs(numberOf(frames[0]!) - 70) <= 3, `${numberOf(frames[0]!)}`);
  assert.equal(piece.frameCountEstimate, 4);
  const inner = await collect(piece.frames({ fromSeconds: 0.2, toSeconds: 0.3 }));
  assert.ok(Math.abs(numberOf(inner[0]!) - 90) <= 3);
  assert.equal(clipPiece(clip, {}), clip);
});

test('single moments come in the order asked for, from the clip and from a piece', async () => {
  using clip = await readVideo(CLIP);
  const seen = (await collect(clip.framesAt([0, 1.3, 0.7, 99]))).map(numberOf);
  for (const [i, expected] of [20, 150, 90, 210].entries()) {
    assert.ok(Math.abs(seen[i]! - expected) <= 3, `${seen}`);
  }
  const [one] = await collect(clipPiece(clip, { fromSeconds: 1 }).framesAt([0.3]));
  assert.ok(Math.abs(numberOf(one!) - 150) <= 3);
  assert.equal(Number(one!.timestampSeconds.toFixed(6)), 0.3);
});

test('the sound of a piece starts where the piece does', async () => {
  using clip = await readVideo(CLIP);
  const piece = clipPiece(clip, { fromSeconds: 1 });
  const path = join(folder.path, 'piece.mp4');
  const sink = await writeVideo(path, piece);
  for await (const { image, timestampSeconds } of piece.frames()) await sink.add(image, timestampSeconds);
  await sink.finish();
  using written = await readVideo(path);
  let [first, last] = [Number.NaN, 0];
  for await (const packet of written.sound!.packets()) {
    if (Number.isNaN(first)) first = packet.timestamp;
    last = packet.timestamp + packet.duration;
  }
  assert.ok(Math.abs(first) < 0.03 && Math.abs(last - 1) < 0.06, `${first} to ${last} s`);
});

test('the end of two hours is read by seeking, not by decoding what is before', async () => {
  using clip = await readVideo(LONG);
  assert.equal(Math.round(clip.durationSeconds), 7190);
  const whole = performance.now();
  assert.equal((await collect(clip.frames())).length, LONG_FRAMES);
  const wholeMs = performance.now() - whole;
  const start = performance.now();
  const frames = await collect(clipPiece(clip, { fromSeconds: 7180 }).frames());
  const pieceMs = performance.now() - start;
  assert.equal(frames.length, 2);
  assert.ok(Math.abs(numberOf(frames[1]!) - (20 + 719 - 600)) <= 3);
  assert.ok(pieceMs < wholeMs / 3, `${pieceMs} of ${wholeMs} ms`);
});

test('a piece that is empty or behind the end is refused with the numbers', async () => {
  using clip = await readVideo(CLIP);
  assert.throws(() => clipPiece(clip, { fromSeconds: 1, toSeconds: 1 }), {
    code: 'empty-range',
    exitStatus: 2,
  });
  assert.throws(() => clipPiece(clip, { fromSeconds: 5 }), {
    code: 'range-outside-clip',
    message: /2\.0 seconds long, but it begins at 5/,
  });
});
