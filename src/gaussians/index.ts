// The learnable Gaussian embedding and its splatting to feature images: a field over a head's UV square
// (gaussian-field), bound to its triangles (gaussian-binding), splatted (splatter), frame by frame
// (control-map). reference-splatting is the plain form of the kernel.

export * from './control-map.ts';
export * from './field-file.ts';
export * from './gaussian-binding.ts';
export * from './gaussian-field.ts';
export * from './gaussian-placement.ts';
export * from './gpu-splatter.ts';
export * from './painted-field.ts';
export * from './reference-splatting.ts';
export * from './splat-scene.ts';
export * from './splatter.ts';
