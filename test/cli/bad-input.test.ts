// Unusual and unusable inputs, as a user meets them: what cannot work ends in one line and leaves nothing
// behind; what is merely unusual works, with a warning where something was done about it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { decodeAvatar, encodeAvatar } from '../../src/avatar/index.ts';
import { decodeHeadTrack, encodeHeadTrack, type HeadTrack } from '../../src/head/index.ts';
import { pasteImage, type RgbImage, solidImage } from '../../src/media/index.ts';
import { modelPath, readImage, readVideo, SHIPPED_AVATAR, writeImage } from '../../src/node/index.ts';
import { steadyTimestamps, temporaryFolder, writeTestClip } from '../node/test-clips.ts';
import { runJson, runToFailure } from './run-cli.ts';
import { drivingFrames, NO_WEIGHTS, PORTRAIT } from './sample-inputs.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);
let face: RgbImage;
let frames: RgbImage[];

before(async () => {
  frames = await drivingFrames(3);
  face = (await readImage(PORTRAIT)).image;
  await writeTestClip(at('clip.mp4'), {
    timestampsSeconds: steadyTimestamps(3, 25),
    frame: (i) => frames[i]!,
  });
});
after(() => folder[Symbol.dispose]());

const reenactWords = (driving: string, { portrait = PORTRAIT, out = at('o.mp4') } = {}): string[] => [
  ...['reenact', '--portrait', portrait, '--driving', driving, '--out', out],
  ...['--preview', '--size', '64'],
];
const reading = (path: string): HeadTrack => decodeHeadTrack(new Uint8Array(readFileSync(path)));

/** Runs what must fail; nothing may be left or changed by it. */
async function refused(words: readonly string[], status: number, code: string, line: RegExp): Promise<void> {
  const before = readdirSync(folder.path);
  const failure = await runToFailure(...words);
  assert.deepEqual([failure.code, failure.status], [code, status], failure.line);
  assert.match(failure.line, line);
  assert.deepEqual(readdirSync(folder.path), before);
}

test('a driver that is no clip, empty, cut short, without pictures or without a face is refused', async () => {
  writeFileSync(at('text.mp4'), 'not a video');
  writeFileSync(at('empty.mp4'), '');
  await writeTestClip(at('sound.mp4'), { timestampsSeconds: [], soundSeconds: 0.5 });
  await writeTestClip(at('nothing.mp4'), { timestampsSeconds: [] });
  await writeTestClip(at('grey.mp4'), { frame: () => solidImage(64, 48, [128, 128, 128]) });
  for (const isIndexFirst of [true, false]) {
    const path = at(`cut-${isIndexFirst}.mp4`);
    await writeTestClip(path, {
      timestampsSeconds: steadyTimestamps(12, 4),
      frame: (i) => frames[i % 3]!,
      isIndexFirst,
    });
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
  }
  await refused(reenactWords(at('gone.mp4')), 3, 'file-not-found', /gone\.mp4/);
  await refused(reenactWords(at('text.mp4')), 2, 'not-a-video', /text\.mp4 is not one/);
  await refused(reenactWords(at('empty.mp4')), 2, 'empty-file', /empty\.mp4 is empty/);
  await refused(reenactWords(at('sound.mp4')), 2, 'no-picture', /holds sound only/);
  await refused(reenactWords(at('nothing.mp4')), 2, 'no-picture', /holds nothing to show/);
  await refused(reenactWords(at('grey.mp4')), 2, 'no-face', /any frame of the clip/);
  await refused(reenactWords(at('cut-true.mp4')), 2, 'clip-damaged', /cut-true\.mp4/);
  await refused(reenactWords(at('cut-false.mp4')), 2, 'no-picture', /cut short/);
  await refused(['track', at('text.mp4'), '--out', at('t.track')], 2, 'not-a-video', /text\.mp4/);
});

test('a portrait that is missing, no picture or without a face is refused', async () => {
  await writeImage(at('grey.png'), solidImage(96, 96, [128, 128, 128]));
  const words = (portrait: string) => reenactWords(at('clip.mp4'), { portrait });
  await refused(words(at('gone.png')), 3, 'file-not-found', /gone\.png/);
  await refused(words(at('clip.mp4')), 2, 'not-an-image', /Expected a picture/);
  await refused(words(at('grey.png')), 2, 'no-face', /found in the picture/);
});

