// Portraits and drivers that `reenact` is not often given: turned far away, with glasses, very large, or of several
// people.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encodeHeadTrack } from '../../src/head/index.ts';
import { track } from '../../src/index.ts';
import { cropImage, pasteImage, type RgbImage, resizeImage, solidImage } from '../../src/media/index.ts';
import { readImage, writeImage } from '../../src/node/index.ts';
import { temporaryFolder, writeTestClip } from '../node/test-clips.ts';
import { difference, framesOf } from './clip-frames.ts';
import { coverFace, turnedHead } from './made-pictures.ts';
import { runJson, runToFailure } from './run-cli.ts';
import { drivingFrames, PORTRAIT } from './sample-inputs.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);
let portrait: RgbImage;
let landmarksPx: Float32Array;

before(async () => {
  portrait = (await readImage(PORTRAIT)).image;
  const own = (await track(portrait)).track;
  landmarksPx = own.landmarksPx;
  writeFileSync(at('still.track'), encodeHeadTrack(own));
});
after(() => folder[Symbol.dispose]());

const reenact = (person: string, driving: string, out: string, ...words: readonly string[]): string[] => [
  ...['reenact', '--portrait', person, '--driving', driving, '--out', at(out), '--preview', ...words],
];

test('a portrait in profile is shown, and a warning says how far it is turned', async () => {
  for (const [yaw, side] of [
    [50, 'left'],
    [-50, 'right'],
  ] as const) {
    await writeImage(at('profile.png'), await turnedHead(yaw));
    const words = reenact(at('profile.png'), at('still.track'), 'profile.mp4', '--size', '64');
    const { frames, warnings } = await runJson(...words);
    assert.equal(frames, 1);
    const said = /profile\.png: the head is turned (\d+) degrees to its (left|right)/.exec(String(warnings));
    assert.equal(said?.[2], side, String(warnings));
    assert.ok(Math.abs(Number(said?.[1]) - Math.abs(yaw)) < 10, `${said?.[1]} degrees`);
  }
});

test('glasses are carried along without a warning', async () => {
  await writeImage(at('glasses.png'), coverFace(portrait, landmarksPx, 'glasses'));
  const words = reenact(at('glasses.png'), at('still.track'), 'glasses.mp4', '--size', '64');
  const { frames, warnings } = await runJson(...words);
  assert.deepEqual([frames, warnings], [1, []]);
});

test('a 4k portrait with --paste-back keeps its size, and its corners', async () => {
  const wide = cropImage(portrait, { left: 0, top: 100, width: 512, height: 288 });
  await writeImage(at('4k.png'), resizeImage(wide, 3840, 2160));
  const words = reenact(at('4k.png'), at('still.track'), '4k.mp4', '--paste-back');
  const { width, height, frames } = await runJson(...words);
  assert.deepEqual([width, height, frames], [3840, 2160, 1]);
  const [frame] = await framesOf(at('4k.mp4'));
  const corner = (image: RgbImage): RgbImage => cropImage(image, { left: 0, top: 0, width: 64, height: 64 });
  const { image } = await readImage(at('4k.png'));
  assert.ok(difference(corner(frame!), corner(image)) < 3, 'the corner is the portrait’s');
});

test('of two people in a clip, --face says who drives', async () => {
  const [facing] = await drivingFrames(1);
  const turned = resizeImage(await turnedHead(-35), 320, 320);
  const both = solidImage(640, 320, [90, 97, 107]);
  pasteImage(both, facing!, 0, 0);
  pasteImage(both, turned, 320, 0);
  await writeTestClip(at('two.mp4'), { timestampsSeconds: [0], frame: () => both });
  const pictureBy = async (...words: string[]): Promise<RgbImage> => {
    const absolute = ['--size', '64', '--motion', 'absolute', '--pose-only'];
    await runJson(...reenact(PORTRAIT, at('two.mp4'), 'one.mp4', ...absolute, ...words));
    return (await framesOf(at('one.mp4')))[0]!;
  };
  await runJson(...reenact(PORTRAIT, at('still.track'), 'own.mp4', '--size', '64'));
  const own = (await framesOf(at('own.mp4')))[0]!;
  const [first, second] = [await pictureBy('--face', '1'), await pictureBy('--face', '2')];
  assert.ok(
    difference(second, own) > 1.5 * difference(first, own),
    `${difference(first, own)} and ${difference(second, own)} grey levels from the portrait`,
  );
  const third = await runToFailure(...reenact(PORTRAIT, at('two.mp4'), 'no.mp4', '--face', '3'));
  assert.deepEqual([third.code, third.status], ['no-such-face', 2]);
  assert.match(third.line, /shows 2/);
});
