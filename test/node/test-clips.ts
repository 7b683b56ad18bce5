// Small clips for the tests, made on the spot: any size, timing, rotation, sound, and ways to be broken.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AudioSample,
  AudioSampleSource,
  FilePathTarget,
  Mp4OutputFormat,
  Output,
  Quality,
  VideoSample,
  VideoSampleSource,
} from 'mediabunny';
import { i420FromImage, type RgbImage, solidImage } from '../../src/media/index.ts';
import { keepAlive } from '../../src/node/index.ts';

/** What a test clip is like; the default is one second of 64 x 48 at 10 frames a second, silent. */
export type TestClip = {
  readonly width?: number;
  readonly height?: number;
  /** H.264 raises odd sizes to even ones, VP9 keeps them. */
  readonly codec?: 'avc' | 'vp9';
  /** When each frame is shown. An empty list gives a clip without pictures: of sound alone, or of nothing. */
  readonly timestampsSeconds?: readonly number[];
  readonly rotation?: 0 | 90 | 180 | 270;
  readonly soundSeconds?: number;
  /** Where the index lies: a clip that is cut short survives longer with it in front. */
  readonly isIndexFirst?: boolean;
  readonly frame?: (index: number) => RgbImage;
};

const SAMPLE_RATE_HZ = 48000;

/** A folder that goes away with the test. */
export function temporaryFolder(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'learn2control-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** `count` timestamps at a steady rate. */
export function steadyTimestamps(count: number, framesPerSecond: number): number[] {
  return Array.from({ length: count }, (_, index) => index / framesPerSecond);
}

/** A picture whose left half is red, right half blue, upper left corner white: shows orientation and colour. */
export function orientedFrame(width: number, height: number): RgbImage {
  const image = solidImage(width, height, [200, 40, 40]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      if (x >= width / 2) image.data.set([40, 60, 200], at);
      if (x < width / 4 && y < height / 4) image.data.set([235, 235, 235], at);
    }
  }
  return image;
}

/** Writes a clip with mediabunny alone, so that the project's own writer is not tested against itself. */
export function writeTestClip(path: string, clip: TestClip = {}): Promise<void> {
  return keepAlive(encodeTestClip(path, clip));
}

async function encodeTestClip(path: string, clip: TestClip): Promise<void> {
  const { width = 64, height = 48, timestampsSeconds = steadyTimestamps(10, 10) } = clip;
  const output = new Output({
    format: new Mp4OutputFormat({ fastStart: clip.isIndexFirst ? 'in-memory' : false }),
    target: new FilePathTarget(path),
  });
  const pictures = new VideoSampleSource({
    codec: clip.codec ?? 'avc',
    quality: new Quality({ bitrate: 1e6 }),
  });
  if (timestampsSeconds.length > 0 || clip.soundSeconds === undefined)
    output.addVideoTrack(pictures, { rotation: clip.rotation ?? 0 });
  const sound = new AudioSampleSource({ codec: 'aac', bitrate: 64_000 });
  if (clip.soundSeconds !== undefined) output.addAudioTrack(sound);
  await output.start();
  for (const [index, timestamp] of timestampsSeconds.entries()) {
    const image = clip.frame?.(index) ?? orientedFrame(width, height);
    const { data, ...padded } = i420FromImage(image);
    const keepsOdd = clip.codec === 'vp9';
    const duration = (timestampsSeconds[index + 1] ?? timestamp + 0.1) - timestamp;
    using sample = new VideoSample(data, {
      format: 'I420',
      codedWidth: keepsOdd ? image.width : padded.width,
      codedHeight: keepsOdd ? image.height : padded.height,
      layout: planesOf(padded),
      timestamp,
      duration,
      colorSpace: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false },
    });
    await pictures.add(sample);
  }
  if (clip.soundSeconds !== undefined) await addTone(sound, clip.soundSeconds);
  await output.finalize();
}

/** Where the planes of an I420 picture lie; an odd picture leaves out the last column or row. */
function planesOf({ width, height }: { readonly width: number; readonly height: number }) {
  const [luma, chroma] = [width * height, (width * height) / 4];
  const stride = width / 2;
  return [
    { offset: 0, stride: width },
    { offset: luma, stride },
    { offset: luma + chroma, stride },
  ];
}

async function addTone(sound: AudioSampleSource, seconds: number): Promise<void> {
  const data = Float32Array.from({ length: Math.round(SAMPLE_RATE_HZ * seconds) }, (_, i) =>
    Math.sin((2 * Math.PI * 440 * i) / SAMPLE_RATE_HZ),
  );
  using tone = new AudioSample({
    data,
    format: 'f32',
    numberOfChannels: 1,
    sampleRate: SAMPLE_RATE_HZ,
    timestamp: 0,
  });
  await sound.add(tone);
}
