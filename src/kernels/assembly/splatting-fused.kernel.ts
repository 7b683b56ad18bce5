// The splatting kernel with fused products and sums (relaxed SIMD), for hosts that have it: the same source,
// compiled for that. `src/kernels/splatting.ts` chooses.

export * from './splatting.kernel';
