import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WindowSampler } from '../../src/avatar/window-sampler.ts';
import { createSchedule, sample } from '../../src/diffusion/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

const schedule = createSchedule();
const LATENT = 5;
const noise = createRandom(3).fillNormal(new Float32Array(LATENT));
const steps = 4;
// v of a network that believes every clean value to be 0.5 at zero signal: any smooth map will do.
const predictEach = (noisy: Float32Array, t: number): Float32Array =>
  noisy.map((value) => Math.tanh(value) - t / 2000);
const predict = async (noisy: Float32Array, t: number): Promise<Float32Array> => predictEach(noisy, t);

test('a window of frames without memory equals each frame sampled by itself', async () => {
  const sampler = new WindowSampler({ schedule, steps, windowFrames: 3, overlapFrames: 0, noise });
  const alone = await sample(predict, { schedule, steps, noise });
  const window = await sampler.next(predict);
  for (let frame = 0; frame < 3; frame++) {
    assert.deepEqual(window.slice(frame * LATENT, (frame + 1) * LATENT), alone);
  }
});

test('the first window takes all its frames, later ones leave room for the overlap', async () => {
  const sampler = new WindowSampler({ schedule, steps, windowFrames: 4, overlapFrames: 1, noise });
  assert.equal(sampler.newFrames, 4);
  await sampler.next(predict);
  assert.equal(sampler.newFrames, 3);
});

test('frames of the overlap keep the path of the window before, whatever is predicted now', async () => {
  const sampler = new WindowSampler({ schedule, steps, windowFrames: 4, overlapFrames: 2, noise });
  const first = await sampler.next(predict);
  const seen: Float32Array[] = [];
  const second = await sampler.next(async (noisy) => {
    seen.push(noisy.slice(0, 2 * LATENT));
    return noisy.map(() => 9);
  });
  assert.deepEqual(second.slice(0, 2 * LATENT), first.slice(2 * LATENT));
  assert.equal(seen.length, steps);
  assert.notDeepEqual(second.slice(2 * LATENT, 3 * LATENT), first.slice(2 * LATENT, 3 * LATENT));
});
