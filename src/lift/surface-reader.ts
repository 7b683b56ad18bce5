// What a target pixel sees of the head: its attributes, mixed from the corners of its triangle when they are asked
// for. Most pixels need few of them, so whole pictures of attributes would mostly be zeros and copies.

import { NO_TRIANGLE, type VisibilityBuffer } from '../kernels/index.ts';
import type { LiftGeometry } from './lift-geometry.ts';
import { ATTRIBUTE_COUNT } from './source-view.ts';

/** Looks the head up in a target picture. */
export type SurfaceReader = {
  /** Index into `SURFACE_CLASSES`, -1 where the head is not. */
  classAt(pixel: number): number;
  /** Writes attributes `first` to `last` (exclusive) of a pixel on the head to the same places of `out`. */
  read(pixel: number, first: number, last: number, out: Float32Array): void;
};

/** Reads vertices' `attributes` (`V ATTRIBUTE_COUNT`) through a buffer of the geometry's triangles. */
export function createSurfaceReader(
  { triangles, triangleClasses }: LiftGeometry,
  { triangleIds, barycentrics }: VisibilityBuffer,
  attributes: Float32Array,
): SurfaceReader {
  return {
    classAt(pixel) {
      const id = triangleIds[pixel]!;
      return id === NO_TRIANGLE ? -1 : triangleClasses[id]!;
    },
    read(pixel, first, last, out) {
      const [corner, weight] = [3 * triangleIds[pixel]!, 3 * pixel];
      const a = ATTRIBUTE_COUNT * triangles[corner]!;
      const b = ATTRIBUTE_COUNT * triangles[corner + 1]!;
      const c = ATTRIBUTE_COUNT * triangles[corner + 2]!;
      const u = barycentrics[weight]!;
      const v = barycentrics[weight + 1]!;
      const w = barycentrics[weight + 2]!;
      for (let k = first; k < last; k++) {
        out[k] = u * attributes[a + k]! + v * attributes[b + k]! + w * attributes[c + k]!;
      }
    },
  };
}
