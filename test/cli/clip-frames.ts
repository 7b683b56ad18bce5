// The frames of clips that commands wrote, and how far apart two are.

import assert from 'node:assert/strict';
import type { RgbImage } from '../../src/media/index.ts';
import { readVideo } from '../../src/node/index.ts';

/** All pictures of a clip. */
export async function framesOf(path: string): Promise<RgbImage[]> {
  using clip = await readVideo(path);
  const frames: RgbImage[] = [];
  for await (const { image } of clip.frames()) frames.push(image);
  return frames;
}

/** Mean absolute difference of two pictures of one size, grey levels. */
export function difference(a: RgbImage, b: RgbImage): number {
  assert.deepEqual([a.width, a.height], [b.width, b.height]);
  return a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]!), 0) / a.data.length;
}
