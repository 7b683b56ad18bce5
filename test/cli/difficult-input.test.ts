// Inputs that are hard to track, as a user meets them: what can be tracked is, what is to be doubted is named in
// a line, and what cannot be used is refused with what to do.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeHeadTrack, encodeHeadTrack } from '../../src/head/index.ts';
import {
  type ClipFrame,
  createDevice,
  type Doubt,
  type EventSink,
  type FileTrack,
  findDoubts,
  type HeadModel,
  type HeadTrack,
  loadHead,
  loadTracker,
  readImage,
  type Tracker,
  track,
  trackAll,
  writeImage,
} from '../../src/index.ts';
import { cropImage, pasteImage, type RgbImage, resizeImage, solidImage } from '../../src/media/index.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/tensor/index.ts';
import { steadyTimestamps, temporaryFolder, writeTestClip } from '../node/test-clips.ts';
import { coverFace, turnedHead } from './made-pictures.ts';
import { runJson, runToFailure } from './run-cli.ts';
import { drivingFrames, PORTRAIT } from './sample-inputs.ts';

const TEN_BIT = join(import.meta.dirname, '..', 'media', 'ten-bit-hdr.webm');
const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);
let portrait: RgbImage;
let frames: RgbImage[];
let known: HeadTrack;
let head: HeadModel;
let tracker: Tracker;

before(async () => {
  frames = await drivingFrames(4);
  portrait = (await readImage(PORTRAIT)).image;
  head = await loadHead();
  tracker = await loadTracker(await createDevice('cpu'), head);
  known = (await tracked(PORTRAIT)).track;
});
after(async () => {
  folder[Symbol.dispose]();
  await tracker[Symbol.asyncDispose]();
});

type Tracked = FileTrack & { readonly doubts: readonly Doubt[]; readonly warnings: readonly string[] };

/** Tracks as the command does, with networks that are loaded once. */
async function tracked(input: string | RgbImage | AsyncIterable<ClipFrame>): Promise<Tracked> {
  const warnings: string[] = [];
  const result = await track(input, {
    ...{ head, tracker },
    onEvent: (event) => event.kind === 'log' && event.level === 'warning' && warnings.push(event.message),
  });
  return { ...result, warnings, doubts: findDoubts(result.track, result) };
}

async function* clipOf(images: readonly RgbImage[]): AsyncGenerator<ClipFrame, void, undefined> {
  for (const [i, image] of images.entries()) yield { image, timestampSeconds: i / 25 };
}

const reasonsOf = ({ doubts }: Tracked): string[] => [...new Set(doubts.map(({ reason }) => reason))];

test('a mask, a hand or a microphone over the mouth is tracked, and a line says that mouth and jaw are guessed', async () => {
  for (const cover of ['mask', 'hand', 'microphone'] as const) {
    const result = await tracked(coverFace(portrait, known.landmarksPx, cover));
    assert.equal(result.framesTracked, 1, cover);
    assert.deepEqual(reasonsOf(result), ['mouth-hidden'], cover);
    assert.match(result.doubts[0]!.text, /Mouth and jaw are guessed/);
  }
});

test('glasses leave nothing to doubt, and change the turn by less than five degrees', async () => {
  const result = await tracked(coverFace(portrait, known.landmarksPx, 'glasses'));
  assert.deepEqual(reasonsOf(result), []);
  const { jointRotations } = result.track;
  for (let axis = 0; axis < 3; axis++) {
    const apart = (Math.abs(jointRotations[axis]! - known.jointRotations[axis]!) * 180) / Math.PI;
    assert.ok(apart < 5, `axis ${axis}: ${apart} degrees`);
  }
});

test('a face cut by the border is tracked, with a line on what lies outside; half a face is refused', async () => {
  const [right, left] = [known.landmarksPx[2 * 234]!, known.landmarksPx[2 * 454]!];
  const cut = (share: number): RgbImage => {
    const x = Math.round(right + share * (left - right));
    return cropImage(portrait, { left: x, top: 0, width: portrait.width - x, height: portrait.height });
  };
  const result = await tracked(cut(0.2));
  assert.deepEqual(reasonsOf(result), ['at-border']);
  assert.match(result.doubts[0]!.text, /% of the landmarks lie outside the picture/);
  await writeImage(at('half.png'), cut(0.6));
  const failure = await runToFailure('track', at('half.png'), '--out', at('t.track'));
  assert.deepEqual([failure.code, failure.status], ['no-face', 2]);
});

test('a head that turns to profile and beyond keeps its frames; the far ones are named', async () => {
  const images = await Promise.all([0, 30, 50, 65, 80, 90].map((yaw) => turnedHead(yaw)));
  const result = await tracked(clipOf(images));
  assert.equal(result.frames, images.length);
  assert.ok(result.framesTracked >= 3, `${result.framesTracked} tracked`);
  const named = result.doubts.filter(({ reason }) =>
    ['turned-away', 'no-face', 'poor-fit', 'unsure'].includes(reason),
  );
  assert.ok(named.length > 0, JSON.stringify(result.doubts));
  assert.ok(
    named.every(({ firstFrame }) => firstFrame >= 2),
    JSON.stringify(named),
  );
});

test('a black stretch in the middle is named, and the face is found again after it', async () => {
  const black = solidImage(320, 320, [0, 0, 0]);
  const result = await tracked(clipOf([frames[0]!, frames[1]!, black, black, black, frames[2]!, frames[3]!]));
  assert.deepEqual([result.frames, result.framesTracked], [7, 4]);
  assert.match(String(result.warnings), /No face in 3 of 7 frames/);
  const [lost] = result.doubts;
  assert.deepEqual([lost!.reason, lost!.firstFrame], ['no-face', 2]);
});

