// A posed head as plain maps: normals, depth and landmarks, the control that the paper's Gaussians are measured
// against (its ablation (a)).

import { BadInputError } from '../errors/index.ts';
import type { Camera } from '../geometry/index.ts';
import { projectPoint, vertexNormals } from '../geometry/index.ts';
import { NO_TRIANGLE, type Rasteriser } from '../kernels/index.ts';
import { HEAD_MAP_CHANNELS } from './control-channels.ts';
import { type HeadModel, type HeadParameters, JOINT_NAMES } from './head-model.ts';
import type { HeadPoser } from './head-poser.ts';

/** What drawing needs; share one between all maps of a thread. */
export type HeadMapTools = {
  readonly head: HeadModel;
  readonly poser: HeadPoser;
  readonly rasteriser: Rasteriser;
};

/** Depth is 1 this far in front of the eyes' centres and -1 this far behind; metres. */
const DEPTH_RANGE = 0.15;
/** Standard deviation of a landmark's spot, in pixels of a picture of 256. */
const SPOT_PX = 1.2;
const SPOT_REACH = 3;

/**
 * The maps of a posed head, planar `5 H W` in [-1, 1]; 0 where there is no head.
 * @throws BadInputError for a head without landmarks.
 */
export function headMaps(tools: HeadMapTools, parameters: HeadParameters, camera: Camera): Float32Array {
  const { head, poser, rasteriser } = tools;
  const { width, height } = camera;
  const pixels = width * height;
  const maps = new Float32Array(HEAD_MAP_CHANNELS * pixels);
  const vertices = poser.pose(parameters);
  const { triangles } = head;
  const buffer = rasteriser.rasterise({ camera, vertices, triangles });
  const values = vertexNormals(vertices, triangles);
  const normals = rasteriser.interpolate(buffer, { triangles, values, channels: 3 });
  const { rotation: r } = camera.cameraFromWorld;
  const eyesDepth = eyesCentreDepth(tools, parameters, camera);
  for (let i = 0; i < pixels; i++) {
    if (buffer.triangleIds[i] === NO_TRIANGLE) continue;
    const [x, y, z] = [normals[3 * i]!, normals[3 * i + 1]!, normals[3 * i + 2]!];
    const length = Math.max(1e-6, Math.hypot(x, y, z));
    for (let k = 0; k < 3; k++) {
      maps[k * pixels + i] = (r[3 * k]! * x + r[3 * k + 1]! * y + r[3 * k + 2]! * z) / length;
    }
    maps[3 * pixels + i] = Math.min(1, Math.max(-1, (eyesDepth - buffer.depths[i]!) / DEPTH_RANGE));
  }
  drawLandmarks(head, vertices, camera, maps.subarray(4 * pixels));
  return maps;
}

function eyesCentreDepth({ poser }: HeadMapTools, parameters: HeadParameters, camera: Camera): number {
  const joints = poser.joints(parameters);
  const depths = (['leftEye', 'rightEye'] as const).map((name) => {
    const at = 3 * JOINT_NAMES.indexOf(name);
    return projectPoint(camera, [joints[at]!, joints[at + 1]!, joints[at + 2]!])[2];
  });
  return (depths[0]! + depths[1]!) / 2;
}

/**
 * Draws the landmarks of a posed head (`V 3`) into a map (`H W`): round spots of height 1, hidden ones too, as landmark
 * networks give them. @throws BadInputError `no-landmarks` for a head without them.
 */
export function drawLandmarks(
  head: HeadModel,
  vertices: Float32Array,
  camera: Camera,
  map: Float32Array,
): void {
  if (head.landmarks === null) {
    throw new BadInputError({
      code: 'no-landmarks',
      message: `expected a head with landmarks, but ${head.name} has none`,
      hint: 'leave out what is drawn with landmarks, or use the embedded head',
    });
  }
  const { width, height } = camera;
  const deviation = Math.max(0.5, (SPOT_PX * width) / 256);
  const reach = SPOT_REACH * deviation;
  for (const [i, triangle] of head.landmarks.triangles.entries()) {
    const corners = head.triangles.subarray(3 * triangle, 3 * triangle + 3);
    const weights = head.landmarks.barycentrics.subarray(3 * i, 3 * i + 3);
    const axis = (k: number): number =>
      corners.reduce((sum, corner, j) => sum + weights[j]! * vertices[3 * corner + k]!, 0);
    const [column, row, depth] = projectPoint(camera, [axis(0), axis(1), axis(2)]);
    if (depth <= 0) continue;
    for (let y = Math.max(0, Math.floor(row - reach)); y < Math.min(height, row + reach); y++) {
      for (let x = Math.max(0, Math.floor(column - reach)); x < Math.min(width, column + reach); x++) {
        const squared = (x + 0.5 - column) ** 2 + (y + 0.5 - row) ** 2;
        const at = y * width + x;
        map[at] = Math.max(map[at]!, Math.exp(-squared / (2 * deviation * deviation)));
      }
    }
  }
}
