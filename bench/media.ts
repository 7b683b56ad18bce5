// Decoding and encoding: milliseconds a frame for a clip read as RGB and written again with its sound, and
// what the round trip costs in quality. Usage: tsx bench/media.ts [CLIP ...]; without one, a generated clip.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type RgbImage, solidImage } from '../src/media/index.ts';
import { peakMemoryMb, readVideo, writeVideo } from '../src/node/index.ts';

const keep = process.argv.includes('--keep');
const clips = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const folder = keep ? '/tmp/media' : mkdtempSync(join(tmpdir(), 'bench-media-'));

/** A moving gradient with grain: something to code, the same in every run. */
function testFrame(size: number, time: number): RgbImage {
  const image = solidImage(size, size, [0, 0, 0]);
  let noise = 1;
  for (let i = 0; i < size * size; i++) {
    noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
    const wave = 110 + 80 * Math.sin((i % size) / 40 + time / 5) + (noise >>> 28);
    image.data.fill(wave, i * 3, i * 3 + 3);
  }
  return image;
}

async function generatedClip(): Promise<string> {
  const path = join(folder, 'generated.mp4');
  const sink = await writeVideo(path, { width: 512, height: 512, framesPerSecond: 30 });
  for (let frame = 0; frame < 240; frame++) await sink.add(testFrame(512, frame), frame / 30);
  await sink.finish();
  return path;
}

const squaredError = (a: RgbImage, b: RgbImage): number => {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i]! - b.data[i]!) ** 2;
  return sum / a.data.length;
};

async function measure(path: string): Promise<Record<string, unknown>> {
  const out = join(folder, `${basename(path, '.mp4')}-copy.mp4`);
  using clip = await readVideo(path);
  let frames = 0;
  let start = performance.now();
  for await (const _ of clip.frames()) frames++;
  const decodeMs = (performance.now() - start) / frames;

  start = performance.now();
  const sink = await writeVideo(out, clip);
  for await (const { image, timestampSeconds } of clip.frames()) await sink.add(image, timestampSeconds);
  await sink.finish();
  const roundTripMs = (performance.now() - start) / frames;

  using copy = await readVideo(out);
  const originals = clip.frames();
  let error = 0;
  let timeError = 0;
  let compared = 0;
  for await (const frame of copy.frames()) {
    const original = (await originals.next()).value!;
    compared++;
    error += squaredError(frame.image, original.image);
    timeError = Math.max(timeError, Math.abs(frame.timestampSeconds - original.timestampSeconds));
  }
  await originals.return();
  return {
    clip: basename(path),
    size: `${clip.width}x${clip.height}`,
    codec: clip.codec,
    framesPerSecond: clip.framesPerSecond,
    estimate: clip.frameCountEstimate,
    frames,
    compared,
    sound: clip.sound?.codec ?? null,
    soundCopied: copy.sound?.codec ?? null,
    durationSeconds: clip.durationSeconds,
    copySeconds: copy.durationSeconds,
    decodeMs: Number(decodeMs.toFixed(2)),
    roundTripMs: Number(roundTripMs.toFixed(2)),
    psnr: Number((10 * Math.log10(65025 / (error / compared))).toFixed(2)),
    timeErrorSeconds: timeError,
  };
}

try {
  const results: Record<string, unknown>[] = [];
  for (const path of clips.length > 0 ? clips : [await generatedClip()]) {
    results.push(await measure(path));
    console.error(results.at(-1));
  }
  console.log(JSON.stringify({ bench: 'media', peakMemoryMB: peakMemoryMb(), results }));
} finally {
  if (!keep) rmSync(folder, { recursive: true, force: true });
}
