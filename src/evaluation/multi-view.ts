// Whether a head seen from all around is one body: landmarks of an orbit's pictures are cast back as rays into the
// head's frame by the poses that were asked for, and meet in points as well as they do.

import {
  type Camera,
  invertRotation,
  multiplyRotations,
  rotate,
  rotationFromAxisAngle,
  solvePositive,
  type Vector3,
  vertexNormals,
} from '../geometry/index.ts';
import { type HeadModel, type HeadParameters, type HeadPoser, JOINT_NAMES } from '../head/index.ts';

/** A picture of the orbit: what was asked for, and the landmarks that were seen (`478 2`, pixels). */
export type OrbitView = {
  readonly parameters: HeadParameters;
  readonly landmarksPx: Float32Array;
};

/** Landmarks that are trusted less (the face's oval) or belong to no fixed point (the irises) are left out. */
const LEAST_WEIGHT = 0.8;
const FIRST_IRIS = 468;
/** A landmark counts in views where its skin faces the camera so far (a cosine). */
const LEAST_FACING = 0.3;
const LEAST_VIEWS = 3;

/** The yaws of an orbit, radians, from the subject's right to the left. */
export function orbitYaws(views: number, reachDegrees = 25): number[] {
  return Array.from(
    { length: views },
    (_, i) => ((2 * i) / (views - 1) - 1) * reachDegrees * (Math.PI / 180),
  );
}

/** A head turned to a yaw, level, its face and place as they are. */
export function turnedTo(parameters: HeadParameters, yaw: number): HeadParameters {
  const jointRotations = Float32Array.from(parameters.jointRotations);
  jointRotations.set([0, yaw, 0]);
  return { ...parameters, jointRotations };
}

/**
 * Root mean square distance of the rays of each landmark from the point where they meet best, millimetres, the mean
 * over landmarks; NaN where too little was seen. All views are of one camera.
 */
export function multiViewSpread(
  head: HeadModel,
  poser: HeadPoser,
  camera: Camera,
  views: readonly OrbitView[],
): number {
  const { landmarks, landmarkWeights } = head;
  if (landmarks === null || landmarkWeights === null) return Number.NaN;
  const rays = views.map((view) => raysOf(head, poser, camera, view));
  const spreads: number[] = [];
  for (let l = 0; l < FIRST_IRIS; l++) {
    if (landmarkWeights[l]! < LEAST_WEIGHT) continue;
    const seen = rays.flatMap((all) => (all[l]!.facing < LEAST_FACING ? [] : [all[l]!]));
    if (seen.length >= LEAST_VIEWS) spreads.push(meetingSpread(seen));
  }
  return spreads.length === 0 ? Number.NaN : 1000 * (spreads.reduce((sum, s) => sum + s, 0) / spreads.length);
}

type Ray = {
  readonly origin: Vector3;
  /** Unit length. */
  readonly direction: Vector3;
  readonly facing: number;
};

/** The ray of every landmark in the frame of the head's root. */
function raysOf(
  head: HeadModel,
  poser: HeadPoser,
  camera: Camera,
  { parameters, landmarksPx }: OrbitView,
): Ray[] {
  const vertices = poser.pose(parameters);
  const normals = vertexNormals(vertices, head.triangles);
  const joints = poser.joints(parameters);
  const root = 3 * JOINT_NAMES.indexOf('root');
  const pivot = [0, 1, 2].map((axis) => joints[root + axis]!);
  const headFromWorld = invertRotation(rotationFromAxisAngle(parameters.jointRotations.subarray(0, 3)));
  const worldFromCamera = invertRotation(camera.cameraFromWorld.rotation);
  const headFromCamera = multiplyRotations(headFromWorld, worldFromCamera);
  const { translation } = camera.cameraFromWorld;
  const eye = rotate(
    worldFromCamera,
    [0, 1, 2].map((axis) => -translation[axis]!),
  );
  const origin = rotate(
    headFromWorld,
    pivot.map((value, axis) => eye[axis]! - value),
  );
  return Array.from(head.landmarks!.triangles, (triangle, l) => {
    const x = (landmarksPx[2 * l]! - camera.centreXPx) / camera.focalXPx;
    const y = (landmarksPx[2 * l + 1]! - camera.centreYPx) / camera.focalYPx;
    const length = Math.hypot(x, y, 1);
    const vertex = 3 * head.triangles[3 * triangle]!;
    const toEye = [0, 1, 2].map((axis) => eye[axis]! - vertices[vertex + axis]!);
    const distance = Math.hypot(...toEye);
    const facing = toEye.reduce((sum, value, axis) => sum + value * normals[vertex + axis]!, 0) / distance;
    return { origin, direction: rotate(headFromCamera, [x / length, y / length, 1 / length]), facing };
  });
}

/** How far rays pass from the point nearest to all of them: root mean square, metres. */
function meetingSpread(rays: readonly Ray[]): number {
  // Sum over rays of (I - d d') (p - o) = 0.
  const matrix = new Float64Array(9);
  const right = new Float64Array(3);
  for (const { origin, direction } of rays) {
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const value = (i === j ? 1 : 0) - direction[i]! * direction[j]!;
        matrix[3 * i + j]! += value;
        right[i]! += value * origin[j]!;
      }
    }
  }
  const point = solvePositive(matrix, right);
  const squares = rays.map(({ origin, direction }) => {
    const offset = point.map((value, axis) => value - origin[axis]!);
    const along = offset.reduce((sum, value, axis) => sum + value * direction[axis]!, 0);
    return offset.reduce((sum, value) => sum + value * value, 0) - along * along;
  });
  return Math.sqrt(Math.max(0, squares.reduce((sum, value) => sum + value, 0) / rays.length));
}
