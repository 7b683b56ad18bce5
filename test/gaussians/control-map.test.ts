// The control map of a clip: here, by jobs, and by jobs on worker threads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlClip, ControlFrameJob, ControlMap } from '../../src/gaussians/index.ts';
import {
  activateField,
  bindGaussians,
  controlMap,
  initialiseField,
  renderControlFrame,
  shareControlClip,
} from '../../src/gaussians/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { WorkerPool } from '../../src/node/index.ts';
import { squareHead } from './square-head.ts';

const head = squareHead();
const binding = bindGaussians(head, { uvSize: 16 });
const at = (x: number): Float32Array =>
  head.template.map((value, i) => value + (i % 3 === 0 ? x : i % 3 === 2 ? -4 : 0));
const clip: ControlClip = {
  binding,
  field: activateField(initialiseField(binding, head.template, 1)),
  vertices: [at(0), at(0.4), at(-0.4)],
  cameras: frontCamera(40, 32, 50),
};

test('a control map has a frame per pose, and follows the head', () => {
  const { features, alpha } = controlMap(clip);
  assert.deepEqual(features.shape, [3, 8, 32, 40]);
  assert.deepEqual(alpha.shape, [3, 32, 40]);
  const middleOf = (t: number): number => {
    const frame = alpha.data.subarray(t * 1280, (t + 1) * 1280);
    const mass = frame.reduce((sum, value) => sum + value, 0);
    return frame.reduce((sum, value, i) => sum + (value * ((i % 40) + 0.5)) / mass, 0);
  };
  // 0.4 m at 4 m and 50 px focal length is 5 px.
  for (const [t, expected] of [20, 25, 15].entries()) {
    assert.ok(Math.abs(middleOf(t) - expected) < 1.5, `${middleOf(t)} for ${expected}`);
  }
});

const anisotropic: ControlClip = {
  ...clip,
  field: activateField(initialiseField(binding, head.template, 1, { isAnisotropic: true })),
};

for (const [kind, each] of Object.entries({ isotropic: clip, anisotropic })) {
  test(`frames as jobs give the same map, ${kind}`, () => {
    const { jobs, map } = shareControlClip(each);
    for (const job of jobs) renderControlFrame(job);
    assert.deepEqual(plain(map), plain(controlMap(each)));
  });
}

test('frames on worker threads give the same map', async () => {
  await using pool = new WorkerPool<ControlFrameJob, void>({
    module: new URL('../../src/gaussians/index.ts', import.meta.url),
    functionName: 'renderControlFrame',
    size: 2,
  });
  const { jobs, map } = shareControlClip(clip);
  await pool.map(jobs);
  assert.deepEqual(plain(map), plain(controlMap(clip)));
});

test('a fresh anisotropic field gives the map of an isotropic one', () => {
  const [expected, actual] = [controlMap(clip), controlMap(anisotropic)];
  const differences = actual.features.data.map((value, i) => Math.abs(value - expected.features.data[i]!));
  assert.ok(Math.max(...differences) < 1e-5);
});

test('a clip without frames, or with cameras of two sizes, is refused', () => {
  assert.throws(() => controlMap({ ...clip, vertices: [] }), { code: 'bad-control-clip' });
  const cameras = [frontCamera(40, 32, 50), frontCamera(41, 32, 50), frontCamera(40, 32, 50)];
  assert.throws(() => controlMap({ ...clip, cameras }), { code: 'bad-control-clip' });
});

/** The arrays of a map, out of shared memory. */
function plain({ features, alpha }: ControlMap): number[][] {
  return [Array.from(features.data), Array.from(alpha.data)];
}
