// What is read out of the paths and calibrations of other people's datasets, and how clips come to 25 frames a second.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LAYOUTS,
  type Layout,
  parseCalibration,
  parseMapping,
  planImport,
  resampledIndices,
  resampleFrames,
  type SourceItem,
  statedFrameRate,
} from '../../src/dataset/index.ts';
import { projectPoint } from '../../src/geometry/index.ts';

const plan = (layout: Layout, files: readonly string[]): SourceItem[] => planImport(layout, files, 'SRC');

test('pictures are clips of people of their own, in one order everywhere', () => {
  const items = plan(LAYOUTS.images, ['b.jpg', 'LICENSE', 'a10.png', '.hidden.png', 'a9.webp', 'sub/c.JPG']);
  assert.deepEqual(
    items.map(({ name, identity }) => [name, identity]),
    [
      ['a9', 'a9'],
      ['a10', 'a10'],
      ['b', 'b'],
      ['sub/c', 'sub/c'],
    ],
  );
  const same = plan(LAYOUTS.images, ['a.png', 'a.jpg']).map(({ name }) => name);
  assert.deepEqual(same, ['a.jpg', 'a.png']);
});

test("VFHQ: a folder's pictures are a clip of the film's person, at the rate of its text file", () => {
  const clip = 'Clip+Gf8oGBTEiA4+P1+C0+F2480-2585';
  const frames = [2482, 2481, 2480].map((frame) => `VFHQ/${clip}/0000${frame}.png`);
  const items = plan(LAYOUTS.vfhq, [...frames, `meta_info/${clip}.txt`, 'VFHQ/readme.png']);
  assert.equal(items.length, 1);
  const { identity, sequence, files, frameRateFile } = items[0]!;
  assert.deepEqual([identity, sequence], ['Gf8oGBTEiA4+P1', clip]);
  assert.deepEqual(files, [...frames].reverse());
  assert.equal(frameRateFile, `meta_info/${clip}.txt`);
  assert.throws(() => plan(LAYOUTS.vfhq, frames), { code: 'no-frame-rate', message: /Clip\+Gf8/ });
  assert.equal(plan({ ...LAYOUTS.vfhq, framesPerSecond: 30 }, frames)[0]!.frameRateFile, null);
});

test('a frame rate is read from the line that begins with FPS', () => {
  assert.equal(statedFrameRate('H 720\nW 1280\nFPS 29.97\nCROP 1 2 3 4\n'), 29.97);
  assert.equal(statedFrameRate('fps: 24'), 24);
  assert.equal(statedFrameRate('H 720'), null);
});

test('NeRSemble: cameras with their calibration, old and new folders, and the last twenty people held out', () => {
  const files = Array.from({ length: 23 }, (_, i) => {
    const person = String(17 + i).padStart(3, '0');
    const inside = i % 2 === 0 ? 'images/' : '';
    return [
      `${person}/sequences/EXP-1-head/${inside}cam_222200037.mp4`,
      `${person}/sequences/BACKGROUND/${inside}cam_222200037.mp4`,
      `${person}/calibration/camera_params.json`,
    ];
  }).flat();
  const items = plan(LAYOUTS.nersemble, files);
  assert.equal(items.length, 23);
  assert.deepEqual(
    items.filter(({ split }) => split === 'train').map(({ identity }) => identity),
    ['017', '018', '019'],
  );
  const { sequence, view, calibration } = items[0]!;
  assert.deepEqual(
    [sequence, view, calibration],
    ['EXP-1-head', '222200037', '017/calibration/camera_params.json'],
  );
  const listed = plan({ ...LAYOUTS.nersemble, heldOut: ['018'] }, files);
  assert.deepEqual(
    listed.filter(({ split }) => split === 'heldOut').map(({ identity }) => identity),
    ['018'],
  );
});

test('MEAD: seven views of a take are one sequence of one person', () => {
  const views = ['front', 'left_30', 'left_60', 'right_30', 'right_60', 'top', 'down'];
  const files = views.map((view) => `M003/video/${view}/happy/level_2/021.mp4`);
  const items = plan(LAYOUTS.mead, [
    ...files,
    'M003/audio/happy/level_2/021.m4a',
    'M003/video/back/happy/level_2/1.mp4',
  ]);
  assert.deepEqual(items.map(({ view }) => view).sort(), [...views].sort());
  assert.deepEqual([...new Set(items.map(({ sequence }) => sequence))], ['happy-2-021']);
  assert.deepEqual([...new Set(items.map(({ identity }) => identity))], ['M003']);
});

test('multiview: folders of views, with the transforms beside them', () => {
  const files = ['s1/images/00.png', 's1/images/01.png', 's1/transforms.json', 's2/00.png'];
  const items = plan(LAYOUTS.multiview, files);
  assert.deepEqual(
    items.map(({ identity, view, calibration }) => [identity, view, calibration]),
    [
      ['s1', '00', 's1/transforms.json'],
      ['s1', '01', 's1/transforms.json'],
      ['s2', '00', null],
    ],
  );
});

