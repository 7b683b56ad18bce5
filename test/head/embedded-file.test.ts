// The shipped head file: what it must hold, and what its texture layout promises.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eyeCharts, PART_NAMES, vertexCount, verticesOfParts } from '../../src/head/index.ts';
import { head, headFileSize } from './embedded-head.ts';

const SIZE = 1024;

test('the embedded head is CC0, tells where it comes from, and weighs at most 8 MB', () => {
  assert.equal(head.licence, 'CC0-1.0');
  assert.match(head.provenance?.wheelSha256 ?? '', /^[0-9a-f]{64}$/);
  assert.ok(headFileSize <= 8e6, `${headFileSize} bytes`);
});

test('it has 4,000 to 14,000 vertices, all parts, 80 or more identity coefficients, the 52 units', () => {
  const vertices = vertexCount(head);
  assert.ok(vertices >= 4000 && vertices <= 14000, `${vertices} vertices`);
  assert.ok(head.identityCount >= 80);
  assert.equal(new Set(head.expressionNames).size, 52);
  assert.deepEqual(
    head.eyelidExpressions.map((i) => head.expressionNames[i]),
    ['eyeBlinkLeft', 'eyeBlinkRight'],
  );
  assert.equal(new Set(head.triangleParts).size, PART_NAMES.length);
});

test('skinning weights and joint regressors sum to 1', () => {
  const vertices = vertexCount(head);
  for (let v = 0; v < vertices; v++) {
    const row = head.skinningWeights.subarray(5 * v, 5 * v + 5);
    assert.ok(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-5);
    assert.ok(row.every((weight) => weight >= 0));
  }
  for (let joint = 0; joint < 5; joint++) {
    const row = head.jointRegressor.subarray(joint * vertices, (joint + 1) * vertices);
    assert.ok(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-4);
  }
});

test('no two triangles of the texture layout overlap, and all lie in the unit square', () => {
  assert.ok(head.uvs.every((value) => value >= 0 && value <= 1));
  const owners = new Uint8Array(SIZE * SIZE);
  for (let t = 0; t < head.triangleParts.length; t++) countTexels(t, owners);
  assert.equal(
    owners.findIndex((count) => count > 1),
    -1,
  );
});

test('the outer corners of the eyes lie at least 300 texels apart in 1024', () => {
  // The lids' corners: where the skin's chart comes nearest to the eyeballs' sides.
  const eyes = eyeCharts(head);
  assert.ok(eyes.left.pupilUv[0] > eyes.right.pupilUv[0]);
  const spread = [1, -1].map((side) => outerCornerU(side));
  assert.ok(spread[0]! - spread[1]! >= 300, `${spread[0]! - spread[1]!} texels`);
});

test('the eyes, the mouth and the teeth have at least 1,000 texels each of a 1024 texture', () => {
  for (const part of ['leftEyeball', 'rightEyeball', 'mouthCavity', 'upperTeeth', 'lowerTeeth', 'tongue']) {
    let area = 0;
    for (const [t, own] of head.triangleParts.entries()) {
      if (PART_NAMES[own] === part) area += Math.abs(doubledArea(cornersOf(t))) / 2;
    }
    assert.ok(area >= 1000, `${part}: ${area} texels`);
  }
});

function cornersOf(triangle: number): [number, number][] {
  return [0, 1, 2].map((corner) => {
    const at = head.uvTriangles[3 * triangle + corner]!;
    return [head.uvs[2 * at]! * SIZE, head.uvs[2 * at + 1]! * SIZE] as [number, number];
  });
}

function doubledArea([a, b, c]: [number, number][]): number {
  return (b![0] - a![0]) * (c![1] - a![1]) - (c![0] - a![0]) * (b![1] - a![1]);
}

/** Counts the texels whose centres lie inside, away from the edges. */
function countTexels(triangle: number, owners: Uint8Array): void {
  const corners = cornersOf(triangle);
  const area = doubledArea(corners);
  const low = (axis: 0 | 1): number => Math.floor(Math.min(...corners.map((p) => p[axis])));
  const high = (axis: 0 | 1): number => Math.ceil(Math.max(...corners.map((p) => p[axis])));
  for (let y = low(1); y <= high(1); y++) {
    for (let x = low(0); x <= high(0); x++) {
      const centre: [number, number] = [x + 0.5, y + 0.5];
      const isInside = corners.every(
        (from, i) => doubledArea([from, corners[(i + 1) % 3]!, centre]) / area > 1e-4,
      );
      if (isInside) owners[y * SIZE + x]! += 1;
    }
  }
}

