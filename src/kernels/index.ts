// SIMD WebAssembly kernels and the heap they work on. Each kernel has a typed wrapper here and a plain
// TypeScript reference beside the code that uses it.

export * from './adamw.ts';
export * from './compression.ts';
export * from './head-posing.ts';
export * from './kernel-instance.ts';
export * from './lens.ts';
export * from './normal-equations.ts';
export * from './openness.ts';
export * from './rasteriser.ts';
export * from './resampling.ts';
export * from './splatting.ts';
export * from './splatting-constants.ts';
export * from './yuv.ts';
