// Memory while clips stream: the codecs' frames must not pile up.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { solidImage } from '../../src/media/index.ts';
import { readVideo, writeVideo } from '../../src/node/index.ts';
import { temporaryFolder } from './test-clips.ts';

const SIDE = 1024;
const FRAMES = 200;
const WARM_UP = 50;
/** What a leak of the codec's own frames (1.5 bytes a pixel) would come to. */
const LEAK_BYTES = (FRAMES - WARM_UP) * SIDE * SIDE * 1.5;

const residentBytes = (): number => process.memoryUsage.rss();

test('writing and reading a clip frame by frame holds no more memory at its end than near its start', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'long.mp4');
  const image = solidImage(SIDE, SIDE, [90, 120, 150]);
  const sink = await writeVideo(path, { width: SIDE, height: SIDE, framesPerSecond: 30 });
  let early = 0;
  for (let frame = 0; frame < FRAMES; frame++) {
    if (frame === WARM_UP) early = residentBytes();
    await sink.add(image, frame / 30);
  }
  const writingGrowth = residentBytes() - early;
  await sink.finish();

  using clip = await readVideo(path);
  for await (const { index } of clip.frames()) if (index === WARM_UP) early = residentBytes();
  const readingGrowth = residentBytes() - early;
  for (const [what, growth] of Object.entries({ writingGrowth, readingGrowth })) {
    assert.ok(
      growth < LEAK_BYTES * 0.6,
      `${what}: ${(growth / 1e6).toFixed(0)} of ${(LEAK_BYTES / 1e6).toFixed(0)} MB`,
    );
  }
});