test('an output that cannot be written, or that is an input, is refused before any work', async () => {
  writeFileSync(at('file'), 'x');
  symlinkSync(at('clip.mp4'), at('same.mp4'));
  const blocked = join(at('file'), 'o.mp4');
  const words = (out: string) => reenactWords(at('clip.mp4'), { out });
  await refused(words(blocked), 2, 'output-not-writable', /is a file, not a folder/);
  await refused(['demo', '--out', at('file')], 2, 'output-not-writable', /is a file, not a folder/);
  await refused(words(at('clip.mp4')), 2, 'output-is-input', /--out would write over .* --driving reads/);
  await refused(words(at('same.mp4')), 2, 'output-is-input', /--driving/);
  await refused(['control', at('clip.mp4'), '--out', at('clip.mp4')], 2, 'output-is-input', /INPUT reads/);
});

test('options that contradict each other are refused', async () => {
  const words = reenactWords(at('clip.mp4'));
  const code = 'contradictory-options';
  await refused([...words, '--steps', '2'], 2, code, /--steps .* --preview/);
  await refused([...words, '--weights', 'w.avatar'], 2, code, /--weights .* --preview/);
  await refused([...words, '--guidance', '2'], 2, code, /--guidance .* --preview/);
  const control = ['control', at('clip.mp4'), '--clip', at('clip.mp4'), '--out', at('o.mp4')];
  await refused(control, 2, code, /--clip goes with a \.track/);
  const train = ['train', '--config', 'c.json', '--data', at('data'), '--out', at('model'), '--keep-encoder'];
  await refused([...train, '--stage', '1'], 2, code, /--keep-encoder .* --stage 1/);
});

test('weights that are missing, cut short, of another kind or of another head are refused', {
  skip: NO_WEIGHTS,
}, async () => {
  const bytes = new Uint8Array(readFileSync(SHIPPED_AVATAR));
  writeFileSync(at('cut.avatar'), bytes.subarray(0, bytes.length >> 1));
  const avatar = decodeAvatar(bytes);
  writeFileSync(at('other.avatar'), encodeAvatar({ ...avatar, headName: 'another head' }));
  const config = { ...avatar.config, size: -1 };
  writeFileSync(at('later.avatar'), encodeAvatar({ ...avatar, config }));
  writeFileSync(at('text.avatar'), 'these are no weights');
  const words = (weights: string) => [
    ...['reenact', '--portrait', PORTRAIT, '--driving', at('clip.mp4')],
    ...['--out', at('o.mp4'), '--weights', weights],
  ];
  await refused(words(at('gone.avatar')), 3, 'file-not-found', /Expected trained weights at .*gone\.avatar/);
  await refused(words(at('text.avatar')), 2, 'bad-safetensors', /text\.avatar/);
  await refused(words(at('cut.avatar')), 2, 'bad-safetensors', /cut\.avatar/);
  await refused(words(modelPath('head', 'embedded.head')), 2, 'foreign-weights', /learn2control\.head/);
  await refused(words(at('later.avatar')), 2, 'avatar-config', /later\.avatar/);
  await refused(words(at('other.avatar')), 3, 'avatar-head', /another head/);
});

test('a driver with odd size, rotation, uneven time, no sound and a lost face keeps its frames and clock', async () => {
  const timestampsSeconds = [0, 0.04, 0.2, 0.3, 0.7];
  const grey = solidImage(320, 320, [128, 128, 128]);
  const lying = [frames[0]!, frames[1]!, grey, grey, frames[2]!].map((frame) => turnedLeft(odd(frame)));
  await writeTestClip(at('unusual.mp4'), {
    codec: 'vp9',
    width: lying[0]!.width,
    height: lying[0]!.height,
    timestampsSeconds,
    rotation: 90,
    frame: (i) => lying[i]!,
  });
  const result = await runJson(...reenactWords(at('unusual.mp4'), { out: at('unusual-out.mp4') }));
  assert.equal(result.frames, 5);
  assert.match(String(result.warnings), /No face in 2 of 5 frames/);
  using driver = await readVideo(at('unusual.mp4'));
  assert.deepEqual([driver.width, driver.height, driver.rotationDegrees], [319, 317, 90]);
  using clip = await readVideo(at('unusual-out.mp4'));
  assert.equal(clip.sound, null);
  const stamps: number[] = [];
  for await (const { timestampSeconds } of clip.frames()) stamps.push(timestampSeconds);
  assert.equal(stamps.length, 5);
  for (const [i, seconds] of timestampsSeconds.entries()) assert.ok(Math.abs(stamps[i]! - seconds) < 1e-3);
});

