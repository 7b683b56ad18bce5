// A long motion in windows of a few frames: each window is denoised as one clip, and begins with the last
// frames of the window before, held on the path that they already took. So the temporal layers see what
// came before, and memory does not grow with the motion.
// Departs: public practice averages overlapping predictions, which needs all windows at once.

import type { NoiseSchedule } from '../diffusion/index.ts';
import { ddimStep, mixtureAt, trailingTimesteps } from '../diffusion/index.ts';

/** Predicts v of a whole window (`frames x latentLength` values) at a training step. */
export type WindowPredictor = (noisy: Float32Array, timestep: number) => Promise<Float32Array>;

/** What windows are sampled with. */
export type WindowSamplerOptions = {
  readonly schedule: NoiseSchedule;
  readonly steps: number;
  /** Frames of a window, and how many of them come from the window before. */
  readonly windowFrames: number;
  readonly overlapFrames: number;
  /** Where every frame starts: one frame of noise, the same for all, so that nothing flickers. */
  readonly noise: Float32Array;
};

/** Samples window after window. */
export class WindowSampler {
  readonly #options: WindowSamplerOptions;
  /** For each step the noisy latents of the latest window; empty before the first. */
  #path: Float32Array[] = [];

  constructor(options: WindowSamplerOptions) {
    this.#options = options;
  }

  /** How many new frames the next window takes. */
  get newFrames(): number {
    const { windowFrames, overlapFrames } = this.#options;
    return this.#path.length === 0 ? windowFrames : windowFrames - overlapFrames;
  }

  /** Denoises the next window; its clean latents, the overlap's first, are returned frame after frame. */
  async next(predict: WindowPredictor): Promise<Float32Array> {
    const { schedule, steps, windowFrames, noise } = this.#options;
    const held = this.#heldPath();
    const timesteps = trailingTimesteps(schedule, steps);
    const path: Float32Array[] = [];
    let latents = new Float32Array(windowFrames * noise.length);
    for (let frame = 0; frame < windowFrames; frame++) latents.set(noise, frame * noise.length);
    for (const [i, t] of timesteps.entries()) {
      latents.set(held[i] ?? []);
      path.push(latents);
      const velocity = await predict(latents, t);
      const [from, to] = [mixtureAt(schedule, t), mixtureAt(schedule, timesteps[i + 1] ?? -1)];
      latents = new Float32Array(ddimStep(latents, velocity, { from, to }));
    }
    latents.set(held[timesteps.length] ?? []);
    this.#path = [...path, latents];
    return latents;
  }

  #heldPath(): Float32Array[] {
    const { windowFrames, overlapFrames, noise } = this.#options;
    return this.#path.map((latents) => latents.slice((windowFrames - overlapFrames) * noise.length));
  }
}
