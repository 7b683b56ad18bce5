// A Gaussian as the camera sees it, in float64.

import { FIELD_MARGIN } from '../splatting-constants';
import { cameraAt, height, meansAt, rotationsAt, scalesAt, width } from './splatting-scene';

// The view of one Gaussian: camera coordinates, the tangent at which the Jacobian is taken, the covariance.
export let viewX: f64 = 0;
export let viewY: f64 = 0;
export let viewZ: f64 = 0;
export let inverseZ: f64 = 0;
export let tangentX: f64 = 0;
export let tangentY: f64 = 0;
export let isClampedX: bool = false;
export let isClampedY: bool = false;
export let covXX: f64 = 0; // without the low-pass
export let covXY: f64 = 0;
export let covYY: f64 = 0;

// Of an ellipsoid: its unit quaternion, its rotation (3 x 3), its unit axes as columns in camera axes, and
// the columns of those times the scales on the image (2 x 3); all f64.
const NUMBERS: usize = memory.data(28 * 8, 16);
export const UNIT: usize = NUMBERS;
export const ROTATION: usize = UNIT + 32;
export const TURNED: usize = ROTATION + 72;
export const IMAGE_AXES: usize = TURNED + 72;
export let quaternionLength: f64 = 0;

// The widened field of view, as tangents.
let lowX: f64 = 0;
let highX: f64 = 0;
let lowY: f64 = 0;
let highY: f64 = 0;

@inline
export function cam(i: usize): f64 {
  return load<f64>(cameraAt + (i << 3));
}

/** Prepares what all Gaussians share. */
export function prepareView(): void {
  const marginX = (FIELD_MARGIN * 0.5 * f64(width)) / cam(12);
  const marginY = (FIELD_MARGIN * 0.5 * f64(height)) / cam(13);
  lowX = -cam(14) / cam(12) - marginX;
  highX = (f64(width) - cam(14)) / cam(12) + marginX;
  lowY = -cam(15) / cam(13) - marginY;
  highY = (f64(height) - cam(15)) / cam(13) + marginY;
}

/** Fills view*, after `prepareView`; the rest by `viewCovariance`, for Gaussians before the near plane. */
@inline
export function viewMean(i: i32): void {
  const at = meansAt + i * 12;
  const x: f64 = load<f32>(at);
  const y: f64 = load<f32>(at, 4);
  const z: f64 = load<f32>(at, 8);
  viewX = cam(0) * x + cam(1) * y + cam(2) * z + cam(9);
  viewY = cam(3) * x + cam(4) * y + cam(5) * z + cam(10);
  viewZ = cam(6) * x + cam(7) * y + cam(8) * z + cam(11);
}

@inline
export function viewCovariance(i: i32): void {
  inverseZ = 1.0 / viewZ;
  const u = viewX * inverseZ;
  const v = viewY * inverseZ;
  tangentX = u < lowX ? lowX : u > highX ? highX : u;
  tangentY = v < lowY ? lowY : v > highY ? highY : v;
  isClampedX = tangentX != u;
  isClampedY = tangentY != v;
  if (rotationsAt != 0) {
    viewEllipsoid(i);
    return;
  }
  const scale: f64 = load<f32>(scalesAt + (i << 2));
  const sx = scale * cam(12) * inverseZ;
  const sy = scale * cam(13) * inverseZ;
  covXX = sx * sx * (1.0 + tangentX * tangentX);
  covXY = sx * sy * tangentX * tangentY;
  covYY = sy * sy * (1.0 + tangentY * tangentY);
}

/** The covariance (J A) (J A)^T of an ellipsoid, with A its axes times its scales. */
function viewEllipsoid(i: i32): void {
  const quaternion = rotationsAt + ((i as usize) << 4);
  const qw: f64 = load<f32>(quaternion);
  const qx: f64 = load<f32>(quaternion, 4);
  const qy: f64 = load<f32>(quaternion, 8);
  const qz: f64 = load<f32>(quaternion, 12);
  quaternionLength = sqrt(qw * qw + qx * qx + qy * qy + qz * qz);
  const w = qw / quaternionLength;
  const x = qx / quaternionLength;
  const y = qy / quaternionLength;
  const z = qz / quaternionLength;
  store<f64>(UNIT, w);
  store<f64>(UNIT, x, 8);
  store<f64>(UNIT, y, 16);
  store<f64>(UNIT, z, 24);
  store<f64>(ROTATION, 1.0 - 2.0 * (y * y + z * z));
  store<f64>(ROTATION, 2.0 * (x * y - w * z), 8);
  store<f64>(ROTATION, 2.0 * (x * z + w * y), 16);
  store<f64>(ROTATION, 2.0 * (x * y + w * z), 24);
  store<f64>(ROTATION, 1.0 - 2.0 * (x * x + z * z), 32);
  store<f64>(ROTATION, 2.0 * (y * z - w * x), 40);
  store<f64>(ROTATION, 2.0 * (x * z - w * y), 48);
  store<f64>(ROTATION, 2.0 * (y * z + w * x), 56);
  store<f64>(ROTATION, 1.0 - 2.0 * (x * x + y * y), 64);

  const fx = cam(12) * inverseZ;
  const fy = cam(13) * inverseZ;
  const scales = scalesAt + i * 12;
  covXX = 0;
  covXY = 0;
  covYY = 0;
  for (let j: usize = 0; j < 3; j++) {
    const column = ROTATION + (j << 3);
    const r0 = load<f64>(column);
    const r1 = load<f64>(column, 24);
    const r2 = load<f64>(column, 48);
    const a0 = cam(0) * r0 + cam(1) * r1 + cam(2) * r2;
    const a1 = cam(3) * r0 + cam(4) * r1 + cam(5) * r2;
    const a2 = cam(6) * r0 + cam(7) * r1 + cam(8) * r2;
    const turned = TURNED + (j << 3);
    store<f64>(turned, a0);
    store<f64>(turned, a1, 24);
    store<f64>(turned, a2, 48);
    const scale: f64 = load<f32>(scales + (j << 2));
    const mx = scale * fx * (a0 - tangentX * a2);
    const my = scale * fy * (a1 - tangentY * a2);
    store<f64>(IMAGE_AXES + (j << 3), mx);
    store<f64>(IMAGE_AXES + (j << 3), my, 24);
    covXX += mx * mx;
    covXY += mx * my;
    covYY += my * my;
  }
}
