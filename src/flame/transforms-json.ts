// `transforms.json`, as NeRF's tools and VHAP write it: a camera for each frame, and which parameters belong to it.

import { BadInputError } from '../errors/index.ts';
import {
  axisAngleFromRotation,
  composeTransforms,
  invertTransform,
  type RigidTransform,
  rotationFromAxisAngle,
  transformPoint,
} from '../geometry/index.ts';
import type { SourceFile } from './source-files.ts';

/** The camera of one frame. */
export type FrameCamera = {
  /** The frame's parameter file, as the list names it. */
  readonly path: string;
  readonly cameraFromWorld: RigidTransform;
  readonly seconds: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly focalPx: number;
  readonly isCentred: boolean;
};
/**
 * The cameras of the first view in a `transforms.json` among the files, in the order of time; none without one.
 * @throws BadInputError `bad-transforms`.
 */
export function readCameras(files: readonly SourceFile[]): FrameCamera[] {
  const file = files.find(({ name }) => /(^|[\\/])transforms\.json$/i.test(name));
  if (file === undefined) return [];
  const wrong = (problem: string, cause?: unknown): BadInputError =>
    new BadInputError({
      code: 'bad-transforms',
      message: `${file.name} cannot be used: ${problem}`,
      hint: 'expected transforms.json as VHAP writes it, with a transform_matrix for each frame',
      cause,
    });
  let content: { frames?: unknown };
  try {
    content = JSON.parse(new TextDecoder().decode(file.bytes));
  } catch (cause) {
    throw wrong('it is no JSON', cause);
  }
  if (!Array.isArray(content?.frames)) throw wrong('it has no list of frames');
  const entries = content.frames as Readonly<Record<string, unknown>>[];
  // Of several cameras the first is taken: a track is one view.
  const own = entries.filter((entry) => (entry.camera_index ?? 0) === (entries[0]?.camera_index ?? 0));
  const cameras = own.flatMap((entry) => {
    const shared = { ...(content as Record<string, unknown>), ...entry };
    const path = entry.flame_param_path;
    if (typeof path !== 'string') return [];
    const number = (key: string): number => {
      const value = Number(shared[key]);
      if (!Number.isFinite(value)) throw wrong(`"${key}" of ${path} is no number`);
      return value;
    };
    const matrix = (entry.transform_matrix as unknown[] | undefined)?.flat().map(Number) ?? [];
    if (matrix.length < 12 || !matrix.every(Number.isFinite)) throw wrong(`${path} has no transform_matrix`);
    const row = (r: number): number[] => matrix.slice(4 * r, 4 * r + 3);
    const worldFromCamera = {
      rotation: [...row(0), ...row(1), ...row(2)],
      translation: [matrix[3]!, matrix[7]!, matrix[11]!],
    };
    const [width, height] = [number('w'), number('h')];
    return [
      {
        path,
        cameraFromWorld: invertTransform(worldFromCamera),
        seconds: typeof entry.timestamp_seconds === 'number' ? entry.timestamp_seconds : undefined,
        width,
        height,
        focalPx: number('fl_x'),
        isCentred: Math.hypot(number('cx') - width / 2, number('cy') - height / 2) < 0.02 * width,
        step: Number(entry.timestep_index ?? 0),
      },
    ];
  });
  return cameras.sort((a, b) => a.step - b.step);
}

/**
 * Places a head as a camera at the origin sees it: both cameras look along -z with y up.
 * @param root the head's root joint at rest
 * @param joints its rotations; the first three values change
 * @param translation changes
 */
export function moveBeforeCamera(
  cameraFromWorld: RigidTransform,
  root: ArrayLike<number>,
  joints: Float32Array,
  translation: Float32Array,
): void {
  const turn = rotationFromAxisAngle(joints.subarray(0, 3));
  // world = R (p - root) + root + t
  const placed = composeTransforms(cameraFromWorld, { rotation: turn, translation: [0, 0, 0] });
  joints.set(axisAngleFromRotation(placed.rotation), 0);
  const moved = transformPoint(
    cameraFromWorld,
    [0, 1, 2].map((k) => root[k]! + translation[k]!),
  );
  translation.set([0, 1, 2].map((k) => moved[k]! - root[k]!));
}
