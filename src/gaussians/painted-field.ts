// Gaussians that also carry the reference's colour: each looks its surface point up in the reference picture, and
// the same splatting brings colour and trust to the target's pose beside the learned features.
// Departs: the paper's Gaussians carry features alone; the appearance comes by attention only.

import type { Camera } from '../geometry/index.ts';
import { transformPoint, vertexNormals } from '../geometry/index.ts';
import { type HeadModel, PAINT_CHANNELS } from '../head/index.ts';
import type { Rasteriser } from '../kernels/index.ts';
import type { GaussianBinding } from './gaussian-binding.ts';
import { poseGaussians } from './gaussian-binding.ts';
import type { ActivatedField } from './gaussian-field.ts';

/** A picture of a person with the head fitted to it. */
export type PaintSource = {
  /** Planar `3 H W` in [-1, 1]. */
  readonly picture: Float32Array;
  /** Of the picture's size. */
  readonly camera: Camera;
  /** `V 3`, the fitted head's posed vertices. */
  readonly vertices: Float32Array;
};

/** What painting needs besides. */
export type PaintTools = {
  readonly head: Pick<HeadModel, 'triangles'>;
  readonly binding: GaussianBinding;
  readonly rasteriser: Rasteriser;
};

/** Farther than this behind what the picture shows, a Gaussian is hidden; metres. */
const DEPTH_TOLERANCE = 0.004;
/** Cosines between a surface and the view from where on its colour is trusted not at all, and wholly. */
const GRAZING = [0.1, 0.4] as const;

/** The colours of a binding's Gaussians in a picture, times how far they are seen, and how far: `N 4`. */
export function paintGaussians(
  { head, binding, rasteriser }: PaintTools,
  { picture, camera, vertices }: PaintSource,
): Float32Array {
  const { width, height } = camera;
  const pixels = width * height;
  const means = poseGaussians(binding, vertices);
  const normals = poseGaussians(binding, vertexNormals(vertices, head.triangles));
  const { depths } = rasteriser.rasterise({ camera, vertices, triangles: head.triangles });
  const { rotation } = camera.cameraFromWorld;
  const painting = new Float32Array((means.length / 3) * PAINT_CHANNELS);
  for (let i = 0; i < means.length / 3; i++) {
    const [x, y, z] = transformPoint(camera.cameraFromWorld, means.subarray(3 * i, 3 * i + 3));
    const column = (camera.focalXPx * x!) / z! + camera.centreXPx;
    const row = (camera.focalYPx * y!) / z! + camera.centreYPx;
    if (!(z! > 0 && column >= 0 && row >= 0 && column < width && row < height)) continue;
    if (z! > depths[Math.floor(row) * width + Math.floor(column)]! + DEPTH_TOLERANCE) continue;
    const normal = normals.subarray(3 * i, 3 * i + 3);
    const [nx, ny, nz] = [0, 1, 2].map((k) =>
      [0, 1, 2].reduce((sum, j) => sum + rotation[3 * k + j]! * normal[j]!, 0),
    ) as [number, number, number];
    const cosine = -(nx * x! + ny * y! + nz * z!) / (Math.hypot(nx, ny, nz) * Math.hypot(x!, y!, z!));
    const trust = Math.min(1, Math.max(0, (cosine - GRAZING[0]) / (GRAZING[1] - GRAZING[0])));
    if (!(trust > 0)) continue;
    for (let c = 0; c < 3; c++) {
      const plane = picture.subarray(c * pixels, (c + 1) * pixels);
      painting[i * PAINT_CHANNELS + c] = trust * bilinear(plane, width, height, column, row);
    }
    painting[i * PAINT_CHANNELS + 3] = trust;
  }
  return painting;
}

/** A field whose features are followed by a painting's four: what is splatted for one reference. */
export function paintedField(field: ActivatedField, painting: Float32Array): ActivatedField {
  const channels = field.channels + PAINT_CHANNELS;
  const features = new Float32Array(field.opacities.length * channels);
  for (let i = 0; i < field.opacities.length; i++) {
    features.set(field.features.subarray(i * field.channels, (i + 1) * field.channels), i * channels);
    features.set(
      painting.subarray(i * PAINT_CHANNELS, (i + 1) * PAINT_CHANNELS),
      i * channels + field.channels,
    );
  }
  return { ...field, channels, features };
}

/** Of a gradient of a painted field's features (`N C+4`), the part of the field's own (`N C`): paint is given. */
export function withoutPaint(features: Float32Array, channels: number): Float32Array {
  const stride = channels + PAINT_CHANNELS;
  const own = new Float32Array((features.length / stride) * channels);
  for (let i = 0; i < own.length / channels; i++) {
    own.set(features.subarray(i * stride, i * stride + channels), i * channels);
  }
  return own;
}

function bilinear(plane: Float32Array, width: number, height: number, column: number, row: number): number {
  const x = Math.min(width - 1, Math.max(0, column - 0.5));
  const y = Math.min(height - 1, Math.max(0, row - 0.5));
  const [left, top] = [Math.min(width - 2, Math.floor(x)), Math.min(height - 2, Math.floor(y))];
  const [fx, fy] = [x - left, y - top];
  const at = top * width + left;
  const upper = plane[at]! + fx * (plane[at + 1]! - plane[at]!);
  const lower = plane[at + width]! + fx * (plane[at + width + 1]! - plane[at + width]!);
  return upper + fy * (lower - upper);
}
