// Masks and maps of rendered subjects: what lies in what, and that they agree with the posed mesh.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createHeadMirror, mirrorCamera } from '../../src/dataset/index.ts';
import { projectPoint } from '../../src/geometry/index.ts';
import { decodeHead, JOINT_NAMES, PART_NAMES } from '../../src/head/index.ts';
import {
  createRenderTools,
  createSubject,
  placeSubject,
  type RenderedSubject,
  renderSubject,
  type Subject,
  sampleMotion,
} from '../../src/synthesis/index.ts';
import { layLidsOverEyes } from '../../src/synthesis/lids-over-eyes.ts';
import { createRandom } from '../../src/tensor/index.ts';

const HEAD = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);
const tools = createRenderTools(HEAD);
const SIZE = 96;

function view(seed: number, subject = createSubject(seed, tools)): RenderedSubject {
  const motion = sampleMotion(createRandom(seed), HEAD, { yawDegrees: 40 });
  return renderSubject(tools, subject, { ...placeSubject(subject.traits, motion, SIZE), hasMaps: true });
}

/** The head alone, without hair and whatever else is put on. */
function bare(seed: number): Subject {
  return { ...createSubject(seed, tools), pieces: [] };
}

const area = (mask: Uint8Array): number => mask.reduce((sum, value) => sum + value, 0) / 255;

test('eyes and mouth lie in the face, face in the head, face and hair share no sample, all lie in the person', () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const { head, person, face, hair, eyes, mouth } = view(seed).masks;
    for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
      // Shares of four samples, rounded each by itself.
      assert.ok(eyes[pixel]! + mouth[pixel]! <= face[pixel]! + 1, `seed ${seed}`);
      assert.ok(face[pixel]! <= head[pixel]! && head[pixel]! <= person[pixel]!, `seed ${seed}`);
      assert.ok(face[pixel]! + hair[pixel]! <= person[pixel]! + 1, `seed ${seed}`);
    }
    const share = area(face) / area(head);
    assert.ok(share > 0.15 && share < 0.8, `seed ${seed}: the face is ${share} of the head`);
    assert.ok(area(mouth) > 0.01 * area(face) && area(mouth) < 0.25 * area(face), `seed ${seed}`);
    assert.ok(area(eyes) < 0.1 * area(face), `seed ${seed}`);
  }
});

test('landmarks of cheeks, nose and chin lie in the face, those of lips in the mouth, the throat in neither', () => {
  const subject = bare(8);
  const atRest = {
    expression: new Float32Array(HEAD.expressionNames.length),
    jointRotations: new Float32Array(3 * JOINT_NAMES.length),
  };
  const placed = placeSubject(subject.traits, atRest, SIZE);
  const { masks, maps } = renderSubject(tools, subject, { ...placed, hasMaps: true });
  const vertices = tools.poser.pose(placed.parameters);
  const { landmarks, triangles } = HEAD;
  const pixelOf = (landmark: number): number => {
    const point = [0, 1, 2].map((axis) =>
      [0, 1, 2].reduce((sum, corner) => {
        const vertex = triangles[3 * landmarks!.triangles[landmark]! + corner]!;
        return sum + landmarks!.barycentrics[3 * landmark + corner]! * vertices[3 * vertex + axis]!;
      }, 0),
    );
    const [x, y] = projectPoint(placed.camera, point);
    return Math.floor(y) * SIZE + Math.floor(x);
  };
  for (const landmark of [4, 9, 50, 280, 199]) {
    assert.equal(masks.face[pixelOf(landmark)], 255, `landmark ${landmark}`);
    assert.equal(masks.mouth[pixelOf(landmark)], 0, `landmark ${landmark}`);
    // Drawn where it is: half a pixel away at most.
    assert.ok(maps!.landmarks[pixelOf(landmark)]! > 0.3, `landmark ${landmark}`);
  }
  // The middle of the lower lip.
  assert.ok(masks.mouth[pixelOf(17)]! > 100 || masks.mouth[pixelOf(16)]! > 100);
  const throat = pixelOf(152) + Math.round(0.1 * SIZE) * SIZE;
  assert.deepEqual([masks.face[throat], masks.person[throat]], [0, 255]);
});

