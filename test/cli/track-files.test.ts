// What `track` writes beside the track: the page, the sheet, files for other programs, and pieces of clips.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeHeadTrack, encodeHead } from '../../src/head/index.ts';
import { solidImage } from '../../src/media/index.ts';
import { loadEmbeddedHead, readImage, readVideo } from '../../src/node/index.ts';
import { decodeNpz, type NumpyArray } from '../../src/numpy/index.ts';
import { steadyTimestamps, temporaryFolder, writeTestClip } from '../node/test-clips.ts';
import { runJson, runToFailure } from './run-cli.ts';
import { drivingFrames, PORTRAIT } from './sample-inputs.ts';

const FRAMES = 5;
const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);

before(async () => {
  const frames = await drivingFrames(FRAMES - 1);
  // The last frame shows nobody.
  frames.push(solidImage(320, 320, [120, 120, 120]));
  await writeTestClip(at('clip <1>.mp4'), {
    timestampsSeconds: steadyTimestamps(FRAMES, 5),
    soundSeconds: 1,
    frame: (i) => frames[i]!,
  });
});
after(() => folder[Symbol.dispose]());

const trackOf = (name: string) => decodeHeadTrack(new Uint8Array(readFileSync(at(name))));

test('the report is one page with its pictures, curves, doubts and nothing from elsewhere', async () => {
  const result = await runJson(
    ...['track', at('clip <1>.mp4'), '--out', at('a.track'), '--report', at('a.html')],
    ...['--sheet', at('a.png'), '--export', at('a.csv')],
  );
  assert.deepEqual(result.outputs, ['a.track', 'a.csv', 'a.html', 'a.png'].map(at));
  const page = readFileSync(at('a.html'), 'utf8');
  const sources = [...page.matchAll(/\b(?:src|href)="([^"]{0,30})/g)].map((match) => match[1]!);
  assert.ok(
    sources.length >= FRAMES && sources.every((source) => source.startsWith('data:image/jpeg;base64,')),
  );
  assert.ok(!/https?:|@import|url\(/.test(page.replace(/base64,[^"]*/g, '')), 'nothing is fetched');
  assert.match(page, /<h1>clip &lt;1&gt;\.mp4<\/h1>/);
  for (const title of ['Head', 'Jaw', 'Blinks', 'Gaze', 'Confidence', 'Landmark error']) {
    assert.match(page, new RegExp(`<figcaption><b>${title}</b>`));
  }
  const [, json] = /id="data">(.*?)<\/script>/.exec(page)!;
  const data = JSON.parse(json!) as { seconds: number[]; series: { values: (number | null)[] }[] };
  assert.equal(data.seconds.length, FRAMES);
  // The lost frame breaks the curves, apart from confidence.
  assert.equal(data.series[0]!.values[FRAMES - 1], null);
  assert.equal(data.series[8]!.values[FRAMES - 1], 0);
  assert.match(page, /0\.80 s, 1 frame<\/b>No face is found/);
  const rows = readFileSync(at('a.csv'), 'utf8').trimEnd().split('\n');
  assert.equal(rows.length, 1 + FRAMES);
  assert.match(rows[FRAMES]!, /^00:00:00:48\.000,0,/);
  const { image } = await readImage(at('a.png'));
  assert.ok(image.width >= 4 * 320 && image.height >= 2 * 320, `${image.width} x ${image.height}`);
});

test('a piece of a clip is tracked on its own clock, and control finds it again in the whole clip', async () => {
  const words = ['track', at('clip <1>.mp4'), '--out', at('piece.track'), '--from', '0:00.4', '--to', '0.8'];
  const result = await runJson(...words, '--export', at('piece.json'));
  assert.equal(result.frames, 2);
  const track = trackOf('piece.track');
  assert.deepEqual(
    [...track.timestampsSeconds].map((seconds) => seconds.toFixed(2)),
    ['0.00', '0.20'],
  );
  assert.deepEqual([track.provenance.fromSeconds, track.provenance.toSeconds], ['0.4', '0.8']);
  const { frames } = JSON.parse(readFileSync(at('piece.json'), 'utf8')) as { frames: { seconds: number }[] };
  assert.deepEqual(
    frames.map(({ seconds }) => seconds.toFixed(2)),
    ['0.40', '0.60'],
  );
  const shown = await runJson(
    ...['control', at('piece.track'), '--clip', at('clip <1>.mp4')],
    ...['--out', at('piece.mp4'), '--sheet', at('piece.png')],
  );
  assert.deepEqual([shown.frames, shown.outputs], [2, [at('piece.mp4'), at('piece.png')]]);
  using video = await readVideo(at('piece.mp4'));
  assert.deepEqual([video.width, video.frameCountEstimate, video.sound?.codec], [3 * 320, 2, 'aac']);
});

test('a piece that is empty, behind the end, or of a picture is refused, and so is a time that is none', async () => {
  const clip = ['track', at('clip <1>.mp4'), '--out', at('b.track')];
  const cases: readonly (readonly [string[], string, RegExp])[] = [
    [[...clip, '--from', '0.5', '--to', '0.5'], 'empty-range', /from 0\.5 to 0\.5 seconds/],
    [[...clip, '--from', '2:00:00'], 'range-outside-clip', /0\.9 seconds long, but it begins at 7200/],
    [
      ['track', PORTRAIT, '--out', at('b.track'), '--to', '1'],
      'range-outside-clip',
      /portrait\.png is a picture/,
    ],
    [[...clip, '--from', 'noon'], 'bad-option', /--from expects seconds.* or a time, .* got "noon"/],
    [
      ['control', at('piece.track'), '--from', '1', '--out', at('b.mp4')],
      'contradictory-options',
      /--from and --to/,
    ],
    [[...clip, '--export', at('b.fbx')], 'bad-option', /ends in \.csv or \.json or \.npz, got/],
  ];
  for (const [words, code, line] of cases) {
    const failure = await runToFailure(...words);
    assert.deepEqual([failure.code, failure.status], [code, 2], failure.line);
    assert.match(failure.line, line);
  }
  assert.ok(!existsSync(at('b.track')));
});

test('online, every frame has its head at once, and the result says how soon', async () => {
  const words = ['track', at('clip <1>.mp4'), '--online', '--out', at('online.track')];
  const result = await runJson(...words, '--sheet', at('online.png'));
  assert.deepEqual([result.frames, result.framesTracked], [FRAMES, FRAMES - 1]);
  const [half, most] = [Number(result.latencyMsMedian), Number(result.latencyMs95)];
  assert.ok(half > 0 && most >= half, `${half} and ${most} ms`);
  const track = trackOf('online.track');
  assert.deepEqual([track.provenance.mode, track.confidence[FRAMES - 1]], ['online', 0]);
  assert.deepEqual(result.warnings, [
    "No face in 1 of 5 frames: they carry their neighbours' pose and expression.",
  ]);
  const both = await runToFailure(...words, '--all-faces');
  assert.equal(both.code, 'contradictory-options');
  const picture = await runToFailure('track', PORTRAIT, '--online', '--out', at('online.track'));
  assert.deepEqual([picture.code, picture.status], ['not-a-video', 2]);
});

test("an export that the head cannot give is refused before any work; a FLAME head's track gives an .npz", async () => {
  const words = ['track', PORTRAIT, '--out', at('c.track'), '--export'];
  assert.equal((await runToFailure(...words, at('c.npz'))).code, 'head-not-flame');
  const embedded = await loadEmbeddedHead();
  const expressionNames = embedded.expressionNames.map((name) =>
    name.startsWith('eyeBlink') ? name : `${name}Component`,
  );
  writeFileSync(at('other.head'), encodeHead({ ...embedded, name: 'other', expressionNames }));
  const other = [...words, at('c.npz'), '--head', at('other.head')];
  const csv = await runToFailure(...words, at('c.csv'), '--head', at('other.head'));
  assert.deepEqual([csv.code, csv.status], ['no-arkit-units', 2]);
  assert.ok(!existsSync(at('c.track')));
  await runJson(...other);
  const arrays = decodeNpz(new Uint8Array(readFileSync(at('c.npz'))), 'c.npz');
  assert.deepEqual(
    ['expr', 'jaw_pose', 'eyes_pose', 'eyelids'].map(
      (name) => (arrays.get(name) as NumpyArray | undefined)?.shape,
    ),
    [
      [1, 100],
      [1, 3],
      [1, 6],
      [1, 2],
    ],
  );
  const { data } = arrays.get('translation') as NumpyArray;
  assert.ok(Number(data[2]) < -0.2, 'the head is before the camera');
});
