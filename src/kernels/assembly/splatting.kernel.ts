// Isotropic 3D Gaussians to feature images, forward and backward, on 128-bit SIMD.
// The plain form of the same mathematics is src/gaussians/reference-splatting.ts; read that first.
//
// Road: project (float64, one record a Gaussian) -> radix sort by depth -> lists per block of 4 x 4 pixels
// -> blend. A block is four vectors of four pixels, whose four exponentials run side by side; only blocks
// that a Gaussian's ellipse touches know of it. The backward pass replays the same order front to back with
// the same arithmetic: what lies behind a Gaussian is one number a pixel, the rest of
// sum_c(dL/dC_c * C_c), so no per-channel state and no division by transmittance is needed.

export { blend } from './splatting-blend';
export { blendBackward } from './splatting-blend-backward';
export { fillLists, startBlocks, startTiles } from './splatting-lists';
export { project } from './splatting-projection';
export { projectBackward } from './splatting-projection-backward';
export { setBuffers, setScene } from './splatting-scene';

export function heapBase(): usize {
  return __heap_base;
}
