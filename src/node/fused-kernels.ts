// Fused products and sums (relaxed SIMD) for the kernels: V8 has them from Node 22 on by itself, in Node 20
// behind a flag that a running process may set.

import { setFlagsFromString } from 'node:v8';

/** Lets this process, its workers included, run kernels with fused products and sums. Call before the first. */
export function allowFusedKernels(): void {
  // Later versions have no such flag and would complain.
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
}