test('a clip of 16 pixels is refused with what is needed', async () => {
  const tiny = frames.slice(0, 2).map((frame) => resizeImage(frame, 16, 16));
  await writeTestClip(at('tiny.mp4'), { timestampsSeconds: [0, 0.04], frame: (i) => tiny[i]! });
  const { code, line } = await runToFailure('track', at('tiny.mp4'), '--out', at('t.track'));
  assert.equal(code, 'no-face');
  assert.match(line, /crop if it is small/);
});

test('an 8k picture is tracked and reported', async () => {
  const large = resizeImage(cropImage(portrait, { left: 0, top: 100, width: 512, height: 288 }), 7680, 4320);
  await writeImage(at('8k.jpg'), large);
  const result = await runJson('track', at('8k.jpg'), '--out', at('t.track'), '--report', at('8k.html'));
  assert.equal(result.framesTracked, 1);
  const { width, height } = decodeHeadTrack(new Uint8Array(readFileSync(at('t.track'))));
  assert.deepEqual([width, height], [7680, 4320]);
  assert.ok(readFileSync(at('8k.html')).length < 400_000);
});

test('of two hours the piece that is asked for is tracked; who asks for all is told that there are pieces', async () => {
  await writeTestClip(at('long.mp4'), {
    timestampsSeconds: steadyTimestamps(13, 1 / 600),
    frame: (i) => frames[i % 4]!,
  });
  const said: string[] = [];
  const onEvent: EventSink = (event) => event.kind === 'log' && said.push(event.message);
  const settings = { head, tracker, onEvent };
  const piece = await track(at('long.mp4'), { ...settings, fromSeconds: 6900, toSeconds: 7201 });
  assert.deepEqual([piece.frames, said], [2, []]);
  assert.deepEqual([...piece.track.timestampsSeconds], [0, 300]);
  assert.equal((await track(at('long.mp4'), settings)).frames, 13);
  assert.match(said.join(), /120 minutes, about 13 frames; --from and --to track a piece/);
});

test('a 10-bit HDR clip is tracked', async () => {
  const result = await tracked(TEN_BIT);
  assert.deepEqual([result.frames, result.framesTracked], [3, 3]);
});

test('of two who look alike each keeps to their own side, and any of them can be asked for', async () => {
  const both = frames.map((frame) => {
    const canvas = solidImage(640, 320, [90, 97, 107]);
    pasteImage(canvas, frame, 0, 0);
    pasteImage(canvas, frame, 320, 0);
    return canvas;
  });
  await writeTestClip(at('twins.mp4'), {
    timestampsSeconds: steadyTimestamps(4, 25),
    frame: (i) => both[i]!,
  });
  const words = ['track', at('twins.mp4'), '--out', at('twins.track')];
  const result = await runJson(...words, '--all-faces', '--export', at('twins.csv'));
  const outputs = ['twins-1.track', 'twins-1.csv', 'twins-2.track', 'twins-2.csv'].map(at);
  assert.deepEqual(result.outputs, outputs);
  const sides = [1, 2].map((n) => decodeHeadTrack(new Uint8Array(readFileSync(at(`twins-${n}.track`)))));
  for (const [i, { landmarksPx, confidence }] of sides.entries()) {
    for (let frame = 0; frame < 4; frame++) {
      const noseX = landmarksPx[2 * (478 * frame + 1)]!;
      assert.ok(
        confidence[frame]! > 0.5 && noseX > 320 === (i === 1),
        `face ${i + 1}, frame ${frame}: ${noseX}`,
      );
    }
  }
  const faces = result.faces as readonly { readonly framesTracked: number }[];
  assert.deepEqual(
    faces.map(({ framesTracked }) => framesTracked),
    [4, 4],
  );
  await runJson(...words, '--face', '2');
  assert.deepEqual(
    decodeHeadTrack(new Uint8Array(readFileSync(at('twins.track')))).landmarksPx,
    sides[1]!.landmarksPx,
  );
  const inMemory = await trackAll(both[0]!, { head, tracker });
  assert.deepEqual(
    inMemory.map((result) => result.track.provenance.face),
    ['1 of 2', '2 of 2'],
  );
  const third = await runToFailure(...words, '--face', '3');
  assert.deepEqual([third.code, third.status], ['no-such-face', 2]);
  assert.match(third.line, /face 3 of the clip, but it shows 2/);
  assert.equal((await runToFailure(...words, '--face', '1', '--all-faces')).code, 'contradictory-options');
});

test('a .track that is cut short, of a newer version, or without frames is refused by name', async () => {
  const bytes = encodeHeadTrack(known);
  const { metadata, tensors } = decodeSafetensors(bytes, 'portrait.track');
  const cases: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
    ['cut', bytes.subarray(0, bytes.length >> 1), 'bad-safetensors', /cut\.track/],
    [
      'newer',
      encodeSafetensors({ metadata: { ...metadata, version: '2' }, tensors }),
      'file-version',
      /got 2/,
    ],
    [
      'empty',
      encodeSafetensors({ metadata: { ...metadata, timestampsSeconds: '[]' }, tensors }),
      'damaged-file',
      /no frames/,
    ],
  ];
  for (const [name, content, code, line] of cases) {
    writeFileSync(at(`${name}.track`), content);
    const failure = await runToFailure('control', at(`${name}.track`), '--out', at('o.mp4'));
    assert.deepEqual([failure.code, failure.status], [code, 2], failure.line);
    assert.match(failure.line, line);
  }
});
