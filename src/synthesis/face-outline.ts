// Where the face ends on the mean head: the outline of the face mesh, seen from the front. Forehead below the hairline,
// temples, cheeks and chin lie inside; ears, scalp, throat and neck outside.
// Source of the outline's points: MediaPipe's face mesh, its "face oval".

import { type HeadModel, vertexCount } from '../head/index.ts';
import { SKULL_AXIS_Z } from './scalp.ts';

/** The outline's landmarks, clockwise from the middle of the forehead as the viewer sees it. */
const OUTLINE = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
  150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];

/**
 * How far each vertex lies inside the face's outline, metres, `V`; negative outside, and everywhere on a head whose
 * landmarks are not derived yet.
 */
export function insideFace(head: HeadModel): Float32Array {
  const distances = new Float32Array(vertexCount(head)).fill(-1);
  if (head.landmarks === null) return distances;
  const { landmarks, triangles, template } = head;
  const outline = OUTLINE.map((landmark): readonly [x: number, y: number] => {
    const along = (axis: number): number =>
      [0, 1, 2].reduce((sum, corner) => {
        const vertex = triangles[3 * landmarks.triangles[landmark]! + corner]!;
        return sum + landmarks.barycentrics[3 * landmark + corner]! * template[3 * vertex + axis]!;
      }, 0);
    return [along(0), along(1)];
  });
  for (let v = 0; v < distances.length; v++) {
    const [x, y, z] = [template[3 * v]!, template[3 * v + 1]!, template[3 * v + 2]!];
    distances[v] = Math.min(z - SKULL_AXIS_Z, insidePolygon(outline, x, y));
  }
  return distances;
}

/** Distance to a closed polygon's nearest edge, negative outside. */
function insidePolygon(corners: readonly (readonly [number, number])[], x: number, y: number): number {
  let nearest = Infinity;
  let isInside = false;
  for (const [i, [ax, ay]] of corners.entries()) {
    const [bx, by] = corners[(i + 1) % corners.length]!;
    const [dx, dy] = [bx - ax, by - ay];
    const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    nearest = Math.min(nearest, Math.hypot(x - ax - along * dx, y - ay - along * dy));
    // A ray to the right crosses the outline an odd number of times from inside.
    if (ay > y !== by > y && x < ax + ((y - ay) / dy) * dx) isInside = !isInside;
  }
  return isInside ? nearest : -nearest;
}
