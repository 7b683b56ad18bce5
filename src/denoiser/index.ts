// The networks of the avatar, as functions on symbolic values that training and inference share: the
// autoencoder, the denoising U-Net with its reference, guidance and temporal parts, and their sizes.

export * from './autoencoder.ts';
export * from './config.ts';
export * from './linear-codec.ts';
export * from './models.ts';
