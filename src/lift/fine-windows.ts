// Lids and lips are thinner than a pixel where they meet: one sample a pixel makes stairs of them. Their windows of a
// target picture are looked up with several.

import { type Camera, projectPoint } from '../geometry/index.ts';
import type { Rasteriser } from '../kernels/index.ts';
import type { LiftGeometry } from './lift-geometry.ts';
import { createSurfaceReader, type SurfaceReader } from './surface-reader.ts';

/** Samples along each side of a pixel. */
export const FINE_SAMPLES = 2;

/** A window of a target picture, pixels, and the head in it; its reader has `FINE_SAMPLES` times the window's size. */
export type FineWindow = {
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly surface: SurfaceReader;
};

/** The windows about eyes and lips of posed `vertices` (`V 3`, world), as far as they lie on the picture. */
export function fineWindows(
  { rasteriser }: { readonly rasteriser: Rasteriser },
  geometry: LiftGeometry,
  camera: Camera,
  vertices: Float32Array,
  attributes: Float32Array,
): FineWindow[] {
  return geometry.fineParts.flatMap((part) => {
    const { leftPx, topPx, rightPx, bottomPx } = boundsOf(part, camera, vertices);
    const [widthPx, heightPx] = [rightPx - leftPx, bottomPx - topPx];
    if (widthPx <= 0 || heightPx <= 0) return [];
    const buffer = rasteriser.rasterise({
      camera: {
        width: widthPx * FINE_SAMPLES,
        height: heightPx * FINE_SAMPLES,
        focalXPx: camera.focalXPx * FINE_SAMPLES,
        focalYPx: camera.focalYPx * FINE_SAMPLES,
        centreXPx: (camera.centreXPx - leftPx) * FINE_SAMPLES,
        centreYPx: (camera.centreYPx - topPx) * FINE_SAMPLES,
        cameraFromWorld: camera.cameraFromWorld,
      },
      vertices,
      triangles: geometry.triangles,
    });
    return [{ leftPx, topPx, widthPx, heightPx, surface: createSurfaceReader(geometry, buffer, attributes) }];
  });
}

/** The pixels that a part's vertices span, cut to the picture. */
function boundsOf(
  part: Uint32Array,
  camera: Camera,
  vertices: Float32Array,
): { leftPx: number; topPx: number; rightPx: number; bottomPx: number } {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const v of part) {
    const [x, y, depth] = projectPoint(camera, [
      vertices[3 * v]!,
      vertices[3 * v + 1]!,
      vertices[3 * v + 2]!,
    ]);
    if (depth <= 0) continue;
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return {
    leftPx: Math.max(0, Math.floor(left)),
    topPx: Math.max(0, Math.floor(top)),
    rightPx: Math.min(camera.width, Math.ceil(right)),
    bottomPx: Math.min(camera.height, Math.ceil(bottom)),
  };
}

/** From how many of 255 levels on two neighbours are an edge. */
const EDGE_CONTRAST = 24;

/** Whether the green of a pixel differs from what lies beside, above or below it. */
export function isEdge(data: Uint8Array, pixel: number, width: number): boolean {
  const own = data[3 * pixel + 1]!;
  for (const other of [pixel - 1, pixel + 1, pixel - width, pixel + width]) {
    if (Math.abs(data[3 * other + 1]! - own) > EDGE_CONTRAST) return true;
  }
  return false;
}
