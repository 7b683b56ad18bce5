// From noise to a sample: DDIM steps on v, and classifier-free guidance.
// Sources: Song et al., "Denoising diffusion implicit models", 2021 (eq. 12, eta = 0);
// Ho and Salimans, "Classifier-free diffusion guidance", 2022 (eq. 6).

import type { Mixture } from './schedule.ts';
import { addNoise, cleanFrom, noiseFrom } from './velocity.ts';

/** One deterministic step: what x_t becomes at the next mixture, given the predicted v. */
export function ddimStep(
  noisy: Float32Array,
  velocity: Float32Array,
  { from, to }: { from: Mixture; to: Mixture },
): Float32Array {
  return addNoise(cleanFrom(noisy, velocity, from), noiseFrom(noisy, velocity, from), to);
}

/** The guided prediction: away from the unconditional one by `scale`; 1 is the conditional one itself. */
export function guide(conditional: Float32Array, unconditional: Float32Array, scale: number): Float32Array {
  return conditional.map((c, i) => unconditional[i]! + scale * (c - unconditional[i]!));
}
