// FLAME's parameters as other projects keep them: one `.npz` for a clip, or a folder with one for each frame and the
// camera beside them (the layout of VHAP, GaussianAvatars and LAM). Rotations are axis-angle, lengths metres.
// Source of names and shapes: files of VHAP's exporter as GaussianAvatars and LAM read them.

import { BadInputError } from '../errors/index.ts';
import { frameCount, type HeadModel, type HeadTrack } from '../head/index.ts';
import { encodeNpz, type NumpyArray } from '../numpy/index.ts';
import type { SourceFile } from './source-files.ts';

/** What FLAME's own coefficients are padded to: most readers expect these lengths. */
const [SHAPE_LENGTH, EXPRESSION_LENGTH] = [300, 100] as const;
/** The canonical pose of VHAP: the mouth a little open, so that upper and lower lip are apart. */
const CANONICAL_JAW = 0.3;
const DECIMALS = 5;

/** What a head's expression coefficients are in FLAME's files. */
export type ExpressionLayout = {
  /** Indices of FLAME's own components, in their order. */
  readonly components: readonly number[];
  /** Indices of the left and right lid, or none. */
  readonly eyelids: readonly number[];
};

/** Divides a FLAME head's expressions. @throws BadInputError `head-not-flame` for a head with ARKit's units. */
export function expressionLayout(head: HeadModel): ExpressionLayout {
  if (head.expressionNames.includes('jawOpen')) {
    throw new BadInputError({
      code: 'head-not-flame',
      message: `expected a FLAME head for FLAME parameters, but ${head.name} has expression units of its own`,
      hint: 'name an imported FLAME head: --head flame.head to read, head convert T.track --to flame.head to write',
    });
  }
  const eyelids = head.eyelidExpressions;
  const components = head.expressionNames.map((_, k) => k).filter((k) => !eyelids.includes(k));
  return { components, eyelids };
}

/**
 * A whole track as one `.npz`: `shape`, and per frame `expr`, `rotation`, `neck_pose`, `jaw_pose`, `eyes_pose`,
 * `translation`; `eyelids` where the head has them; and of this project's own `timestamps_seconds`, `confidence`,
 * `focal_px`, `image_size` (width, height). The camera stands at the origin and looks along -z, y up.
 * @throws BadInputError `head-not-flame`.
 */
export function encodeFlameParameters(track: HeadTrack, head: HeadModel): Uint8Array<ArrayBuffer> {
  const layout = expressionLayout(head);
  const frames = frameCount(track);
  return encodeNpz({
    shape: vector(paddedShape(track)),
    ...sequences(track, layout, 0, frames),
    timestamps_seconds: { shape: [frames], data: track.timestampsSeconds },
    confidence: { shape: [frames], data: track.confidence },
    focal_px: { shape: [1], data: Float32Array.of(track.focalPx) },
    image_size: { shape: [2], data: Int32Array.of(track.width, track.height) },
  });
}

/**
 * A track as a folder: `flame_param/00000.npz` and so on, `canonical_flame_param.npz`, and `transforms.json` with the
 * camera of every frame. `pictureOf` names the frame's picture in it.
 * @throws BadInputError `head-not-flame`.
 */
export function encodeFlameFolder(
  track: HeadTrack,
  head: HeadModel,
  {
    pictureOf = (frame) => `images/${frameName(frame)}.png`,
  }: { readonly pictureOf?: (frame: number) => string } = {},
): SourceFile[] {
  const layout = expressionLayout(head);
  const frames = frameCount(track);
  const shape = vector(paddedShape(track));
  const files = Array.from(
    { length: frames },
    (_, t): SourceFile => ({
      name: `flame_param/${frameName(t)}.npz`,
      bytes: encodeNpz({ ...sequences(track, layout, t, t + 1), shape }),
    }),
  );
  const zeros = (width: number): NumpyArray => ({ shape: [1, width], data: new Float32Array(width) });
  files.push({
    name: 'canonical_flame_param.npz',
    bytes: encodeNpz({
      translation: zeros(3),
      rotation: zeros(3),
      neck_pose: zeros(3),
      jaw_pose: { shape: [1, 3], data: Float32Array.of(CANONICAL_JAW, 0, 0) },
      eyes_pose: zeros(6),
      shape,
      expr: zeros(Math.max(EXPRESSION_LENGTH, layout.components.length)),
    }),
  });
  files.push({ name: 'transforms.json', bytes: new TextEncoder().encode(transforms(track, pictureOf)) });
  return files;
}

function frameName(frame: number): string {
  return String(frame).padStart(DECIMALS, '0');
}

function vector(data: Float32Array): NumpyArray {
  return { shape: [data.length], data };
}

function paddedShape({ identity }: HeadTrack): Float32Array {
  const shape = new Float32Array(Math.max(SHAPE_LENGTH, identity.length));
  shape.set(identity);
  return shape;
}

/** The arrays of frames `from` to `to`, each `T width`. */
function sequences(
  track: HeadTrack,
  { components, eyelids }: ExpressionLayout,
  from: number,
  to: number,
): Record<string, NumpyArray> {
  const total = frameCount(track);
  const rows = (width: number, data: Float32Array, indices: readonly number[]): NumpyArray => {
    const stride = data.length / total;
    const out = new Float32Array((to - from) * width);
    for (let t = from; t < to; t++) {
      for (const [at, index] of indices.entries()) out[(t - from) * width + at] = data[t * stride + index]!;
    }
    return { shape: [to - from, width], data: out };
  };
  const joints = (first: number, width: number): NumpyArray =>
    rows(
      width,
      track.jointRotations,
      Array.from({ length: width }, (_, i) => first + i),
    );
  return {
    expr: rows(Math.max(EXPRESSION_LENGTH, components.length), track.expression, components),
    rotation: joints(0, 3),
    neck_pose: joints(3, 3),
    jaw_pose: joints(6, 3),
    eyes_pose: joints(9, 6),
    translation: rows(3, track.translation, [0, 1, 2]),
    ...(eyelids.length > 0 && { eyelids: rows(2, track.expression, eyelids) }),
  };
}

/** Cameras as NeRF's tools write them: world from camera, the camera looking along -z with y up, as here. */
function transforms(track: HeadTrack, pictureOf: (frame: number) => string): string {
  const { width, height, focalPx } = track;
  const camera = {
    cx: width / 2,
    cy: height / 2,
    fl_x: focalPx,
    fl_y: focalPx,
    h: height,
    w: width,
    camera_angle_x: 2 * Math.atan(width / (2 * focalPx)),
    camera_angle_y: 2 * Math.atan(height / (2 * focalPx)),
  };
  const indices = Array.from(track.timestampsSeconds, (_, t) => t);
  const frames = indices.map((t) => ({
    timestep_index: t,
    timestep_index_original: t,
    timestep_id: `frame_${frameName(t)}`,
    timestamp_seconds: track.timestampsSeconds[t],
    camera_index: 0,
    camera_id: '0',
    ...camera,
    transform_matrix: [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ],
    file_path: pictureOf(t),
    flame_param_path: `flame_param/${frameName(t)}.npz`,
  }));
  return JSON.stringify({ frames, ...camera, timestep_indices: indices, camera_indices: [0] });
}
