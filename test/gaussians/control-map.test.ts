// The control map of a clip: here, by jobs, and by jobs on worker threads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlClip, ControlFrameJob, SplatImages } from '../../src/gaussians/index.ts';
import {
  activateField,
  bindGaussians,
  controlJobs,
  controlMap,
  initialiseField,
  renderControlFrame,
  stackControlFrames,
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

test('frames as jobs give the same map', () => {
  assert.deepEqual(stackControlFrames(controlJobs(clip).map(renderControlFrame)), controlMap(clip));
});

test('frames on worker threads give the same map', async () => {
  await using pool = new WorkerPool<ControlFrameJob, SplatImages>({
    module: new URL('../../src/gaussians/index.ts', import.meta.url),
    functionName: 'renderControlFrame',
    size: 2,
  });
  assert.deepEqual(stackControlFrames(await pool.map(controlJobs(clip))), controlMap(clip));
});

test('a clip without frames, or with cameras of two sizes, is refused', () => {
  assert.throws(() => controlMap({ ...clip, vertices: [] }), { code: 'bad-control-clip' });
  const cameras = [frontCamera(40, 32, 50), frontCamera(41, 32, 50), frontCamera(40, 32, 50)];
  assert.throws(() => controlMap({ ...clip, cameras }), { code: 'bad-control-clip' });
});
