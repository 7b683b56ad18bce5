// A head's turn as its picture shows it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multiplyRotations, rotationFromAxisAngle } from '../../src/geometry/index.ts';
import { apparentTurn, faceRay, rotationOfTurn } from '../../src/tracking/apparent-turn.ts';
import { hingeRotation } from '../../src/tracking/head-state.ts';

const CENTRE = { xPx: 128, yPx: 128 };

/** Landmarks of which only the nose counts: its bridge and its base in one place. */
function faceAt(xPx: number, yPx: number): Float32Array {
  const landmarks = new Float32Array(2 * 478);
  for (const l of [168, 2]) landmarks.set([xPx, yPx], 2 * l);
  return landmarks;
}

function assertClose(found: ArrayLike<number>, expected: readonly number[]): void {
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(found[i]! - value) < 1e-9, `${found}`);
}

test('a head that looks into the camera from the side of the picture does not seem turned', () => {
  const ray = faceRay(faceAt(228, 78), CENTRE, 500);
  // It stands 0.2 to the right and 0.1 above at a depth of 1: to look into the camera is to look left and down.
  const scale = 1 / Math.hypot(0.2, 0.1, 1);
  assertClose([ray[2]!, ray[5]!, ray[8]!], [-0.2 * scale, -0.1 * scale, scale]);
  const { yaw, pitch, roll } = apparentTurn(ray, ray);
  assertClose([yaw, pitch, roll], [0, 0, 0]);
});

test('a picture that is turned shows the same yaw and pitch', () => {
  const ray = faceRay(faceAt(128, 128), CENTRE, 500);
  const head = hingeRotation(0.5, -0.2);
  const turned = multiplyRotations(rotationFromAxisAngle([0, 0, 0.4]), head);
  const { yaw, pitch, roll } = apparentTurn(turned, ray);
  assertClose([yaw, pitch, roll], [0.5, -0.2, 0.4]);
});

test('a turn taken apart and put together is the rotation', () => {
  const ray = faceRay(faceAt(30, 200), CENTRE, 400);
  const rotation = rotationFromAxisAngle([0.2, -0.7, 0.3]);
  assertClose(rotationOfTurn(apparentTurn(rotation, ray), ray), [...rotation]);
});
