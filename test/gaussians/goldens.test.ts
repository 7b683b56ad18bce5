// Images and gradients of reference and kernel against what PyTorch's autograd gives through gsplat's own
// projection.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Splatter, splatReference, splatReferenceBackward } from '../../src/gaussians/index.ts';
import { tensor } from '../../src/tensor/index.ts';
import { differences, goldens, gradientOf } from './gsplat-goldens.ts';

const TOLERANCE = 1e-4;

for (const { name, golden } of goldens) {
  const { scene } = golden;
  const { width, height } = scene.camera;
  const { features, alpha } = gradientOf(golden);

  test(`the reference agrees with gsplat's projection and PyTorch's gradients: ${name}`, () => {
    const gradients = splatReferenceBackward(scene, { features, alpha });
    const found = differences(golden, splatReference(scene), gradients);
    assert.ok(
      Object.values(found).every((value) => value <= TOLERANCE),
      JSON.stringify(found),
    );
  });

  test(`the kernel agrees with gsplat's projection and PyTorch's gradients: ${name}`, () => {
    const splatter = new Splatter();
    const splatted = splatter.forward(scene);
    const gradients = splatter.backward({
      features: tensor(features, [scene.channels, height, width]),
      alpha: tensor(alpha, [height, width]),
    });
    const actual = { features: splatted.features.data, alpha: splatted.alpha.data };
    const found = differences(golden, actual, gradients);
    assert.ok(
      Object.values(found).every((value) => value <= TOLERANCE),
      JSON.stringify(found),
    );
  });
}

test('the goldens cover 1, 3, 8, 12 and 32 channels, balls and ellipsoids, and pixels that end early', () => {
  const scenes = goldens.map(({ golden }) => golden);
  assert.deepEqual(new Set(scenes.map(({ scene }) => scene.channels)), new Set([1, 3, 8, 12, 32]));
  assert.equal(new Set(scenes.map(({ scene }) => scene.rotations === undefined)).size, 2);
  assert.ok(scenes.some(({ finishedPixels }) => finishedPixels > 50));
});
