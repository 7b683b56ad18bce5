// The SIMD kernel against the plain reference on random scenes; edge-cases.test.ts has the hard ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadInputError, FaultError } from '../../src/errors/index.ts';
import type { SplatScene } from '../../src/gaussians/index.ts';
import { Splatter, splatReference, splatReferenceBackward } from '../../src/gaussians/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { tensor } from '../../src/tensor/index.ts';
import type { SceneOptions } from './random-scenes.ts';
import { randomScene, randomValues, relativeDifference } from './random-scenes.ts';

const TOLERANCE = 1e-4;
// Seeds whose pixels are all away from the cuts: at alpha = 1/255 float32 may decide otherwise than float64.
const CASES: readonly SceneOptions[] = [
  { seed: 1, count: 300, channels: 1, width: 33, height: 47 },
  { seed: 2, count: 800, channels: 3, width: 64, height: 50 },
  { seed: 12, count: 1000, channels: 8, width: 64, height: 64 },
  { seed: 4, count: 600, channels: 12, width: 90, height: 31 },
  { seed: 15, count: 500, channels: 32, width: 61, height: 40 },
  { seed: 21, count: 300, channels: 1, width: 33, height: 47, isTurned: true },
  { seed: 22, count: 800, channels: 8, width: 64, height: 50, isTurned: true },
];
const GRADIENTS = ['means', 'scales', 'rotations', 'opacities', 'features'] as const;

/** The largest relative difference of any image or gradient between kernel and reference. */
function worstDifference(scene: SplatScene, splatter = new Splatter()): number {
  const { width, height } = scene.camera;
  const features = randomValues(7, scene.channels * width * height);
  const alpha = randomValues(8, width * height);
  const images = splatter.forward(scene);
  const gradients = splatter.backward({
    features: tensor(features, [scene.channels, height, width]),
    alpha: tensor(alpha, [height, width]),
  });
  const expected = splatReference(scene);
  const expectedGradients = splatReferenceBackward(scene, { features, alpha });
  return Math.max(
    relativeDifference(images.features.data, expected.features),
    relativeDifference(images.alpha.data, expected.alpha),
    ...GRADIENTS.map((name) => relativeDifference(gradients[name] ?? [], expectedGradients[name] ?? [])),
  );
}

for (const options of CASES) {
  const { channels, width, height, isTurned = false } = options;
  test(`kernel and reference agree on ${channels} channels${isTurned ? ' of ellipsoids' : ''} at ${width} x ${height}, forward and backward`, () => {
    const difference = worstDifference(randomScene(options));
    assert.ok(difference <= TOLERANCE, `${difference}`);
  });
}

test('one splatter serves scenes of changing size, one after the other', () => {
  const splatter = new Splatter();
  const [small, , large] = CASES;
  for (const options of [small!, CASES.at(-2)!, large!, small!]) {
    const difference = worstDifference(randomScene(options), splatter);
    assert.ok(difference <= TOLERANCE, `${difference}`);
  }
});

test('kernel and reference agree where pixels are finished early', () => {
  const scene = randomScene({ seed: 6, count: 1500, channels: 4, width: 32, height: 32 });
  scene.opacities.fill(0.97);
  const finished = splatReference(scene).alpha.filter((value) => value > 0.99).length;
  assert.ok(finished > 500, `${finished} pixels nearly opaque`);
  assert.ok(worstDifference(scene) <= TOLERANCE);
});

test('kernel and reference agree where alpha is capped at 0.99', () => {
  const scene = randomScene({ seed: 9, count: 40, channels: 3, width: 32, height: 32 });
  scene.opacities.fill(1);
  assert.ok(worstDifference(scene) <= TOLERANCE);
});

test('without a gradient of alpha it counts as zero', () => {
  const scene = randomScene(CASES[1]!);
  const splatter = new Splatter();
  splatter.forward(scene);
  const features = tensor<'C H W'>(randomValues(7, 3 * 64 * 50), [3, 50, 64]);
  const alone = splatter.backward({ features });
  const withZeros = splatter.backward({ features, alpha: tensor(new Float32Array(64 * 50), [50, 64]) });
  assert.deepEqual(alone, withZeros);
});

test('the same scene gives the same bits, and images may be reused', () => {
  const scene = randomScene(CASES[2]!);
  const splatter = new Splatter();
  const first = splatter.forward(scene);
  const again = new Splatter().forward(scene);
  assert.deepEqual(again, first);
  splatter.forward(randomScene(CASES[1]!));
  again.features.data.fill(Number.NaN);
  again.alpha.data.fill(Number.NaN);
  assert.equal(splatter.forward(scene, again), again);
  assert.deepEqual(again, first);
});

test('an empty scene is an empty image with empty gradients', () => {
  const none = new Float32Array(0);
  const scene = { means: none, scales: none, opacities: none, features: none };
  const splatter = new Splatter();
  const images = splatter.forward({ ...scene, camera: frontCamera(20, 12, 30), channels: 5 });
  assert.deepEqual(images.features.shape, [5, 12, 20]);
  assert.ok(images.features.data.every((value) => value === 0));
  assert.ok(images.alpha.data.every((value) => value === 0));
  assert.equal(splatter.backward({ features: images.features }).means.length, 0);
});

test('a scene whose arrays do not fit is refused with what was expected', () => {
  const scene = randomScene(CASES[0]!);
  const short = { ...scene, scales: scene.scales.subarray(1) };
  assert.throws(() => new Splatter().forward(short), {
    constructor: BadInputError,
    message: /300 values of scales for 300 opacities, got 299/,
  });
});

test('asking for a gradient before any scene is a fault', () => {
  const gradient = tensor<'C H W'>(new Float32Array(1), [1, 1, 1]);
  assert.throws(() => new Splatter().backward({ features: gradient }), FaultError);
});
