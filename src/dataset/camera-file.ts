// The cameras of several views of one moment as a file: `*.cameras.json`, written beside a track of views and read
// as a calibration. Matrices are rows; OpenCV's axes (x right, y down, z forward), pixel centres at +0.5, metres.

import { z } from 'zod';
import type { Camera, RigidTransform } from '../geometry/index.ts';
import type { CalibratedCamera } from './calibration.ts';

/** Format name in the file. */
const CAMERA_FILE_FORMAT = 'learn2control-cameras';

const row = z.array(z.number());
const viewSchema = z.object({
  name: z.string(),
  width: z.number().optional(),
  height: z.number().optional(),
  /** 3 x 3; null, as the other matrix, where the camera is not known. */
  K: z.array(row.length(3)).min(2).nullable(),
  /** 4 x 4, or its first three rows. */
  cameraFromWorld: z.array(row.length(4)).min(3).nullable(),
});

/** What a camera file holds; other fields are let pass. */
const cameraFileSchema = z.object({
  format: z.literal(CAMERA_FILE_FORMAT),
  version: z.literal(1),
  views: z.array(viewSchema).min(1),
});

/** A view as the file has it. */
export type CameraFileView = {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly camera: Camera | null;
  /** Whether a face was found in it, and how well the head meets it: as a share of the face's size. */
  readonly hasFace: boolean;
  readonly landmarkError: number | null;
};

/** The text of a camera file, a view a line. */
export function encodeCameraFile(views: readonly CameraFileView[]): string {
  const lines = views.map(({ camera, ...view }) => JSON.stringify({ ...view, ...matricesOf(camera) }));
  const about =
    'OpenCV axes (x right, y down, z forward), metres, pixel centres at +0.5; the world is that of the track';
  const head = { format: CAMERA_FILE_FORMAT, version: 1, about };
  return `${JSON.stringify(head).slice(0, -1)},"views":[\n${lines.join(',\n')}\n]}\n`;
}

/** The known cameras of a file's JSON by name; or, in words, what is wrong with it. */
export function camerasOfFile(json: unknown): Map<string, CalibratedCamera> | string {
  const result = cameraFileSchema.safeParse(json);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    return `${path.join('.')}: ${message}`;
  }
  return new Map(
    result.data.views.flatMap(({ name, K: k, cameraFromWorld }) => {
      if (k === null || cameraFromWorld === null) return [];
      const lens = { focalXPx: k[0]![0]!, focalYPx: k[1]![1]!, centreXPx: k[0]![2]!, centreYPx: k[1]![2]! };
      return [[stemOf(name), { ...lens, cameraFromWorld: rigid(cameraFromWorld) }] as const];
    }),
  );
}

/** A file's name without folder and ending: what cameras are called. */
export function stemOf(path: string): string {
  return path.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
}

/** The rigid transform of the first three rows of a matrix. */
export function rigid(matrix: readonly (readonly number[])[]): RigidTransform {
  const rows = matrix.slice(0, 3);
  return {
    rotation: rows.flatMap((values) => [values[0]!, values[1]!, values[2]!]),
    translation: rows.map((values) => values[3]!),
  };
}

function matricesOf(camera: Camera | null): { K: number[][] | null; cameraFromWorld: number[][] | null } {
  if (camera === null) return { K: null, cameraFromWorld: null };
  const { focalXPx, focalYPx, centreXPx, centreYPx, cameraFromWorld } = camera;
  const { rotation, translation } = cameraFromWorld;
  return {
    K: [
      [focalXPx, 0, centreXPx],
      [0, focalYPx, centreYPx],
      [0, 0, 1],
    ],
    cameraFromWorld: [
      ...[0, 1, 2].map((r) => [
        rotation[3 * r]!,
        rotation[3 * r + 1]!,
        rotation[3 * r + 2]!,
        translation[r]!,
      ]),
      [0, 0, 0, 1],
    ],
  };
}
