// The surface that a picture of a subject shows, as maps: normals and depth of the whole person, hair and clothes
// included, and the face's landmarks drawn. Looked up at pixel centres, so that nothing is mixed at an edge.

import type { Camera } from '../geometry/index.ts';
import { drawLandmarks, type HeadParameters } from '../head/index.ts';
import { NO_TRIANGLE, type RasterInput } from '../kernels/index.ts';
import type { RenderTools } from './renderer.ts';
import { MATERIALS, type Scene, VERTEX, VERTEX_CHANNELS } from './scene.ts';

/** Maps of one picture. */
export type SurfaceMaps = {
  /** `H W 3`, unit vectors in the camera's axes (x right, y down, z forward) that face the camera; 0 without a person. */
  readonly normals: Float32Array;
  /** `H W`, metres along the camera's axis; 0 without a person. */
  readonly depths: Float32Array;
  /** `H W`, a round spot of height 1 for each landmark, hidden ones too. */
  readonly landmarks: Float32Array;
};

/** What keeps a direction where other vertices keep their normal: it is flat, and seen from both sides. */
const FLAT = ['hair', 'lash', 'brow'] as const;
const IS_FLAT = Uint8Array.from(MATERIALS, (name) => Number((FLAT as readonly string[]).includes(name)));

/** Draws the maps of a scene. @throws BadInputError `no-landmarks` for a head without them. */
export function surfaceMaps(
  { head, poser, rasteriser }: RenderTools,
  scene: Scene,
  {
    parameters,
    camera,
    cutout,
  }: {
    readonly parameters: HeadParameters;
    readonly camera: Camera;
    readonly cutout: NonNullable<RasterInput['cutout']>;
  },
): SurfaceMaps {
  const { width, height } = camera;
  const buffer = rasteriser.rasterise({
    camera,
    vertices: scene.vertices,
    triangles: scene.triangles,
    cutout,
  });
  const normals = new Float32Array(width * height * 3);
  const depths = new Float32Array(width * height);
  const landmarks = new Float32Array(width * height);
  for (let pixel = 0; pixel < depths.length; pixel++) {
    const triangle = buffer.triangleIds[pixel]!;
    if (triangle === NO_TRIANGLE) continue;
    depths[pixel] = buffer.depths[pixel]!;
    const isFlat = IS_FLAT[scene.materials[triangle]!] === 1;
    const weights = buffer.barycentrics.subarray(3 * pixel, 3 * pixel + 3);
    const normal = isFlat ? flatNormal(scene, triangle) : smoothNormal(scene, triangle, weights);
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    normals.set(facingNormal(normal, camera, x + 0.5, y + 0.5, isFlat), 3 * pixel);
  }
  drawLandmarks(head, poser.pose(parameters), camera, landmarks);
  return { normals, depths, landmarks };
}

type Vector = readonly [x: number, y: number, z: number];

/** The mean of the corners' normals, not of unit length. */
function smoothNormal({ triangles, values }: Scene, triangle: number, weights: Float32Array): Vector {
  const along = (axis: number): number =>
    weights.reduce((sum, weight, corner) => {
      const vertex = triangles[3 * triangle + corner]!;
      return sum + weight * values[vertex * VERTEX_CHANNELS + VERTEX.normal + axis]!;
    }, 0);
  return [along(0), along(1), along(2)];
}

/** The triangle's own normal, not of unit length. */
function flatNormal({ triangles, vertices }: Scene, triangle: number): Vector {
  const [a, b, c] = [0, 1, 2].map((corner) => 3 * triangles[3 * triangle + corner]!) as [
    number,
    number,
    number,
  ];
  const edge = (to: number, axis: number): number => vertices[to + axis]! - vertices[a + axis]!;
  return [
    edge(b, 1) * edge(c, 2) - edge(b, 2) * edge(c, 1),
    edge(b, 2) * edge(c, 0) - edge(b, 0) * edge(c, 2),
    edge(b, 0) * edge(c, 1) - edge(b, 1) * edge(c, 0),
  ];
}

/**
 * A world normal as the camera sees it at a place of its picture: of unit length and never turned away. What is flat
 * shows its other side; a smooth surface, whose normals lean over at its rim, is bent back to it.
 */
function facingNormal(
  normal: Vector,
  { cameraFromWorld: { rotation: r }, ...camera }: Camera,
  column: number,
  row: number,
  isFlat: boolean,
): Vector {
  const turned = (k: number): number =>
    r[3 * k]! * normal[0] + r[3 * k + 1]! * normal[1] + r[3 * k + 2]! * normal[2];
  let [x, y, z] = [turned(0), turned(1), turned(2)];
  const [viewX, viewY] = [
    (column - camera.centreXPx) / camera.focalXPx,
    (row - camera.centreYPx) / camera.focalYPx,
  ];
  const away = x * viewX + y * viewY + z;
  if (away > 0 && isFlat) {
    [x, y, z] = [-x, -y, -z];
  } else if (away > 0) {
    const share = away / (viewX * viewX + viewY * viewY + 1);
    [x, y, z] = [x - share * viewX, y - share * viewY, z - share];
  }
  const length = Math.max(1e-12, Math.hypot(x, y, z));
  return [x / length, y / length, z / length];
}
