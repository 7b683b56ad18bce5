// Calibrated cameras. Three forms of JSON are known, told apart by what they hold: our own (`camera-file.ts`);
// NeRSemble's `camera_params.json` (one K, an OpenCV world-to-camera matrix for each serial number), and the
// `transforms.json` of NeRF programs (camera-to-world in OpenGL's axes: y up, z backwards).
// Sources: tobias-kirschstein/nersemble-data, README and loader; nerfstudio's documentation, "Data conventions".

import { z } from 'zod';
import { BadInputError } from '../errors/index.ts';
import { type Camera, invertTransform, type RigidTransform } from '../geometry/index.ts';
import { camerasOfFile, rigid, stemOf } from './camera-file.ts';

/** A camera without its picture's size, where the file does not say it. */
export type CalibratedCamera = Omit<Camera, 'width' | 'height'>;

const row = z.array(z.number());
const nersembleSchema = z.object({
  world_2_cam: z.record(z.string(), z.array(row).min(3)),
  intrinsics: z.array(row).min(2),
});
const lensSchema = {
  fl_x: z.number().optional(),
  fl_y: z.number().optional(),
  cx: z.number().optional(),
  cy: z.number().optional(),
  w: z.number().optional(),
  h: z.number().optional(),
  camera_angle_x: z.number().optional(),
};
const transformsSchema = z.object({
  ...lensSchema,
  frames: z.array(z.object({ ...lensSchema, file_path: z.string(), transform_matrix: z.array(row).min(3) })),
});

/**
 * Reads the cameras of a calibration file by name: serial numbers, or names of pictures without folder and ending.
 * @param scale factor on all pixel values, where pictures were made smaller after the calibration
 * @throws BadInputError `bad-calibration`
 */
export function parseCalibration(bytes: Uint8Array, name: string, scale = 1): Map<string, CalibratedCamera> {
  const reject = (problem: string, cause?: unknown): BadInputError =>
    new BadInputError({
      code: 'bad-calibration',
      message: `Expected ${name} to hold calibrated cameras, but ${problem}.`,
      hint: 'Get it again from its source, or name another file or none in the mapping.',
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw reject('it is not JSON', cause);
  }
  const cameras = camerasOf(json, reject);
  for (const [view, camera] of cameras) {
    const { focalXPx, focalYPx, centreXPx, centreYPx, cameraFromWorld } = camera;
    if (!isRotation(cameraFromWorld.rotation)) throw reject(`the matrix of ${view} does not turn rigidly`);
    const values = { focalXPx, focalYPx, centreXPx, centreYPx };
    const scaled = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, scale * value]));
    cameras.set(view, { ...camera, ...scaled });
  }
  return cameras;
}

type Reject = (problem: string, cause?: unknown) => BadInputError;

function camerasOf(json: unknown, reject: Reject): Map<string, CalibratedCamera> {
  const has = (key: string): boolean => typeof json === 'object' && json !== null && key in json;
  if (has('format')) {
    const cameras = camerasOfFile(json);
    if (typeof cameras === 'string') throw reject(cameras);
    return cameras;
  }
  const result = (has('world_2_cam') ? nersembleSchema : transformsSchema).safeParse(json);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw reject(`${path.join('.') || 'it'}: ${message}`, result.error);
  }
  return 'world_2_cam' in result.data ? nersembleCameras(result.data) : transformCameras(result.data, reject);
}

function nersembleCameras({
  world_2_cam,
  intrinsics: k,
}: z.output<typeof nersembleSchema>): Map<string, CalibratedCamera> {
  const lens = { focalXPx: k[0]![0]!, focalYPx: k[1]![1]!, centreXPx: k[0]![2]!, centreYPx: k[1]![2]! };
  return new Map(
    Object.entries(world_2_cam).map(([serial, matrix]) => [
      serial,
      { ...lens, cameraFromWorld: rigid(matrix) },
    ]),
  );
}

function transformCameras(
  { frames, ...shared }: z.output<typeof transformsSchema>,
  reject: (problem: string) => BadInputError,
): Map<string, CalibratedCamera> {
  return new Map(
    frames.map(({ file_path, transform_matrix, ...own }) => {
      const lens = { ...shared, ...definedOf(own) };
      const { w, h, camera_angle_x } = lens;
      const focal = lens.fl_x ?? (w && camera_angle_x ? w / 2 / Math.tan(camera_angle_x / 2) : undefined);
      const [centreX, centreY] = [lens.cx ?? (w && w / 2), lens.cy ?? (h && h / 2)];
      if (focal === undefined || centreX === undefined || centreY === undefined) {
        throw reject(`${file_path} has no focal length or centre (fl_x, cx, cy, or w, h and camera_angle_x)`);
      }
      const worldFromCamera = rigid(transform_matrix);
      const r = worldFromCamera.rotation;
      // OpenGL's camera looks along -z with y up: turn its axes to OpenCV's.
      const rotation = Float64Array.from({ length: 9 }, (_, i) => (i % 3 === 0 ? r[i]! : -r[i]!));
      const camera = {
        focalXPx: focal,
        focalYPx: lens.fl_y ?? focal,
        centreXPx: centreX,
        centreYPx: centreY,
        cameraFromWorld: plain(invertTransform({ ...worldFromCamera, rotation })),
      };
      return [stemOf(file_path), camera];
    }),
  );
}

function definedOf<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** As lists, so that it can be written as JSON. */
function plain({ rotation, translation }: RigidTransform): RigidTransform {
  return { rotation: Array.from(rotation), translation: Array.from(translation) };
}

function isRotation(r: ArrayLike<number>): boolean {
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j <= i; j++) {
      const product = [0, 1, 2].reduce((sum, k) => sum + r[3 * i + k]! * r[3 * j + k]!, 0);
      // Not below the tolerance where a value is missing.
      if (!(Math.abs(product - (i === j ? 1 : 0)) < 1e-3)) return false;
    }
  }
  return true;
}
