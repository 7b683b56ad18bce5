// The mesh drawn over a frame: its parts have their colours where the camera sees them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { projectPoint } from '../../src/geometry/index.ts';
import {
  createHeadPoser,
  type HeadTrack,
  type PartName,
  trackCamera,
  verticesOfParts,
} from '../../src/head/index.ts';
import { createMeshOverlay } from '../../src/tracking/index.ts';
import { head, parameters } from '../head/embedded-head.ts';

const SIZE = 256;
const landmarks = head.landmarks!.triangles.length;
const atRest = parameters({ translation: Float32Array.of(0, 0, -0.6) });
const track: HeadTrack = {
  ...atRest,
  headName: head.name,
  width: SIZE,
  height: SIZE,
  focalPx: 600,
  timestampsSeconds: Float64Array.of(0),
  confidence: Float32Array.of(1),
  landmarksPx: new Float32Array(2 * landmarks).fill(5),
  provenance: {},
};
const picture = createMeshOverlay(head, track).render(0, null);

/** The colour where the foremost vertex of a part is seen. */
function colourOf(part: PartName): [red: number, green: number, blue: number] {
  const vertices = createHeadPoser(head).pose(atRest);
  const place = (v: number): Float32Array => vertices.subarray(3 * v, 3 * v + 3);
  const front = verticesOfParts(head, part).reduce((best, v) => (place(v)[2]! > place(best)[2]! ? v : best));
  const [x, y] = projectPoint(trackCamera(track), [...place(front)]);
  return pixel(Math.round(x - 0.5), Math.round(y - 0.5));
}

function pixel(x: number, y: number): [red: number, green: number, blue: number] {
  const at = 3 * (y * SIZE + x);
  return [picture.data[at]!, picture.data[at + 1]!, picture.data[at + 2]!];
}

test('pupils are black, the nose is of the mesh, the lips are red', () => {
  for (const eye of ['leftEyeball', 'rightEyeball'] as const) {
    assert.ok(Math.max(...colourOf(eye)) < 40, `${eye}: ${colourOf(eye)}`);
  }
  const [noseRed, , noseBlue] = colourOf('skin');
  assert.ok(noseBlue > noseRed, 'skin is bluish');
  const [lipRed, , lipBlue] = colourOf('lips');
  assert.ok(lipRed > 1.4 * lipBlue, 'lips are red');
});

test('landmarks are drawn where they were seen, and only where they are wanted', () => {
  assert.deepEqual(pixel(5, 5), [60, 255, 90]);
  const bare = createMeshOverlay(head, track).render(0, null, { hasLandmarks: false });
  assert.deepEqual([...bare.data.subarray(3 * (5 * SIZE + 5), 3 * (5 * SIZE + 5) + 3)], [40, 40, 44]);
});
