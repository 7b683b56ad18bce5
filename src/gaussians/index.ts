// The learnable Gaussian embedding and its splatting to feature images.

export * from './gaussian-projection.ts';
export * from './reference-splatting.ts';
export * from './splat-scene.ts';
export * from './splatter.ts';
