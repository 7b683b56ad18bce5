// The networks of the avatar, as functions on symbolic values that training and inference share: the
// autoencoder, the denoising U-Net with its reference, guidance and temporal parts, and their sizes.

export * from './autoencoder.ts';
export * from './config.ts';
export type { Contradiction } from './config-contradictions.ts';
export * from './denoiser.ts';
export * from './guidance-network.ts';
export * from './latent-statistics.ts';
export * from './lift-prior.ts';
export * from './lifted-picture.ts';
export * from './linear-codec.ts';
export * from './models.ts';
export * from './reference.ts';
export * from './temporal-layer.ts';
export * from './transformer.ts';
export * from './unet.ts';
