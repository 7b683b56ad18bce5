// How noise is mixed in over the diffusion time: x_t = signal(t) x_0 + noise(t) eps, with
// signal^2 + noise^2 = 1. One schedule for training and inference.
// Sources: Ho et al. 2020 (eq. 4); Lin et al., "Common diffusion noise schedules and sample steps are
// flawed", 2023 (algorithm 1: zero terminal SNR; table 2: trailing spacing).

import { BadInputError } from '../errors/index.ts';

/** The noise schedule over the training steps. */
export type NoiseSchedule = {
  /** Number of training steps. */
  readonly steps: number;
  /** `steps`: the square of the signal's share, "alpha bar"; falls to 0 at the last step. */
  readonly alphasCumprod: Float64Array;
};

/** Options of `createSchedule`; the defaults are Stable Diffusion's betas. */
export type ScheduleOptions = {
  readonly steps?: number;
  readonly betaStart?: number;
  readonly betaEnd?: number;
  /** Rescale so that the last step is pure noise; the default is true. */
  readonly hasZeroTerminalSnr?: boolean;
};

/** A scaled-linear schedule: the square roots of the betas are linear. */
export function createSchedule({
  steps = 1000,
  betaStart = 0.00085,
  betaEnd = 0.012,
  hasZeroTerminalSnr = true,
}: ScheduleOptions = {}): NoiseSchedule {
  const signals = new Float64Array(steps);
  let product = 1;
  for (let t = 0; t < steps; t++) {
    const share = steps === 1 ? 1 : t / (steps - 1);
    product *= 1 - (Math.sqrt(betaStart) + (Math.sqrt(betaEnd) - Math.sqrt(betaStart)) * share) ** 2;
    signals[t] = Math.sqrt(product);
  }
  const first = signals[0]!;
  const last = hasZeroTerminalSnr ? signals[steps - 1]! : 0;
  return { steps, alphasCumprod: signals.map((s) => (((s - last) * first) / (first - last)) ** 2) };
}

/** What the clean signal and the noise are multiplied by at a step. */
export type Mixture = { readonly signal: number; readonly noise: number };

/** The mixture at a training step; before step 0 the signal is clean. */
export function mixtureAt({ alphasCumprod }: NoiseSchedule, step: number): Mixture {
  const alpha = step < 0 ? 1 : alphasCumprod[step]!;
  return { signal: Math.sqrt(alpha), noise: Math.sqrt(1 - alpha) };
}

/** The training steps that a sampler visits, from the noisiest down, spaced to end at the last step. */
export function trailingTimesteps({ steps }: NoiseSchedule, count: number): number[] {
  if (!Number.isInteger(count) || count < 1 || count > steps) {
    throw new BadInputError({
      code: 'sampler-steps',
      message: `expected 1 to ${steps} sampling steps, got ${count}`,
      hint: 'choose a whole number, e.g. 4 or 20',
    });
  }
  return Array.from({ length: count }, (_, i) => Math.round(steps - (i * steps) / count) - 1);
}

/**
 * How much the v loss at a step counts: min-SNR-gamma (Hang et al. 2023).
 * Departs: the usual v form, min(SNR, gamma) / (SNR + 1), is zero at zero SNR, the very step from which
 * every sample starts. Counted as (min(SNR, gamma) + 1) / (SNR + 1), steps below gamma weigh 1.
 */
export function minSnrWeight(schedule: NoiseSchedule, step: number, gamma = 5): number {
  const alpha = schedule.alphasCumprod[step]!;
  const snr = alpha / (1 - alpha);
  return (Math.min(snr, gamma) + 1) / (snr + 1);
}
