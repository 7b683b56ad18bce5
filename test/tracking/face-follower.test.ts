// Where a detected face is looked at, when the box alone does not show it to the network.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DetectedFace } from '../../src/tracking/face-detector.ts';
import { createFaceFollower } from '../../src/tracking/face-follower.ts';
import type { FaceRegion } from '../../src/tracking/face-region.ts';

const PICTURE = { width: 200, height: 200, data: new Uint8Array(3 * 200 * 200) };

/** A box of 80 pixels; the nose lies on the given side of the ears. */
function profile(noseX: number): DetectedFace {
  const keyPointsPx = [
    [noseX - 2, 90],
    [noseX + 2, 96],
    [noseX, 100],
    [noseX, 120],
    [100, 100],
    [100, 100],
  ] as const;
  return { score: 0.9, leftPx: 60, topPx: 60, rightPx: 140, bottomPx: 140, keyPointsPx };
}

/** Sees a face in regions whose centre lies where `sees` says; landmarks spread over the region. */
function networkThatSees(sees: (region: FaceRegion) => number) {
  const looks: FaceRegion[] = [];
  return {
    looks,
    async locate(_: unknown, region: FaceRegion) {
      looks.push(region);
      const landmarksPx = Float32Array.from({ length: 2 * 478 }, (_, i) => {
        const [k, size] = [i >> 1, region.sizePx / 1.5];
        const along = i % 2 === 0 ? (k % 22) / 21 : Math.floor(k / 22) / 21;
        return (i % 2 === 0 ? region.centreXPx : region.centreYPx) + size * (along - 0.5);
      });
      return { landmarksPx, presence: sees(region), eyes: new Uint8Array() };
    },
    async [Symbol.asyncDispose]() {},
  };
}

const detectorOf = (face: DetectedFace) => ({
  detect: async () => [face],
  async [Symbol.asyncDispose]() {},
});

test('a head in profile is looked for on the side of its nose, with the head level', async () => {
  for (const side of [-1, 1]) {
    const network = networkThatSees(({ centreXPx, rollRadians }) =>
      side * (centreXPx - 100) > 10 && Math.abs(rollRadians) < 1 ? 0.9 : 0,
    );
    const follower = createFaceFollower(detectorOf(profile(100 + 35 * side)), network);
    const found = await follower.next(PICTURE);
    assert.equal(found?.presence, 0.9);
    // The box, which is turned as the eyes seem to be; then beside it, level; then the landmarks' own region.
    assert.equal(network.looks.length, 3);
    assert.equal(network.looks[0]!.centreXPx, 100);
    assert.ok(network.looks[0]!.rollRadians > 0.9);
    assert.equal(network.looks[1]!.rollRadians, 0);
    assert.ok(Math.abs(network.looks[1]!.centreXPx - (100 + side * 0.15 * 120)) < 1e-9);
  }
});

test('what no region shows is no face', async () => {
  const network = networkThatSees(() => 0.1);
  assert.equal(await createFaceFollower(detectorOf(profile(130)), network).next(PICTURE), null);
  assert.equal(network.looks.length, 3);
});
