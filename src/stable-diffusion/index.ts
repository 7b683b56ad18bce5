// Stable Diffusion's networks at the paper's scale, under the names that published weights have: autoencoder, U-Net,
// motion modules, the reference pass and Champ's guidance encoder.

export * from './autoencoder.ts';
export * from './config.ts';
export * from './guidance-encoder.ts';
export * from './models.ts';
export * from './motion-module.ts';
export * from './parts.ts';
export * from './reference.ts';
export * from './tiles.ts';
export * from './transformer.ts';
export * from './unet.ts';
