// What hollows keep from ambient light, as the depths around a pixel tell. The kernel does the work; the plain statement of it
// is `reference-openness.ts`.

import { createOpennessKernel, type OpennessInput, type VisibilityBuffer } from '../kernels/index.ts';

/** How far around a pixel is looked, metres, and how much each distance counts. */
const RINGS = Float32Array.of(0.005, 0.13, 0.014, 0.16, 0.034, 0.15);
const RAYS = [
  [1, 0],
  [0.5, 0.87],
  [-0.5, 0.87],
] as const;
/** Neighbouring pixels closer in depth than this lie on one surface. */
const ONE_SURFACE_METRES = 0.001;

let kernel: ReturnType<typeof createOpennessKernel> | null = null;

/** How open each pixel is to ambient light, 0 to 1 (`H W`); `focalPx` is the buffer's. */
export function ambientOpenness(buffer: VisibilityBuffer, focalPx: number): Float32Array {
  kernel ??= createOpennessKernel();
  return kernel(opennessInput(buffer, focalPx));
}

/** A buffer with how far is looked around its pixels. */
export function opennessInput(
  { width, height, depths }: Pick<VisibilityBuffer, 'width' | 'height' | 'depths'>,
  focalPx: number,
): OpennessInput {
  return { width, height, depths, focalPx, rings: RINGS, rays: RAYS, oneSurfaceMetres: ONE_SURFACE_METRES };
}
