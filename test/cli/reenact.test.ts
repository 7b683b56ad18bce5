// `reenact` with its options, one or two at a time, on small inputs; what cannot be meant is refused.

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeHeadTrack, encodeHeadTrack, frameCount } from '../../src/head/index.ts';
import { type RgbImage, resizeImage } from '../../src/media/index.ts';
import { PART_FRAMES, readImage } from '../../src/node/index.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { difference, framesOf } from './clip-frames.ts';
import { runCli, runJson, runToFailure } from './run-cli.ts';
import { DRIVING, drivingFrames, PORTRAIT, writeTurningTrack } from './sample-inputs.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);
before(() => writeTurningTrack(at('turn.track'), 3));
after(() => folder[Symbol.dispose]());

const reenact = (out: string, ...words: readonly string[]): string[] => [
  ...['reenact', '--portrait', PORTRAIT, '--driving', at('turn.track'), '--out', at(out), '--preview'],
  ...words,
];

test('expression alone keeps the head still, and so does no intensity; pose alone turns it', async () => {
  const moved = async (...words: string[]): Promise<number> => {
    await runJson(...reenact('m.mp4', '--size', '64', ...words));
    const frames = await framesOf(at('m.mp4'));
    return difference(frames[0]!, frames[2]!);
  };
  const turning = await moved('--pose-only', '--motion', 'absolute');
  assert.ok(turning > 1, `${turning} grey levels`);
  assert.ok((await moved('--expression-only')) < 0.3 * turning);
  assert.ok((await moved('--intensity', '0')) < 0.3 * turning);
  assert.ok((await moved('--retarget-eyes', '--retarget-lips')) > 1);
});

test('--paste-back writes the whole portrait: beside the head it is as it was', async () => {
  const { image } = await readImage(PORTRAIT);
  const whole = await runJson(...reenact('p.mp4', '--paste-back'));
  assert.deepEqual([whole.width, whole.height], [image.width, image.height]);
  const frames = await framesOf(at('p.mp4'));
  const corner = (picture: RgbImage): RgbImage => {
    const data = new Uint8Array(3 * 24 * 24);
    for (let y = 0; y < 24; y++) {
      data.set(picture.data.subarray(3 * y * picture.width, 3 * (y * picture.width + 24)), 3 * 24 * y);
    }
    return { width: 24, height: 24, data };
  };
  assert.ok(difference(corner(frames[2]!), corner(image)) < 3, 'the corner is the portrait’s');
  assert.ok(difference(frames[0]!, frames[2]!) > 0.5, 'the head turns');
  const half = await runJson(...reenact('h.mp4', '--paste-back', '--size', '128'));
  assert.ok(Number(half.width) < image.width);
});

test('several portraits and drivers make a video each, and those that are there are not made again', async () => {
  copyFileSync(PORTRAIT, at('second.png'));
  copyFileSync(at('turn.track'), at('other.track'));
  const words = [
    ...['reenact', '--portrait', PORTRAIT, at('second.png'), '--driving', at('turn.track')],
    ...['--driving', at('other.track'), '--out', at('videos'), '--preview', '--size', '64'],
  ];
  type Video = { readonly out: string; readonly frames: number; readonly resumedFromFrame: number };
  const { videos, outputs } = (await runJson(...words)) as { videos: Video[]; outputs: string[] };
  const names = ['portrait-turn', 'portrait-other', 'second-turn', 'second-other'];
  assert.deepEqual(
    outputs,
    names.map((name) => at(`videos/${name}.mp4`)),
  );
  assert.deepEqual(
    videos.map(({ frames, resumedFromFrame }) => [frames, resumedFromFrame]),
    names.map(() => [3, 0]),
  );
  writeFileSync(outputs[1]!, 'spoilt');
  const again = (await runJson(...words)) as { videos: Video[] };
  assert.deepEqual(
    again.videos.map(({ resumedFromFrame }) => resumedFromFrame),
    [3, 0, 3, 3],
  );
});