test('a mapping changes parts of a layout, and mistakes in it are named', () => {
  const text =
    '{"clips":"frames","pattern":"cam_(?<camera>\\\\d+)_(?<frame>\\\\d+)\\\\.jpg$","view":"{camera}","framesPerSecond":24.5}';
  const layout = parseMapping(text, 'm.json', 'nersemble');
  const custom = { ...layout, identity: 'one', sequence: null, calibration: null, heldOut: 0 };
  const items = plan(custom, ['x/cam_2_0.jpg', 'x/cam_1_1.jpg', 'x/cam_1_0.jpg']);
  assert.deepEqual(
    items.map(({ name, view, files }) => [name, view, files.length]),
    [
      ['x/1', '1', 2],
      ['x/2', '2', 1],
    ],
  );
  const wrong = (changed: string): (() => Layout) => {
    return () => parseMapping(changed, 'm.json', 'images');
  };
  assert.throws(wrong('{'), { code: 'bad-mapping', message: /m\.json .* not JSON/ });
  assert.throws(wrong('{"pattern":"("}'), {
    code: 'bad-mapping',
    message: /pattern: is no regular expression/,
  });
  assert.throws(wrong('{"rate":30}'), { code: 'bad-mapping', message: /rate/ });
  assert.throws(() => plan({ ...LAYOUTS.images, view: '{camera}' }, ['a.png']), {
    code: 'bad-mapping',
    message: /named group camera/,
  });
  assert.throws(() => plan({ ...LAYOUTS.images, clips: 'frames' }, ['a.png']), { code: 'bad-mapping' });
  assert.throws(() => plan(LAYOUTS.mead, ['a.png']), {
    code: 'no-clips',
    message: /none of its 1 files is like M003\/video\/front/,
  });
  assert.throws(() => plan({ ...LAYOUTS.mead, pattern: '^b' }, ['a.png']), {
    message: /1 files matches \^b/,
  });
});

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

test("NeRSemble's cameras are OpenCV's, one K for all, scaled where pictures were made smaller", () => {
  const world_2_cam = {
    '222200037': [
      [0, 0, 1, 0.5],
      [0, 1, 0, -0.25],
      [-1, 0, 0, 2],
      [0, 0, 0, 1],
    ],
  };
  const intrinsics = [
    [8000, 0, 1100],
    [0, 8100, 1604],
    [0, 0, 1],
  ];
  const cameras = parseCalibration(encode({ world_2_cam, intrinsics }), 'c.json', 0.5);
  const camera = { width: 1100, height: 1604, ...cameras.get('222200037')! };
  // (1, 0, 0) stands at (0.5, -0.25, 1) before the camera.
  assert.deepEqual(projectPoint(camera, [1, 0, 0]), [4000 * 0.5 + 550, 4050 * -0.25 + 802, 1]);
});

test("transforms of NeRF programs are turned from OpenGL's axes", () => {
  const transform_matrix = [
    [1, 0, 0, 0.1],
    [0, 1, 0, 0.2],
    [0, 0, 1, 3],
    [0, 0, 0, 1],
  ];
  const frames = [{ file_path: './images/07.png', transform_matrix, cx: 120 }];
  const cameras = parseCalibration(
    encode({ camera_angle_x: Math.PI / 2, w: 256, h: 200, frames }),
    'transforms.json',
  );
  const camera = { width: 256, height: 200, ...cameras.get('07')! };
  // The camera stands at (0.1, 0.2, 3) and looks along -z: what is above and to the right is up and right.
  const [x, y, depth] = projectPoint(camera, [0.1 + 1, 0.2 + 0.5, 1]);
  assert.ok(Math.abs(x - (120 + 64)) < 1e-9 && Math.abs(y - (100 - 32)) < 1e-9 && Math.abs(depth - 2) < 1e-9);
});

test('calibrations that are none are refused with their name and what is wrong', () => {
  const rows = (value: number) => [
    [value, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ];
  const lens = [
    [1, 0, 0],
    [0, 1, 0],
  ];
  for (const [value, message] of [
    [{ world_2_cam: { a: rows(2) }, intrinsics: lens }, /c\.json .*matrix of a does not turn rigidly/],
    [{ world_2_cam: { a: rows(1) } }, /intrinsics/],
    [{ frames: [{ file_path: 'a.png', transform_matrix: rows(1) }] }, /a\.png has no focal length/],
    [{}, /frames/],
  ] as const) {
    assert.throws(() => parseCalibration(encode(value), 'c.json'), { code: 'bad-calibration', message });
  }
  assert.throws(() => parseCalibration(new Uint8Array(3), 'c.json'), { message: /not JSON/ });
});

async function shownAt(rate: number, frames: number, first = 0): Promise<number[]> {
  async function* clip() {
    for (let index = 0; index < frames; index++) {
      yield { index, timestampSeconds: first + index / rate, durationSeconds: 1 / rate };
    }
  }
  const indices: number[] = [];
  for await (const { index, timestampSeconds } of resampleFrames(clip())) {
    assert.ok(Math.abs(timestampSeconds - indices.length / 25) < 1e-9);
    indices.push(index);
  }
  return indices;
}

test('a clip of any rate comes to 25 frames a second of the same length', async () => {
  assert.deepEqual(await shownAt(25, 5), [0, 1, 2, 3, 4]);
  assert.deepEqual(await shownAt(50, 6), [0, 2, 4]);
  assert.deepEqual(await shownAt(12.5, 2, 3), [0, 0, 1, 1]);
  for (const rate of [10, 23.976, 24, 29.97, 30, 59.94, 73]) {
    const indices = await shownAt(rate, Math.round(4 * rate), 0.5);
    assert.ok(Math.abs(indices.length - 100) <= 1, `${indices.length} of ${rate}`);
    assert.deepEqual(resampledIndices(Math.round(4 * rate), rate), indices);
    // On show: at most one frame old.
    for (const [k, index] of indices.entries()) assert.ok(Math.abs(k / 25 - index / rate) < 1 / rate + 1e-3);
  }
  assert.deepEqual(await shownAt(25, 0), []);
});
