// What a report says of a track: which frames to mistrust and why, the curves, and pages of long tracks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeadTrack } from '../../src/head/index.ts';
import {
  extremeMoments,
  findDoubts,
  mistrustedFrames,
  reportHtml,
  stripFrames,
  type TrackQuality,
  trackCurves,
} from '../../src/report/index.ts';
import { head } from '../head/embedded-head.ts';

const DEGREE = Math.PI / 180;
/** Outer eye corners 100 pixels apart, everything else between them. */
const LANDMARKS = Float32Array.from({ length: 2 * 478 }, (_, i) => (i % 2 === 0 ? 150 : 120));
LANDMARKS[2 * 33] = 100;
LANDMARKS[2 * 263] = 200;

/** A well-tracked head that does nothing for `count` frames, 25 a second; `change` gives a frame what it does. */
function quietTrack(
  count: number,
  change: (frame: number) => { yaw?: number; confidence?: number; leftPx?: number } = () => ({}),
): HeadTrack & TrackQuality {
  const jointRotations = new Float32Array(15 * count);
  const confidence = new Float32Array(count);
  const landmarksPx = new Float32Array(LANDMARKS.length * count);
  for (let frame = 0; frame < count; frame++) {
    const { yaw = 0, confidence: sure = 0.95, leftPx = 0 } = change(frame);
    jointRotations[15 * frame + 1] = yaw * DEGREE;
    confidence[frame] = sure;
    landmarksPx.set(
      LANDMARKS.map((value, i) => (i % 2 === 0 ? value - leftPx : value)),
      LANDMARKS.length * frame,
    );
  }
  return {
    headName: head.name,
    ...{ width: 300, height: 240, focalPx: 450 },
    timestampsSeconds: Float64Array.from({ length: count }, (_, frame) => frame / 25),
    identity: new Float32Array(head.identityCount),
    expression: new Float32Array(head.expressionNames.length * count),
    ...{ jointRotations, confidence, landmarksPx },
    translation: new Float32Array(3 * count),
    provenance: {},
    landmarkErrors: Float32Array.from(confidence, (sure) => (sure > 0 ? 0.015 : Number.NaN)),
    lipContrasts: new Float32Array(count).fill(0.05),
  };
}

const spansOf = (track: HeadTrack & TrackQuality, quality: Partial<TrackQuality> = {}) =>
  findDoubts(track, { ...track, ...quality }).map(({ reason, firstFrame, lastFrame, worstFrame }) => [
    reason,
    firstFrame,
    lastFrame,
    worstFrame,
  ]);

test('a steady head leaves nothing to mistrust', () => {
  assert.deepEqual(spansOf(quietTrack(50, (frame) => ({ yaw: 20 * Math.sin(frame / 8) }))), []);
});

test('each reason is found where it is, with its worst frame, the gravest first', () => {
  const track = quietTrack(60, (frame) => ({
    yaw: frame >= 40 ? 62 + (frame === 45 ? 3 : 0) : frame >= 30 ? 6.2 * (frame - 30) : 0,
    confidence: frame >= 10 && frame < 13 ? 0 : frame === 20 ? 0.4 : 0.95,
    leftPx: frame >= 55 ? 160 : 0,
  }));
  const landmarkErrors = track.landmarkErrors as Float32Array;
  landmarkErrors[5] = 0.06;
  const lipContrasts = new Float32Array(60).map((_, frame) => (frame >= 24 && frame < 28 ? 0.002 : 0.05));
  lipContrasts[50] = 0.002;
  assert.deepEqual(spansOf(track, { lipContrasts }), [
    ['no-face', 10, 12, 10],
    ['poor-fit', 5, 5, 5],
    ['unsure', 20, 20, 20],
    ['mouth-hidden', 24, 27, 24],
    ['turned-away', 40, 59, 45],
    ['at-border', 55, 59, 55],
  ]);
  const doubts = findDoubts(track, { ...track, lipContrasts });
  assert.equal(mistrustedFrames(doubts), 3 + 1 + 1 + 4 + 20);
  assert.match(doubts[1]!.text, /6\.0 % off, 1\.5 % in the median frame/);
  assert.match(doubts[4]!.text, /65 degrees/);
});

test('a sudden turn is a doubt, unless the picture cuts there', () => {
  const track = quietTrack(20, (frame) => ({ yaw: frame < 8 ? 0 : 45 }));
  assert.deepEqual(spansOf(track), [['jump', 8, 8, 8]]);
  assert.deepEqual(spansOf(track, { shots: [8] }), []);
});

test('the moments are the widest turns, each once, and the strip has both ends', () => {
  const track = quietTrack(40, (frame) => ({ yaw: frame === 7 ? 30 : frame === 21 ? -12 : 0 }));
  assert.deepEqual(
    extremeMoments(head, track).map(({ frame, caption }) => [frame, caption]),
    [
      [7, 'Turned to their left, 30°'],
      [21, 'Turned to their right, 12°'],
    ],
  );
  const strip = stripFrames(track);
  assert.deepEqual([strip.length, strip[0], strip.at(-1)], [12, 0, 39]);
  assert.deepEqual(stripFrames(quietTrack(1)), [0]);
});

test('curves are broken where no face is, and in degrees', () => {
  const track = quietTrack(6, (frame) => ({ yaw: 10 * frame, confidence: frame === 3 ? 0 : 0.9 }));
  const [panel] = trackCurves(head, track, track.landmarkErrors);
  const yaw = [...panel!.curves[0]!.values];
  assert.deepEqual(
    yaw.map((value) => Number(value.toFixed(3))),
    [0, 10, 20, Number.NaN, 40, 50],
  );
});

test('the page of a long track is not much larger than that of a short one, and keeps the peaks', () => {
  const pageOf = (frames: number): string => {
    const track = quietTrack(frames, (frame) => ({ yaw: frame === 1234 ? 33.3 : 0 }));
    const blank = { frame: () => null, overlay: () => null };
    return reportHtml(
      {
        ...{ title: 'long', head, track, landmarkErrors: track.landmarkErrors, startSeconds: 0 },
        ...{
          shots: [700],
          doubts: [],
          shownDoubts: [],
          stripFrames: [0],
          poses: [],
          facts: [],
          maker: 'test',
        },
      },
      blank,
    );
  };
  const [short, long] = [pageOf(1500), pageOf(9_000)];
  assert.ok(long.length < 5 * short.length, `${long.length} and ${short.length} bytes`);
  // Of the axis that the peak stretches, it is the top.
  const [, path] = /<path class="line s0" d="([^"]*)"/.exec(long)!;
  const heights = path!
    .split(/[ML]/)
    .slice(1)
    .map((point) => Number(point.split(' ')[1]));
  assert.equal(path!.split('M').length, 1 + 2, 'the line is broken at the cut');
  assert.ok(Math.min(...heights) < 10 && Math.max(...heights) > 60, `${Math.min(...heights)}`);
  assert.match(long, /<td>2<\/td><td>28\.00 s/);
});
