// Latents as the autoencoder makes them, and as the denoiser wants them: zero mean and unit variance over
// all channels together. One scale for all keeps the coarse channels large beside the fine ones.

import type { Tensor } from '../tensor/index.ts';

/** The first two moments of an encoder's latents. */
export type LatentStatistics = {
  /** `C`, the mean of each channel. */
  readonly mean: Tensor;
  /** One value: the root of the mean variance. */
  readonly deviation: Tensor;
};

/** Names of the statistics among weights. */
export const LATENT_STATISTICS = { mean: 'latent.mean', deviation: 'latent.deviation' } as const;

/** Measures latents, each `C h w`. */
export function measureLatents(latents: readonly Float32Array[], channels: number): LatentStatistics {
  const mean = new Float32Array(channels);
  const area = (latents[0]?.length ?? 0) / channels;
  const count = latents.length * area;
  for (const latent of latents) {
    for (let i = 0; i < latent.length; i++) mean[Math.floor(i / area)]! += latent[i]! / count;
  }
  let total = 0;
  for (const latent of latents) {
    for (let i = 0; i < latent.length; i++) total += (latent[i]! - mean[Math.floor(i / area)]!) ** 2;
  }
  const deviation = Math.sqrt(total / (count * channels));
  return {
    mean: { dtype: 'float32', shape: [channels], data: mean },
    deviation: { dtype: 'float32', shape: [1], data: Float32Array.of(deviation) },
  };
}

/** Latents `B C h w` of the encoder as the denoiser wants them. */
export function normaliseLatents(latents: Float32Array, area: number, at: LatentStatistics): Float32Array {
  const [mean, deviation] = [at.mean.data, at.deviation.data[0]!];
  return latents.map((value, i) => (value - mean[Math.floor(i / area) % mean.length]!) / deviation);
}

/** The way back: latents `B C h w` of the denoiser as the decoder wants them. */
export function restoreLatents(latents: Float32Array, area: number, at: LatentStatistics): Float32Array {
  const [mean, deviation] = [at.mean.data, at.deviation.data[0]!];
  return latents.map((value, i) => value * deviation + mean[Math.floor(i / area) % mean.length]!);
}
