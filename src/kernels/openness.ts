// Openness to light from all around, of a depth buffer. Plain reference: `src/synthesis/reference-openness.ts`.

import { instantiateKernel } from './kernel-instance.ts';
import { wasmBase64 } from './wasm/openness.wasm.ts';

type OpennessExports = {
  openness(
    ...pointersAndSizes: [
      ...depths: [depths: number, width: number, height: number, focal: number],
      ...probes: [rings: number, ringCount: number, rays: number],
      ...target: [oneSurface: number, out: number],
    ]
  ): void;
};

/** A depth buffer and how far around its pixels is looked. */
export type OpennessInput = {
  readonly width: number;
  readonly height: number;
  /** `H W`, metres, infinite where nothing is. */
  readonly depths: Float32Array;
  readonly focalPx: number;
  /** Radius in metres and strength of each. */
  readonly rings: Float32Array;
  /** Pairs of x and y, at most four; each stands for its opposite too. */
  readonly rays: readonly (readonly [x: number, y: number])[];
  /** Pixels of a 2 x 2 block closer in depth to its first than so many metres share what that one sees. */
  readonly oneSurfaceMetres: number;
};

const LANES = 4;

/** Makes the kernel, with a memory of its own; gives `H W` values of 0 to 1, copies that the caller keeps. */
export function createOpennessKernel(): (input: OpennessInput) => Float32Array<ArrayBuffer> {
  const { exports, heap } = instantiateKernel<OpennessExports>(wasmBase64);
  return ({ width, height, depths, focalPx, rings, rays, oneSurfaceMetres }) => {
    heap.reset();
    const depthsAt = heap.put(depths);
    const lanes = new Float32Array(2 * LANES);
    for (const [i, [x, y]] of rays.entries()) {
      lanes[i] = x;
      lanes[LANES + i] = y;
    }
    const probes = [heap.put(rings), rings.length / 2, heap.put(lanes)] as const;
    const out = heap.reserve(depths.byteLength);
    exports.openness(depthsAt, width, height, focalPx, ...probes, oneSurfaceMetres, out);
    return heap.floats(out, depths.length).slice();
  };
}
