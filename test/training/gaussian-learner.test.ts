// The field learns from the gradient of its map alone, with one scale a Gaussian or three.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { frontCamera } from '../../src/geometry/index.ts';
import { decodeHead, neutralParameters } from '../../src/head/index.ts';
import { tensor } from '../../src/tensor/index.ts';
import { GaussianLearner } from '../../src/training/gaussian-learner.ts';

const head = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);
const neutral = neutralParameters(head);
const batch = [
  { head: { ...neutral, translation: Float32Array.of(0, 0, -0.75) }, camera: frontCamera(48, 48, 96) },
] as const;

for (const isAnisotropic of [false, true]) {
  const axes = isAnisotropic ? 'three scales' : 'one scale';
  test(`a field of ${axes} a Gaussian learns to give the map that is asked for`, () => {
    const learner = new GaussianLearner({ head, channels: 4, isAnisotropic, seed: 1, learningRate: 0.05 });
    const scales = learner.field.scale.data.slice();
    const errors: number[] = [];
    for (let step = 1; step <= 12; step++) {
      const map = learner.map(batch);
      const error = map.data.map((value) => value - 0.5);
      errors.push(error.reduce((sum, value) => sum + value * value, 0));
      learner.learn(tensor(error, map.shape), step);
    }
    assert.ok(errors.at(-1)! < 0.7 * errors[0]!, errors.join(' '));
    assert.ok(learner.field.scale.data.some((value, i) => Math.abs(value - scales[i]!) > 0.1));
    const { data } = learner.field.scale;
    const differ = data.some((value, i) => i % 3 === 1 && Math.abs(value - data[i - 1]!) > 0.05);
    assert.equal(differ && data.length === learner.field.opacity.data.length * 3, isAnisotropic);
  });
}
