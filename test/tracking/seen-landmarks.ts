// Landmarks as a perfect network with some noise would see them.

import { type Camera, frontCamera, projectPoint } from '../../src/geometry/index.ts';
import { createHeadPoser, type HeadModel, type HeadParameters } from '../../src/head/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

/** The head's landmarks in a picture of `frontCamera`, or of `camera`: `478 2`, pixels. */
export function seeLandmarks(
  head: HeadModel,
  parameters: HeadParameters,
  view: {
    readonly width: number;
    readonly height: number;
    readonly focalPx: number;
    readonly noisePx: number;
    readonly seed: number;
    readonly camera?: Camera;
  },
): Float32Array {
  const random = createRandom(view.seed);
  const vertices = createHeadPoser(head).pose(parameters);
  const camera = view.camera ?? frontCamera(view.width, view.height, view.focalPx);
  const { triangles, barycentrics } = head.landmarks!;
  const landmarksPx = new Float32Array(2 * triangles.length);
  for (const [l, triangle] of triangles.entries()) {
    const point = [0, 0, 0];
    for (let c = 0; c < 3; c++) {
      const v = head.triangles[3 * triangle + c]!;
      for (let k = 0; k < 3; k++) point[k]! += barycentrics[3 * l + c]! * vertices[3 * v + k]!;
    }
    const [x, y] = projectPoint(camera, point);
    landmarksPx.set([x + view.noisePx * random.normal(), y + view.noisePx * random.normal()], 2 * l);
  }
  return landmarksPx;
}
