// The diffusion formulas: known values of the schedule, laws of v-prediction and of the sampler.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addNoise,
  cleanFrom,
  createSchedule,
  ddimStep,
  guide,
  minSnrWeight,
  mixtureAt,
  noiseFrom,
  trailingTimesteps,
  velocityOf,
} from '../../src/diffusion/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

const schedule = createSchedule();
const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void => {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance, `${i}: ${actual[i]} against ${expected[i]}`);
  }
};
const normals = (seed: number): Float32Array => createRandom(seed).fillNormal(new Float32Array(64));

test('the first step keeps 1 - beta of the signal and the last keeps none', () => {
  near([schedule.alphasCumprod[0]!], [0.99915], 1e-12);
  assert.equal(schedule.alphasCumprod[999], 0);
});

test('without the rescale the last alpha is that of Stable Diffusion', () => {
  const plain = createSchedule({ hasZeroTerminalSnr: false });
  near([plain.alphasCumprod[999]!], [0.0046601], 1e-6);
});

test('the signal falls at every step', () => {
  for (let t = 1; t < schedule.steps; t++) {
    assert.ok(schedule.alphasCumprod[t]! < schedule.alphasCumprod[t - 1]!);
  }
});

test('trailing spacing starts at the last training step', () => {
  assert.deepEqual(trailingTimesteps(schedule, 4), [999, 749, 499, 249]);
  const twenty = trailingTimesteps(schedule, 20);
  assert.deepEqual([twenty[0], twenty[1], twenty[19]], [999, 949, 49]);
  assert.throws(() => trailingTimesteps(schedule, 0), /sampling steps/);
});

test('v gives back the clean signal and the noise', () => {
  const [clean, noise] = [normals(1), normals(2)];
  for (const t of [0, 250, 777, 999]) {
    const at = mixtureAt(schedule, t);
    const noisy = addNoise(clean, noise, at);
    const velocity = velocityOf(clean, noise, at);
    near(cleanFrom(noisy, velocity, at), clean, 1e-5);
    near(noiseFrom(noisy, velocity, at), noise, 1e-5);
  }
});

test('at the last step v is the clean signal with its sign turned', () => {
  const clean = normals(3);
  near(
    velocityOf(clean, normals(4), mixtureAt(schedule, 999)),
    clean.map((x) => -x),
    1e-6,
  );
});

test('DDIM with a perfect prediction walks from pure noise to the clean signal', () => {
  const [clean, noise] = [normals(5), normals(6)];
  const times = trailingTimesteps(schedule, 4);
  let x = addNoise(clean, noise, mixtureAt(schedule, times[0]!));
  for (const [i, t] of times.entries()) {
    const from = mixtureAt(schedule, t);
    x = ddimStep(x, velocityOf(clean, noise, from), { from, to: mixtureAt(schedule, times[i + 1] ?? -1) });
  }
  near(x, clean, 1e-4);
});

test('guidance of scale 1 is the conditional prediction, of 0 the unconditional', () => {
  const [c, u] = [normals(7), normals(8)];
  near(guide(c, u, 1), c, 1e-6);
  near(guide(c, u, 0), u, 1e-6);
});

test('min-SNR weighs noisy steps by 1 and nearly clean ones less', () => {
  assert.equal(minSnrWeight(schedule, 999), 1);
  assert.equal(minSnrWeight(schedule, 700), 1);
  const alpha = schedule.alphasCumprod[0]!;
  near([minSnrWeight(schedule, 0)], [6 * (1 - alpha)], 1e-9);
});
