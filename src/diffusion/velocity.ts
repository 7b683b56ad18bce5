// v-prediction: what the network predicts, and the way between v, the clean signal and the noise.
// Source: Salimans and Ho, "Progressive distillation", 2022 (appendix D). With mixture (a, s):
//   x_t = a x_0 + s eps,   v = a eps - s x_0,   x_0 = a x_t - s v,   eps = s x_t + a v.

import type { Mixture } from './schedule.ts';

/** x_t of a clean signal and noise. */
export function addNoise(clean: Float32Array, noise: Float32Array, at: Mixture): Float32Array {
  return clean.map((x, i) => at.signal * x + at.noise * noise[i]!);
}

/** v of a clean signal and noise: the training target. */
export function velocityOf(clean: Float32Array, noise: Float32Array, at: Mixture): Float32Array {
  return clean.map((x, i) => at.signal * noise[i]! - at.noise * x);
}

/** The clean signal that x_t and v imply. */
export function cleanFrom(noisy: Float32Array, velocity: Float32Array, at: Mixture): Float32Array {
  return noisy.map((x, i) => at.signal * x - at.noise * velocity[i]!);
}

/** The noise that x_t and v imply. */
export function noiseFrom(noisy: Float32Array, velocity: Float32Array, at: Mixture): Float32Array {
  return noisy.map((x, i) => at.noise * x + at.signal * velocity[i]!);
}