test('an interrupted video goes on after its finished frames, and is the same as one made in one go', async () => {
  const track = decodeHeadTrack(new Uint8Array(readFileSync(at('turn.track'))));
  const frames = 2 * PART_FRAMES + 10;
  const repeated = (values: Float32Array): Float32Array =>
    Float32Array.from(
      { length: (values.length / frameCount(track)) * frames },
      (_, i) => values[i % values.length]!,
    );
  const long = {
    ...track,
    timestampsSeconds: Float64Array.from({ length: frames }, (_, t) => t / 25),
    expression: repeated(track.expression),
    jointRotations: repeated(track.jointRotations),
    translation: repeated(track.translation),
    confidence: repeated(track.confidence),
    landmarksPx: repeated(track.landmarksPx),
  };
  writeFileSync(at('long.track'), encodeHeadTrack(long));
  mkdirSync(at('long'));
  const words = (out: string): string[] => [
    ...['reenact', '--portrait', PORTRAIT, '--driving', at('long.track'), '--out', out],
    ...['--preview', '--size', '64'],
  ];
  const out = at('long/o.mp4');
  const run = await runCli(words(out), {
    onStart(interrupt) {
      const watch = setInterval(() => {
        if (!existsSync(`${out}.parts/job.json`)) return;
        clearInterval(watch);
        interrupt('SIGINT');
      }, 10);
    },
  });
  assert.equal(run.status, 130, run.stderr);
  assert.match(run.stderr, /finished frames are kept in .*o\.mp4\.parts; the same command goes on/);
  assert.deepEqual(readdirSync(at('long')), ['o.mp4.parts']);
  const rest = await runJson(...words(out));
  assert.ok(Number(rest.resumedFromFrame) % PART_FRAMES === 0 && Number(rest.resumedFromFrame) > 0);
  assert.equal(rest.frames, frames);
  assert.deepEqual(readdirSync(at('long')), ['o.mp4']);
  await runJson(...words(at('whole.mp4')));
  const [joined, whole] = [await framesOf(out), await framesOf(at('whole.mp4'))];
  assert.deepEqual([joined.length, whole.length], [frames, frames]);
  for (const [i, frame] of joined.entries())
    assert.equal(difference(frame, whole[i]!), 0, `frame ${i} differs`);
});

test('--from and --to drive with a piece of the clip, and show that piece beside', async () => {
  const words = reenact('piece.mp4', '--size', '64', '--compare', '--from', '1', '--to', '1.4');
  const { frames } = await runJson(...words.with(words.indexOf(at('turn.track')), DRIVING));
  assert.equal(frames, 10);
  const driver = ({ height, data, width }: RgbImage): RgbImage => {
    const panel = new Uint8Array(3 * 64 * 64);
    for (let y = 0; y < height; y++)
      panel.set(data.subarray(3 * (y * width + 64), 3 * (y * width + 128)), 192 * y);
    return { width: 64, height: 64, data: panel };
  };
  const pictures = (await drivingFrames(30)).map((image) => resizeImage(image, 64, 64));
  const [first, last] = [
    (await framesOf(at('piece.mp4')))[0]!,
    (await framesOf(at('piece.mp4'))).at(-1)!,
  ].map(driver);
  const nearest = (panel: RgbImage): number => {
    const differences = pictures.map((picture) => difference(panel, picture));
    return differences.indexOf(Math.min(...differences));
  };
  // 25 frames a second: the frame of one second is the 26th.
  assert.ok(Math.abs(nearest(first!) - 25) <= 1, `first frame ${nearest(first!)}`);
  assert.ok(nearest(last!) >= 28, `last frame ${nearest(last!)}`);
});

test('options that cannot be meant, alone or together, are refused in one line', async () => {
  const refused = async (words: readonly string[], code: string, line: RegExp): Promise<void> => {
    const failure = await runToFailure(...words);
    assert.deepEqual([failure.code, failure.status], [code, 2], failure.line);
    assert.match(failure.line, line);
  };
  const words = reenact('no.mp4');
  for (const value of ['NaN', '-1', '3.5', 'much', 'Infinity'])
    await refused([...words, '--intensity', value], 'bad-option', /--intensity expects a number from 0 to 3/);
  await refused([...words, '--motion', 'both'], 'bad-option', /one of relative, absolute/);
  await refused([...words, '--size', '63'], 'bad-option', /a multiple of 8/);
  const code = 'contradictory-options';
  await refused([...words, '--expression-only', '--pose-only'], code, /nothing to move/);
  await refused([...words, '--pose-only', '--retarget-eyes'], code, /--retarget-eyes/);
  await refused([...words, '--crop', '--paste-back'], code, /--crop .* --paste-back/);
  await refused([...words, '--face', '1'], code, /names a track/);
  await refused([...words, '--from', '1'], code, /a \.track is tracked already/);
  const clip = words.with(words.indexOf(at('turn.track')), DRIVING);
  await refused([...clip, '--from', '2', '--to', '1'], 'empty-range', /ends after it begins/);
  await refused([...clip, '--from', '50'], 'range-outside-clip', /3\.0 seconds long/);
  await refused([...words, '--portrait', PORTRAIT], code, /2 videos .* one file/);
  const twice = words.with(words.indexOf(at('no.mp4')), at('folder'));
  await refused([...twice, '--portrait', PORTRAIT], 'same-output', /portrait-turn\.mp4/);
  await refused(twice, 'bad-option', /ends in \.mp4/);
  await refused(words.with(words.indexOf(at('no.mp4')), folder.path), 'output-is-folder', /is a folder/);
});
