// `track --views`: pictures of one moment to a track and a file of cameras, and what is refused.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decodeHeadTrack } from '../../src/head/index.ts';
import { solidImage } from '../../src/media/index.ts';
import { loadEmbeddedHead, readImage, writeImage } from '../../src/node/index.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { paintedHead } from '../tracking/painted-head.ts';
import { runJson, runToFailure } from './run-cli.ts';
import { PORTRAIT } from './sample-inputs.ts';

const SIZE = 320;
const YAWS = { left: 0.4, front: 0, right: -0.4 } as const;
const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);
const views = ['left', 'nobody', 'front', 'right'].map((name) => at(`${name}.png`));

before(async () => {
  const head = await loadEmbeddedHead();
  for (const [name, yaw] of Object.entries(YAWS)) {
    const picture = paintedHead(head, SIZE, ({ jointRotations }) => {
      jointRotations[1] = yaw;
      jointRotations[6] = 0.15;
    });
    await writeImage(at(`${name}.png`), picture);
  }
  await writeImage(at('nobody.png'), solidImage(SIZE, SIZE, [90, 100, 110]));
});
after(() => folder[Symbol.dispose]());

type Cameras = {
  views: { name: string; hasFace: boolean; K: number[][]; cameraFromWorld: number[][] | null }[];
};

test('views of a moment become a track, cameras and a sheet; the cameras serve as a calibration', async () => {
  const result = await runJson(
    'track',
    '--views',
    ...views,
    '--out',
    at('moment.track'),
    '--sheet',
    at('moment.png'),
  );
  assert.deepEqual(result.outputs, ['moment.track', 'moment.cameras.json', 'moment.png'].map(at));
  assert.equal(result.viewsTracked, 3);
  assert.match(String(result.warnings), /No face in 1 of 4 views: nobody\.png/);
  const file = JSON.parse(readFileSync(at('moment.cameras.json'), 'utf8')) as Cameras;
  assert.deepEqual(
    file.views.map(({ name, hasFace, cameraFromWorld }) => [name, hasFace, cameraFromWorld !== null]),
    [
      ['left.png', true, true],
      ['nobody.png', false, false],
      ['front.png', true, true],
      ['right.png', true, true],
    ],
  );
  // The first view is the world; the last camera stands 0.8 radians around the head from it.
  const turn = file.views[3]!.cameraFromWorld!;
  const degrees = (180 / Math.PI) * Math.acos((turn[0]![0]! - turn[1]![1]! - turn[2]![2]! - 1) / 2);
  assert.ok(Math.abs(degrees - 45.8) < 6, `the cameras are ${degrees} degrees apart`);
  const track = decodeHeadTrack(new Uint8Array(readFileSync(at('moment.track'))));
  assert.ok(Math.abs(track.jointRotations[1]! - YAWS.left) < 0.1, `yaw ${track.jointRotations[1]}`);
  assert.ok((await readImage(at('moment.png'))).image.width > 2 * SIZE);

  const known = views.filter((path) => !path.includes('nobody'));
  const again = await runJson(
    'track',
    '--views',
    ...known,
    '--cameras',
    at('moment.cameras.json'),
    '--out',
    at('b.track'),
  );
  assert.deepEqual([again.viewsTracked, again.warnings], [3, []]);
  const same = decodeHeadTrack(new Uint8Array(readFileSync(at('b.track'))));
  assert.ok(Math.abs(same.jointRotations[1]! - track.jointRotations[1]!) < 0.03);
});

test('views that do not go together with other words, or have no camera, are refused in a line', async () => {
  writeFileSync(at('broken.json'), '{"format":"learn2control-cameras","version":2,"views":[]}');
  const start = ['track', '--out', at('c.track')];
  const cases: readonly (readonly [string[], string, RegExp])[] = [
    [start, 'missing-option', /INPUT is missing/],
    [[...start, PORTRAIT, '--views', views[0]!], 'contradictory-options', /CLIP does not go with that/],
    [[...start, '--views', views[0]!, '--online'], 'contradictory-options', /--online does not go with that/],
    [[...start, PORTRAIT, '--cameras', at('broken.json')], 'contradictory-options', /one camera.*--cameras/],
    [
      [...start, '--views', PORTRAIT, '--cameras', at('moment.cameras.json')],
      'no-such-camera',
      /camera for portrait/,
    ],
    [
      [...start, '--views', views[0]!, '--cameras', at('broken.json')],
      'bad-calibration',
      /broken\.json.*version/,
    ],
    [[...start, '--views', views[0]!, '--refine'], 'contradictory-options', /--refine does not go/],
    [
      ['track', '--views', views[0]!, '--cameras', at('d.cameras.json'), '--out', at('d.track')],
      'output-is-input',
      /d\.cameras\.json, which --cameras reads/,
    ],
    [[...start, '--views', views[1]!], 'no-face', /none was found in any of the views/],
  ];
  for (const [words, code, line] of cases) {
    const failure = await runToFailure(...words);
    assert.deepEqual([failure.code, failure.status], [code, 2], failure.line);
    assert.match(failure.line, line);
  }
  assert.ok(!existsSync(at('c.track')));
});
