// The rasteriser's plain reference: what the kernel `rasteriser` computes, written for the reader and
// in float64. Every pixel centre against every triangle; the nearest one wins.

import type { Camera } from './camera.ts';
import { projectPoint } from './camera.ts';

/** What every pixel sees: triangle (0xffffffff: none), perspective-correct weights, depth in metres. */
export type ReferenceVisibility = {
  readonly triangleIds: Uint32Array;
  /** `H W 3`. */
  readonly barycentrics: Float64Array;
  /** `H W`, infinite where nothing is. */
  readonly depths: Float64Array;
};

/** Draws triangles (`F 3`, counter-clockwise from outside) of world vertices (`V 3`, metres), both sides. */
export function rasteriseReference(
  camera: Camera,
  vertices: Float32Array,
  triangles: Uint32Array,
): ReferenceVisibility {
  const { width, height } = camera;
  const triangleIds = new Uint32Array(width * height).fill(0xffffffff);
  const barycentrics = new Float64Array(width * height * 3);
  const depths = new Float64Array(width * height).fill(Infinity);
  for (let t = 0; t < triangles.length / 3; t++) {
    const [a, b, c] = [0, 1, 2].map((k) => {
      const v = triangles[3 * t + k]! * 3;
      return projectPoint(camera, vertices.subarray(v, v + 3));
    }) as [Projected, Projected, Projected];
    if (Math.min(a[2], b[2], c[2]) <= 0.01) continue;
    const area = edge(a, b, c);
    if (area === 0) continue;
    const xs = [a[0], b[0], c[0]];
    const ys = [a[1], b[1], c[1]];
    for (let y = Math.max(0, Math.floor(Math.min(...ys))); y < Math.min(height, Math.max(...ys)); y++) {
      for (let x = Math.max(0, Math.floor(Math.min(...xs))); x < Math.min(width, Math.max(...xs)); x++) {
        const centre: Projected = [x + 0.5, y + 0.5, 0];
        const screen = [edge(b, c, centre) / area, edge(c, a, centre) / area, edge(a, b, centre) / area];
        if (Math.min(...screen) < 0) continue;
        // 1 / depth is affine on the screen; a corner's weight in space is its share of it.
        const shares = [screen[0]! / a[2], screen[1]! / b[2], screen[2]! / c[2]];
        const inverseDepth = shares[0]! + shares[1]! + shares[2]!;
        const pixel = y * width + x;
        if (1 / inverseDepth >= depths[pixel]!) continue;
        depths[pixel] = 1 / inverseDepth;
        triangleIds[pixel] = t;
        shares.forEach((share, k) => {
          barycentrics[3 * pixel + k] = share / inverseDepth;
        });
      }
    }
  }
  return { triangleIds, barycentrics, depths };
}

type Projected = [x: number, y: number, depth: number];

const edge = (a: Projected, b: Projected, p: Projected): number =>
  (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