/** The texel column of the lid margin's outermost vertex on one side: where skin meets the eye socket's chart. */
function outerCornerU(side: number): number {
  const eyeY = head.template[3 * pupilVertex(side) + 1]!;
  let best = { x: 0, column: 0 };
  const seen = new Map<number, number>();
  for (let c = 0; c < head.triangles.length; c++) {
    const [v, at] = [head.triangles[c]!, head.uvTriangles[c]!];
    const [x, y, z] = [0, 1, 2].map((axis) => head.template[3 * v + axis]!) as [number, number, number];
    if (PART_NAMES[head.triangleParts[Math.floor(c / 3)]!] !== 'skin') continue;
    if (x * side < 0.01 || Math.abs(y - eyeY) > 0.02 || z < -0.005 || Math.abs(x) > 0.055) continue;
    const other = seen.get(v);
    if (other === undefined) seen.set(v, at);
    else if (other !== at) {
      // A vertex with two texture vertices lies on a seam; near the eye that is the lid's margin.
      const inFace = head.uvs[2 * other]! < 0.7 ? other : at;
      if (x * side > best.x) best = { x: x * side, column: head.uvs[2 * inFace]! * SIZE };
    }
  }
  return best.column;
}

function pupilVertex(side: number): number {
  const depth = (v: number): number => head.template[3 * v + 2]!;
  const ball = verticesOfParts(head, side > 0 ? 'leftEyeball' : 'rightEyeball');
  return ball.reduce((front, v) => (depth(v) > depth(front) ? v : front));
}

test('no component of the identity turns the face', () => {
  // Along the face's middle the mean head's points and a component's, less growth and shift, about the x axis.
  const places = head.landmarks!.triangles.length;
  const onSurface = (values: Float32Array, first: number, l: number, axis: number): number =>
    [0, 1, 2].reduce((sum, corner) => {
      const v = head.triangles[3 * head.landmarks!.triangles[l]! + corner]!;
      return sum + head.landmarks!.barycentrics[3 * l + corner]! * values[first + 3 * v + axis]!;
    }, 0);
  let square = 0;
  for (let k = 0; k < head.identityCount; k++) {
    const first = k * head.template.length;
    const rows = Array.from({ length: places }, (_, l) => ({
      place: [1, 2].map((axis) => onSurface(head.template, 0, l, axis)),
      move: [1, 2].map((axis) => onSurface(head.identityBasis, first, l, axis)),
    }));
    const mean = (of: (row: (typeof rows)[number]) => number): number =>
      rows.reduce((sum, row) => sum + of(row), 0) / places;
    const middle = [0, 1].map((i) => mean(({ place }) => place[i]!));
    const arm = ({ place }: (typeof rows)[number], i: number): number => place[i]! - middle[i]!;
    const turned = mean((row) => arm(row, 0) * row.move[1]! - arm(row, 1) * row.move[0]!);
    square += (turned / mean((row) => arm(row, 0) ** 2 + arm(row, 1) ** 2)) ** 2;
  }
  const degrees = (180 / Math.PI) * Math.sqrt(square);
  assert.ok(degrees < 1, `landmarks nod by ${degrees} degrees over people`);
});

test('no component of the identity turns the eyes: they grow and shift', () => {
  for (const name of ['leftEyeball', 'rightEyeball'] as const) {
    const [first, ...others] = [...verticesOfParts(head, name)] as [number, ...number[]];
    for (let k = 0; k < head.identityCount; k++) {
      const row = head.identityBasis.subarray(k * head.template.length, (k + 1) * head.template.length);
      const between = (values: Float32Array): number[] =>
        others.flatMap((v) => [0, 1, 2].map((axis) => values[3 * v + axis]! - values[3 * first + axis]!));
      const [places, moves] = [between(head.template), between(row)];
      const dot = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
      const growth = dot(places, moves) / dot(places, places);
      const most = Math.max(...moves.map((value, i) => Math.abs(value - growth * places[i]!)));
      assert.ok(most < 5e-6, `component ${k} distorts the ${name} by ${most} m`);
    }
  }
});