test('normals are unit vectors that face the camera, and lie where depths do', () => {
  for (const seed of [1, 2, 3]) {
    const { maps, camera, masks } = view(seed);
    for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
      const [x, y, z] = maps!.normals.subarray(3 * pixel, 3 * pixel + 3) as unknown as [
        number,
        number,
        number,
      ];
      const length = Math.hypot(x, y, z);
      assert.equal(maps!.depths[pixel]! > 0, length > 0);
      if (masks.face[pixel] === 255) assert.ok(length > 0, `seed ${seed}, pixel ${pixel}`);
      if (length === 0) continue;
      assert.ok(Math.abs(length - 1) < 1e-5);
      const column = ((pixel % SIZE) + 0.5 - camera.centreXPx) / camera.focalXPx;
      const row = (Math.floor(pixel / SIZE) + 0.5 - camera.centreYPx) / camera.focalYPx;
      assert.ok(x * column + y * row + z < 1e-6, `seed ${seed}, pixel ${pixel}`);
    }
  }
});

test('the depths of a bare head are those of its posed mesh, and its normals those of the surface they form', () => {
  const { maps, masks, camera, parameters } = view(5, bare(5));
  const vertices = tools.poser.pose(parameters);
  layLidsOverEyes(HEAD, vertices);
  // Lashes are cut out of cards.
  const isCard = (i: number): boolean =>
    HEAD.triangleParts[Math.floor(i / 3)] === PART_NAMES.indexOf('lashes');
  const triangles = HEAD.triangles.filter((_, i) => !isCard(i));
  const { depths } = tools.rasteriser.rasterise({ camera, vertices, triangles });
  const inner = (pixel: number): boolean =>
    [0, 1, -1, SIZE, -SIZE].every((step) => masks.face[pixel + step] === 255 && !masks.eyes[pixel + step]);
  let [compared, aligned] = [0, 0];
  for (let pixel = SIZE; pixel < SIZE * (SIZE - 1); pixel++) {
    if (!inner(pixel)) continue;
    assert.ok(Math.abs(maps!.depths[pixel]! - depths[pixel]!) < 1e-5);
    const at = (step: number): number[] => {
      const depth = maps!.depths[pixel + step]!;
      const [x, y] = [(pixel + step) % SIZE, Math.floor((pixel + step) / SIZE)];
      return [
        ((x + 0.5 - camera.centreXPx) / camera.focalXPx) * depth,
        ((y + 0.5 - camera.centreYPx) / camera.focalYPx) * depth,
        depth,
      ];
    };
    const [right, left, down, up] = [at(1), at(-1), at(SIZE), at(-SIZE)];
    const [u, v] = [right.map((value, k) => value - left[k]!), down.map((value, k) => value - up[k]!)];
    // v x u faces the camera, as z points away from it.
    const cross = [0, 1, 2].map((k) => v[(k + 1) % 3]! * u[(k + 2) % 3]! - v[(k + 2) % 3]! * u[(k + 1) % 3]!);
    const cosine = cross.reduce((sum, value, k) => sum + value * maps!.normals[3 * pixel + k]!, 0);
    compared++;
    if (cosine / Math.hypot(...cross) > 0.95) aligned++;
  }
  assert.ok(compared > 300, `${compared} pixels`);
  assert.ok(aligned > 0.9 * compared, `${aligned} of ${compared}`);
});

test('the mirrored head before the mirrored camera has the mirrored masks and maps', () => {
  const mirror = createHeadMirror(HEAD);
  const subject = bare(9);
  const motion = sampleMotion(createRandom(4), HEAD, { yawDegrees: 30 });
  const placed = placeSubject(subject.traits, motion, SIZE);
  const one = renderSubject(tools, subject, { ...placed, hasMaps: true });
  const other = renderSubject(tools, subject, {
    parameters: mirror.mirror(placed.parameters),
    camera: mirrorCamera(placed.camera),
    hasMaps: true,
  });
  const opposite = (pixel: number): number => pixel - (pixel % SIZE) + SIZE - 1 - (pixel % SIZE);
  for (const name of ['face', 'eyes', 'mouth'] as const) {
    const [a, b] = [one.masks[name], other.masks[name]];
    const difference = a.reduce((sum, value, pixel) => sum + Math.abs(value - b[opposite(pixel)]!), 0) / 255;
    assert.ok(difference < 0.05 * area(a), `${name}: ${difference} of ${area(a)} pixels differ`);
  }
  let [far, compared] = [0, 0];
  for (const [pixel, value] of one.masks.face.entries()) {
    if (value < 255 || other.masks.face[opposite(pixel)]! < 255) continue;
    compared++;
    const isNear = Math.abs(one.maps!.depths[pixel]! - other.maps!.depths[opposite(pixel)]!) < 0.002;
    const isTurned =
      Math.abs(one.maps!.normals[3 * pixel]! + other.maps!.normals[3 * opposite(pixel)]!) < 0.1;
    if (!isNear || !isTurned) far++;
  }
  assert.ok(compared > 300 && far < 0.05 * compared, `${far} of ${compared}`);
});
