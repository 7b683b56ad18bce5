// The face's picture and the network that reads it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParameterSet } from '../../src/nn/index.ts';
import { createDevice, loadEmbeddedHead } from '../../src/node/index.ts';
import { input } from '../../src/tensor/index.ts';
import {
  createPatchReader,
  expressionNetwork,
  normalisePatch,
} from '../../src/tracking/expression-network.ts';
import { FACE_PATCH_SIZE, facePatch, patchPlaces } from '../../src/tracking/face-patch.ts';
import { createLandmarkModel } from '../../src/tracking/landmark-model.ts';
import { readingLength } from '../../src/tracking/learned-prior.ts';
import { createFaceMirror, landmarkPartners, mirroredPatch } from '../../src/tracking/mirrored-face.ts';

const [RIGHT_EYE, LEFT_EYE, BRIDGE, NOSE_BASE] = [33, 263, 168, 2];

/** Landmarks of a level face: eyes 60 pixels apart around (cx, cy), turned clockwise by `roll`. */
function landmarks(cx: number, cy: number, roll = 0): Float32Array {
  const points = new Float32Array(2 * 478);
  const put = (l: number, x: number, y: number): void => {
    points[2 * l] = cx + Math.cos(roll) * x - Math.sin(roll) * y;
    points[2 * l + 1] = cy + Math.sin(roll) * x + Math.cos(roll) * y;
  };
  put(RIGHT_EYE!, -30, 0);
  put(LEFT_EYE!, 30, 0);
  put(BRIDGE!, 0, 0);
  put(NOSE_BASE!, 0, 30);
  return points;
}

/** A smooth picture around a centre, turned. */
function picture(cx: number, cy: number, roll = 0) {
  const [width, height] = [256, 256];
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
      const level = Math.cos(roll) * dx + Math.sin(roll) * dy;
      const upright = Math.cos(roll) * dy - Math.sin(roll) * dx;
      data.fill(
        Math.round(128 + 60 * Math.sin(level / 9) + 50 * Math.cos(upright / 13)),
        3 * (y * width + x),
      );
    }
  }
  return { width, height, data };
}

test('a patch goes with the face: moved and turned pictures give the same one', () => {
  const upright = facePatch(picture(128, 110), landmarks(128, 110));
  const turned = facePatch(picture(120, 118, 0.3), landmarks(120, 118, 0.3));
  const worst = upright.reduce((most, v, i) => Math.max(most, Math.abs(v - turned[i]!)), 0);
  assert.ok(worst <= 4, `grey levels differ by ${worst}`);
  assert.ok(Math.max(...upright) - Math.min(...upright) > 150);
});

test('brightness and contrast leave a patch', () => {
  const patch = facePatch(picture(128, 110), landmarks(128, 110));
  const plain = new Float32Array(FACE_PATCH_SIZE ** 2);
  const dimmed = new Float32Array(FACE_PATCH_SIZE ** 2);
  normalisePatch(patch, plain);
  normalisePatch(
    patch.map((grey) => 40 + grey / 2),
    dimmed,
  );
  const mean = plain.reduce((sum, v) => sum + v, 0) / plain.length;
  assert.ok(Math.abs(mean) < 1e-3);
  const worst = plain.reduce((most, v, i) => Math.max(most, Math.abs(v - dimmed[i]!)), 0);
  assert.ok(worst < 0.3, `${worst}`);
});

test('a reader reads what the picture shows, and of its mirror image the mirrored values', async () => {
  const head = await loadEmbeddedHead();
  const parameters = createParameterSet();
  const patches = input('patches', [1, 1, FACE_PATCH_SIZE, FACE_PATCH_SIZE]);
  const places = input('landmarks', [1, 2 * head.landmarkWeights!.length]);
  expressionNetwork(parameters.scope, patches, places, readingLength(head));
  const model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
  const weights = parameters.initialise(1);
  await using reader = await createPatchReader(await createDevice('cpu'), model, weights);
  const seen = landmarks(128, 110).map((px, i) => px || 100 + ((37 * i) % 41));
  const patch = facePatch(picture(128, 110), seen);
  const first = await reader.read(patch, seen);
  const differs = (other: Float32Array) => first.some((value, i) => Math.abs(value - other[i]!) > 1e-4);
  assert.equal(first.length, readingLength(head));
  assert.ok(first.every(Number.isFinite));
  assert.ok(differs(await reader.read(facePatch(picture(128, 140), seen), seen)));
  assert.ok(differs(await reader.read(patch, landmarks(128, 110))));
  const partners = landmarkPartners(model);
  const mirroredPx = seen.map((_, i) => {
    const px = seen[2 * partners[i >> 1]! + (i % 2)]!;
    return i % 2 === 0 ? 256 - px : px;
  });
  const mirrored = await reader.read(mirroredPatch(patch), mirroredPx);
  for (const [i, value] of createFaceMirror(model).reading(mirrored).entries()) {
    assert.ok(Math.abs(value - first[i]!) < 1e-4, `value ${i}: ${first[i]} and mirrored ${value}`);
  }
});

test('landmarks lie in the patch where the face has them, however it is placed and rolled', () => {
  const upright = patchPlaces(landmarks(128, 110));
  const turned = patchPlaces(landmarks(90, 140, 0.4).map((px) => 1.5 * px));
  for (const l of [RIGHT_EYE!, LEFT_EYE!, BRIDGE!, NOSE_BASE!]) {
    for (const axis of [0, 1]) assert.ok(Math.abs(upright[2 * l + axis]! - turned[2 * l + axis]!) < 1e-5);
  }
  assert.ok(Math.abs(upright[2 * LEFT_EYE!]! - 30 / 78) < 1e-5);
});
