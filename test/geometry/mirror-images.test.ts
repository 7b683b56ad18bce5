// Mirror images among points, and areas of triangles.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mirrorImages, triangleArea } from '../../src/geometry/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

test('points that were mirrored and moved a little find each other, and only within their class', () => {
  const random = createRandom(3);
  const count = 300;
  const points = new Float32Array(6 * count);
  for (let v = 0; v < count; v++) {
    for (let k = 0; k < 3; k++) {
      const value = random.uniform(k === 0 ? 0.01 : -0.1, 0.1);
      points[3 * v + k] = value;
      points[3 * (count + v) + k] = (k === 0 ? -value : value) + 1e-4 * random.normal();
    }
  }
  const reach = 0.003;
  const images = mirrorImages(points, (v) => (v % count) % 2, reach);
  for (const [v, image] of images.entries()) {
    assert.equal((image % count) % 2, (v % count) % 2, 'of another class');
    const partner = v < count ? v + count : v - count;
    const distance = (other: number): number =>
      Math.hypot(
        points[3 * other]! + points[3 * v]!,
        points[3 * other + 1]! - points[3 * v + 1]!,
        points[3 * other + 2]! - points[3 * v + 2]!,
      );
    assert.ok(distance(image) <= distance(partner), `${v}: ${distance(image)} for ${distance(partner)}`);
  }
});

test('what has no image within reach, or is left out, is its own', () => {
  const points = Float32Array.of(1, 0, 0, -1.2, 0, 0, 0.1, 5, 0, -0.1, 5, 0);
  assert.deepEqual([...mirrorImages(points, () => 0, 0.1)], [0, 1, 3, 2]);
  assert.deepEqual([...mirrorImages(points, () => 0, 0.3)], [1, 0, 3, 2]);
  assert.deepEqual([...mirrorImages(points, (v) => (v < 2 ? 0 : -1), 0.3)], [1, 0, 2, 3]);
  assert.deepEqual(
    [
      ...mirrorImages(
        points,
        () => 0,
        0.3,
        (v) => v > 0,
      ),
    ],
    [1, 1, 3, 2],
  );
});

test('the area of a triangle', () => {
  const vertices = Float32Array.of(9, 9, 9, 1, 1, 1, 4, 1, 1, 1, 1, 5);
  assert.equal(triangleArea(vertices, [1, 2, 3]), 6);
  assert.equal(triangleArea(vertices, [1, 1, 3]), 0);
});
