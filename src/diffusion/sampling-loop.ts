// The whole way from noise to a sample, for any network that predicts v.

import { ddimStep } from './sampler.ts';
import type { NoiseSchedule } from './schedule.ts';
import { mixtureAt, trailingTimesteps } from './schedule.ts';

/** Predicts v of a noisy signal at a training step. */
export type VelocityPredictor = (noisy: Float32Array, timestep: number) => Promise<Float32Array>;

/**
 * Samples with DDIM over trailing steps.
 * @param noise standard normal: the start, and what makes the sample repeatable
 */
export async function sample(
  predict: VelocityPredictor,
  { schedule, steps, noise }: { schedule: NoiseSchedule; steps: number; noise: Float32Array },
): Promise<Float32Array> {
  const timesteps = trailingTimesteps(schedule, steps);
  let signal = noise;
  for (const [i, t] of timesteps.entries()) {
    const velocity = await predict(signal, t);
    const [from, to] = [mixtureAt(schedule, t), mixtureAt(schedule, timesteps[i + 1] ?? -1)];
    signal = ddimStep(signal, velocity, { from, to });
  }
  return signal;
}
