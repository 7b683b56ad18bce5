// A Gaussian as the camera sees it, in float64.

import { FIELD_MARGIN } from '../splatting-constants';
import { cameraAt, height, meansAt, scalesAt, width } from './splatting-scene';

// The view of one Gaussian: camera coordinates, the tangent at which the Jacobian is taken, the covariance.
export let viewX: f64 = 0;
export let viewY: f64 = 0;
export let viewZ: f64 = 0;
export let tangentX: f64 = 0;
export let tangentY: f64 = 0;
export let isClampedX: bool = false;
export let isClampedY: bool = false;
export let covXX: f64 = 0; // without the low-pass
export let covXY: f64 = 0;
export let covYY: f64 = 0;

@inline
export function cam(i: usize): f64 {
  return load<f64>(cameraAt + (i << 3));
}

/** Fills view*; the rest by `viewCovariance`, for Gaussians before the near plane. */
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
  const fx = cam(12);
  const fy = cam(13);
  const scale: f64 = load<f32>(scalesAt + (i << 2));
  const marginX = (FIELD_MARGIN * 0.5 * f64(width)) / fx;
  const marginY = (FIELD_MARGIN * 0.5 * f64(height)) / fy;
  const u = viewX / viewZ;
  const v = viewY / viewZ;
  tangentX = min((f64(width) - cam(14)) / fx + marginX, max(-cam(14) / fx - marginX, u));
  tangentY = min((f64(height) - cam(15)) / fy + marginY, max(-cam(15) / fy - marginY, v));
  isClampedX = tangentX != u;
  isClampedY = tangentY != v;
  const sx = (scale * fx) / viewZ;
  const sy = (scale * fy) / viewZ;
  covXX = sx * sx * (1.0 + tangentX * tangentX);
  covXY = sx * sy * tangentX * tangentY;
  covYY = sy * sy * (1.0 + tangentY * tangentY);
}
