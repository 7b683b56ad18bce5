// The splatting on a GPU against the float64 reference, and the edges of what it must take.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { GpuSplatter, SplatScene } from '../../src/gaussians/index.ts';
import { createGpuSplatter, splatReference, splatReferenceBackward } from '../../src/gaussians/index.ts';
import { tensor } from '../../src/tensor/index.ts';
import { openTestDevice } from '../webgpu/test-device.ts';
import type { SceneOptions } from './random-scenes.ts';
import { randomScene, randomValues, relativeDifference } from './random-scenes.ts';

const TOLERANCE = 1e-4;
const { skip, context } = await openTestDevice();
const splatter = skip === false ? createGpuSplatter(context().device) : (null as unknown as GpuSplatter);
after(() => splatter?.[Symbol.dispose]());

/** The largest relative difference of any image or gradient between GPU and reference. */
async function worstDifference(scene: SplatScene): Promise<number> {
  const { width, height } = scene.camera;
  const features = randomValues(7, scene.channels * width * height);
  const alpha = randomValues(8, width * height);
  const images = await splatter.forward(scene);
  const gradients = await splatter.backward({
    features: tensor(features, [scene.channels, height, width]),
    alpha: tensor(alpha, [height, width]),
  });
  const expected = splatReference(scene);
  const expectedGradients = splatReferenceBackward(scene, { features, alpha });
  const names = Object.keys(expectedGradients) as (keyof typeof expectedGradients)[];
  const differences = {
    image: relativeDifference(images.features.data, expected.features),
    alpha: relativeDifference(images.alpha.data, expected.alpha),
    ...Object.fromEntries(
      names.map((name) => [name, relativeDifference(gradients[name]!, expectedGradients[name]!)]),
    ),
  };
  if (process.env.SHOW) console.log(differences, splatter.times);
  return Math.max(...Object.values(differences));
}

const CASES: readonly SceneOptions[] = [
  { seed: 1, count: 300, channels: 1, width: 33, height: 47 },
  { seed: 2, count: 800, channels: 3, width: 64, height: 50 },
  { seed: 12, count: 1000, channels: 8, width: 64, height: 64 },
  { seed: 4, count: 600, channels: 12, width: 90, height: 31 },
  { seed: 5, count: 500, channels: 32, width: 48, height: 40 },
];

for (const options of CASES) {
  const { channels, width, height } = options;
  test(`GPU and reference agree on ${channels} channels at ${width} x ${height}, forward and backward`, {
    skip,
  }, async () => {
    const difference = await worstDifference(randomScene(options));
    assert.ok(difference <= TOLERANCE, `${difference}`);
  });
}
