// Laying points on points, finding the nearest point of a surface, and least squares within bounds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alignPoints,
  createSurfaceSearch,
  gramMatrix,
  projectResidual,
  rotationFromAxisAngle,
  solveInBox,
  transformPoints,
} from '../../src/geometry/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

const random = createRandom(5);
const cloud = Float64Array.from({ length: 60 }, () => 0.1 * random.normal());

/** A bumpy sheet of 20 x 20 squares over [-0.1, 0.1]^2. */
function sheet(): { vertices: Float32Array; triangles: Uint32Array } {
  const side = 21;
  const vertices = Float32Array.from({ length: side * side * 3 }, (_, i) => {
    const v = Math.floor(i / 3);
    const [x, y] = [((v % side) - 10) / 100, (Math.floor(v / side) - 10) / 100];
    return [x, y, 0.01 * Math.sin(40 * x) * Math.cos(30 * y)][i % 3]!;
  });
  const triangles: number[] = [];
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0; column + 1 < side; column++) {
      const a = row * side + column;
      triangles.push(a, a + 1, a + side + 1, a, a + side + 1, a + side);
    }
  }
  return { vertices, triangles: Uint32Array.from(triangles) };
}

test('a similarity is found exactly from points that it moved', () => {
  const truth = {
    rotation: rotationFromAxisAngle([0.3, -1.1, 0.7]),
    translation: [0.1, -0.2, 0.5],
    scale: 1.3,
  };
  const found = alignPoints(cloud, transformPoints(truth, cloud));
  assert.ok(Math.abs(found.scale - 1.3) < 1e-12);
  for (let i = 0; i < 9; i++) assert.ok(Math.abs(found.rotation[i]! - truth.rotation[i]!) < 1e-12);
  for (let i = 0; i < 3; i++) assert.ok(Math.abs(found.translation[i]! - truth.translation[i]!) < 1e-12);
});

test('points of no weight do not move an alignment, and a rigid one keeps the size', () => {
  const moved = transformPoints(
    { rotation: rotationFromAxisAngle([0, 0.5, 0]), translation: [0, 0, 1], scale: 2 },
    cloud,
  );
  const weights = Float64Array.from({ length: 20 }, (_, i) => (i < 15 ? 1 : 0));
  moved.fill(9, 45);
  assert.ok(Math.abs(alignPoints(cloud, moved, { weights }).scale - 2) < 1e-12);
  assert.equal(alignPoints(cloud, moved, { weights, isScaled: false }).scale, 1);
});

test('the nearest point of a surface is that of a search through all triangles', () => {
  const { vertices, triangles } = sheet();
  const search = createSurfaceSearch(vertices, triangles);
  for (let i = 0; i < 60; i++) {
    const point = [0.09 * random.uniform(-1, 1), 0.09 * random.uniform(-1, 1), 0.03 * random.normal()];
    const hit = search.nearest(point, { reach: 0.2 })!;
    // Dense points of the same surface come close to the answer, never nearer.
    let least = Infinity;
    for (let t = 0; t < triangles.length; t += 3) {
      for (let a = 0; a <= 6; a++) {
        for (let b = 0; a + b <= 6; b++) {
          const weights = [a / 6, b / 6, (6 - a - b) / 6];
          const gap = [0, 1, 2].map(
            (k) =>
              point[k]! - weights.reduce((sum, w, c) => sum + w * vertices[3 * triangles[t + c]! + k]!, 0),
          );
          least = Math.min(least, Math.hypot(...gap));
        }
      }
    }
    assert.ok(hit.distance <= least + 1e-9 && hit.distance > least - 0.001, `${hit.distance} ${least}`);
    assert.ok(Math.abs(hit.barycentrics[0] + hit.barycentrics[1] + hit.barycentrics[2] - 1) < 1e-12);
  }
});

test('a search heeds the direction asked for, its reach, and the triangles left out', () => {
  const { vertices, triangles } = sheet();
  const search = createSurfaceSearch(vertices, triangles);
  assert.equal(search.nearest([0, 0, 0.02], { normal: [0, 0, -1] }), null);
  assert.ok(search.nearest([0, 0, 0.02], { normal: [0, 0, 1] }));
  assert.equal(search.nearest([0, 0, 0.2]), null);
  const right = createSurfaceSearch(vertices, triangles, (t) => vertices[3 * triangles[3 * t]!]! >= 0.05);
  assert.ok(right.nearest([0, 0, 0], { reach: 0.2 })!.point[0] >= 0.0499);
});

test('least squares in a box meet the truth inside it and stop at its walls', () => {
  const rows = Array.from({ length: 3 }, () => Float64Array.from({ length: 30 }, () => random.normal()));
  const weights = new Float64Array(30).fill(1);
  const truth = [0.2, 0.9, -0.4];
  const residual = Float64Array.from({ length: 30 }, (_, k) =>
    rows.reduce((sum, row, i) => sum + truth[i]! * row[k]!, 0),
  );
  const gram = gramMatrix(rows, weights);
  const right = projectResidual(rows, weights, residual);
  const free = { lower: [-9, -9, -9], upper: [9, 9, 9], precision: [0, 0, 0] };
  const solved = solveInBox(gram, right, free, [0, 0, 0]);
  for (let i = 0; i < 3; i++) assert.ok(Math.abs(solved[i]! - truth[i]!) < 1e-6);
  const boxed = solveInBox(gram, right, { ...free, lower: [0, 0, 0], upper: [1, 0.5, 1] }, [0, 0, 0]);
  assert.equal(boxed[1], 0.5);
  assert.equal(boxed[2], 0);
});
