// FLAME's landmark embeddings as points of the 478-point face mesh: MediaPipe's own (105 points), and the 68 points
// of DECA and RingNet (51 fixed, 17 on a contour that moves with the head's yaw) by their counterparts.

import { BadInputError } from '../errors/index.ts';
import type { SurfacePoints } from '../head/index.ts';
import type { FoundArray, Sources } from './source-files.ts';

/** Points of the face mesh that the tracker knows. */
export const MESH_POINTS = 478;

/**
 * The point of the face mesh for each of the 68 points of iBUG's scheme: contour 0 to 16, then brows, nose, eyes,
 * mouth. Left and right are the picture's. Source: both schemes' published drawings.
 */
const MESH_POINT_OF_68 = [
  ...[162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389],
  ...[71, 63, 105, 66, 107, 336, 296, 334, 293, 301],
  ...[168, 197, 5, 4, 75, 97, 2, 326, 305],
  ...[33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380],
  ...[61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181],
  ...[78, 82, 13, 312, 308, 317, 14, 87],
];
const CONTOUR = 17;

/** A head's own landmarks: a place for some of the 478 points. */
export type KnownLandmarks = ReadonlyMap<
  number,
  { readonly triangle: number; readonly barycentrics: readonly [number, number, number] }
>;

/**
 * The landmarks that the files give, MediaPipe's before the 68.
 * @param triangles how many triangles the model has
 * @throws BadInputError where an embedding points past the mesh.
 */
export function readLandmarks({ arrays }: Sources, triangles: number): KnownLandmarks {
  const known = new Map<number, { triangle: number; barycentrics: [number, number, number] }>();
  const add = (
    faces: FoundArray,
    weights: FoundArray | undefined,
    points: ArrayLike<number>,
    first = 0,
  ): void => {
    const count = points.length;
    const given = faces.array.data;
    if (weights === undefined || given.length < count || weights.array.data.length < 3 * count) {
      throw wrong(faces.file, `it has ${given.length} places for ${count} landmarks`);
    }
    for (let i = 0; i < count; i++) {
      const [triangle, point] = [given[first + i]!, points[i]!];
      if (!(triangle >= 0 && triangle < triangles)) {
        throw wrong(faces.file, `it points to triangle ${triangle} of ${triangles}`);
      }
      if (!(point >= 0 && point < MESH_POINTS)) throw wrong(faces.file, `it names landmark ${point}`);
      const at = 3 * (first + i);
      const [a, b, c] = [0, 1, 2].map((k) => weights.array.data[at + k]!) as [number, number, number];
      const sum = a + b + c;
      if (!(sum > 0.5 && sum < 1.5)) throw wrong(weights.file, 'its corner weights do not add up to one');
      known.set(point, { triangle, barycentrics: [a / sum, b / sum, c / sum] });
    }
  };
  const [contour, fixed, mesh] = ['contour_faces', 'static_faces', 'mediapipe_faces'].map((key) =>
    arrays.get(key),
  );
  if (fixed !== undefined) {
    const count = fixed.array.data.length;
    if (count !== 51 && count !== 68) throw wrong(fixed.file, `it has ${count} landmarks, expected 51 or 68`);
    add(fixed, arrays.get('static_weights'), MESH_POINT_OF_68.slice(68 - count));
  }
  // The first of the contour's rows is that of a head seen from the front.
  if (contour !== undefined) add(contour, arrays.get('contour_weights'), MESH_POINT_OF_68.slice(0, CONTOUR));
  const indices = arrays.get('mediapipe_indices');
  if (mesh !== undefined && indices !== undefined) {
    add(mesh, arrays.get('mediapipe_weights'), indices.array.data);
  }
  return known;
}

/** All 478 places; those that are not known lie on triangle 0 and weigh nothing. */
export function packLandmarks(known: KnownLandmarks): { points: SurfacePoints; isKnown: Uint8Array } {
  const triangles = new Uint32Array(MESH_POINTS);
  const barycentrics = new Float32Array(3 * MESH_POINTS);
  const isKnown = new Uint8Array(MESH_POINTS);
  for (let point = 0; point < MESH_POINTS; point++) {
    const place = known.get(point);
    triangles[point] = place?.triangle ?? 0;
    barycentrics.set(place?.barycentrics ?? [1, 0, 0], 3 * point);
    isKnown[point] = place === undefined ? 0 : 1;
  }
  return { points: { triangles, barycentrics }, isKnown };
}

function wrong(file: string, problem: string): BadInputError {
  return new BadInputError({
    code: 'bad-landmark-embedding',
    message: `the landmark embedding in ${file} does not fit this model: ${problem}`,
    hint: 'give the embedding that was made for this model',
  });
}