test('a driver of one frame gives a video of one frame', async () => {
  await writeTestClip(at('one.mp4'), { timestampsSeconds: [0], frame: () => frames[0]! });
  const result = await runJson(...reenactWords(at('one.mp4'), { out: at('one-out.mp4') }));
  assert.deepEqual([result.frames, result.warnings], [1, []]);
});

test('of several faces the largest is tracked, and a warning names the file', async () => {
  const canvas = solidImage(800, 512, [90, 97, 107]);
  pasteImage(canvas, face, 0, 0);
  const small = await sharp(PORTRAIT).removeAlpha().resize(256).raw().toBuffer();
  pasteImage(canvas, { width: 256, height: 256, data: new Uint8Array(small) }, 530, 100);
  await writeImage(at('two.png'), canvas);
  const words = reenactWords(at('clip.mp4'), { portrait: at('two.png'), out: at('two.mp4') });
  assert.match(String((await runJson(...words)).warnings), /two\.png: 2 faces: the largest is tracked/);
});

test('a portrait on its side by EXIF, in CMYK, transparent or of odd size is the same head', async () => {
  const opaque = await sharp(PORTRAIT).removeAlpha().png().toBuffer();
  const lying = sharp(await sharp(opaque).rotate(270).toBuffer()).jpeg({ quality: 95 });
  await lying.withMetadata({ orientation: 6 }).toFile(at('side.jpg'));
  await sharp(opaque).toColourspace('cmyk').jpeg({ quality: 95 }).toFile(at('print.jpg'));
  await sharp(PORTRAIT)
    .removeAlpha()
    .extract({ left: 0, top: 0, width: 511, height: 509 })
    .ensureAlpha(1)
    .png()
    .toFile(at('clear.png'));
  const tracked = async (path: string): Promise<string> => {
    const { warnings } = await runJson('track', path, '--out', `${path}.track`);
    return String(warnings);
  };
  assert.equal(await tracked(at('side.jpg')), '');
  assert.match(await tracked(at('print.jpg')), /print\.jpg is CMYK/);
  assert.match(await tracked(at('clear.png')), /clear\.png has transparency/);
  await runJson('track', PORTRAIT, '--out', at('plain.track'));
  assert.equal(reading(at('clear.png.track')).width, 511);
  const expected = reading(at('plain.track'));
  for (const name of ['side.jpg.track', 'print.jpg.track', 'clear.png.track']) {
    const { jointRotations } = reading(at(name));
    for (let axis = 0; axis < 3; axis++) {
      const apart = Math.abs(jointRotations[axis]! - expected.jointRotations[axis]!);
      assert.ok(apart < 0.05, `${name}: axis ${axis} is ${apart} radians off`);
    }
  }
});

test('a track of another head, or what is no track, is refused as driver', async () => {
  await runJson('track', PORTRAIT, '--out', at('own.track'));
  writeFileSync(
    at('other.track'),
    encodeHeadTrack({ ...reading(at('own.track')), headName: 'another head' }),
  );
  writeFileSync(at('text.track'), 'no track at all');
  await refused(reenactWords(at('other.track')), 2, 'track-of-other-head', /another head/);
  await refused(reenactWords(at('text.track')), 2, 'bad-safetensors', /text\.track/);
  const control = ['control', at('own.track'), '--clip', at('clip.mp4'), '--out', at('o.mp4')];
  await refused(control, 2, 'track-of-other-clip', /512 x 512/);
});

/** Cut to an odd size. */
function odd(image: RgbImage): RgbImage {
  const cut = solidImage(image.width - 1, image.height - 3, [0, 0, 0]);
  for (let y = 0; y < cut.height; y++) {
    const row = y * image.width * 3;
    cut.data.set(image.data.subarray(row, row + cut.width * 3), y * cut.width * 3);
  }
  return cut;
}

/** A quarter turn against the clock: rotation metadata of 90 degrees shows it upright again. */
function turnedLeft({ width, height, data }: RgbImage): RgbImage {
  const turned = solidImage(height, width, [0, 0, 0]);
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < height; x++) {
      const from = (x * width + (width - 1 - y)) * 3;
      turned.data.set(data.subarray(from, from + 3), (y * height + x) * 3);
    }
  }
  return turned;
}
