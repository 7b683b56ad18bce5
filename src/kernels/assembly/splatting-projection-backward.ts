// The gradient of the projection: from the sums over pixels to means, scales, rotations and opacities.

import { sumsAt } from './splatting-blend-backward';
import { LOW_PASS_PX2 } from '../splatting-constants';
import { LOG2_E } from './splatting-projection';
import {
  RADIUS_Y,
  RECORD,
  SUMS,
  SUM_H,
  SUM_R,
  SUM_RR,
  SUM_RY,
  SUM_Y,
  SUM_YY,
  UNSEEN,
  count,
  opacitiesAt,
  recordsAt,
  rotationsAt,
  scalesAt,
} from './splatting-scene';
import {
  IMAGE_AXES,
  TURNED,
  UNIT,
  cam,
  covXX,
  covXY,
  covYY,
  inverseZ,
  isClampedX,
  isClampedY,
  quaternionLength,
  tangentX,
  tangentY,
  viewCovariance,
  viewMean,
  viewX,
  viewY,
} from './splatting-view';

const GRAD_ROTATION: usize = memory.data(72, 16); // f64 3 x 3
let tangentGradientX: f64 = 0;
let tangentGradientY: f64 = 0;

/**
 * The gradient of the projection, after `blendBackward`.
 * Reads sums and the scene; writes gradMeans (f32 N 3), gradScales (f32 N, or N 3 with rotations),
 * gradRotations (f32 N 4, with rotations only), gradOpacities (f32 N).
 */
export function projectBackward(
  gradMeans: usize, gradScales: usize, gradRotations: usize, gradOpacities: usize,
): void {
  const isTurned = rotationsAt != 0;
  memory.fill(gradMeans, 0, (count as usize) * 12);
  memory.fill(gradScales, 0, (count as usize) * (isTurned ? 12 : 4));
  if (isTurned) memory.fill(gradRotations, 0, (count as usize) << 4);
  memory.fill(gradOpacities, 0, (count as usize) << 2);
  for (let i = 0; i < count; i++) {
    if (load<f32>(recordsAt + (i as usize) * RECORD, RADIUS_Y) == UNSEEN) continue;
    const sums = sumsAt + (i as usize) * SUMS;
    viewMean(i);
    viewCovariance(i);
    const xx = covXX + LOW_PASS_PX2;
    const yy = covYY + LOW_PASS_PX2;
    const determinant = xx * yy - covXY * covXY;
    const h: f64 = load<f32>(sums, SUM_H);
    store<f32>(gradOpacities + (i << 2), f32(h / f64(load<f32>(opacitiesAt + (i << 2)))));

    // With K the inverse covariance and d = (dx, dy): dL/dmean = -sum h K d, dL/dcov = sum h (K d)(K d)^T / 2,
    // and K d = 2 ln 2 (SA r, SB r + E y).
    const rootA = sqrt((0.5 * LOG2_E * yy) / determinant);
    const vx = (2.0 * rootA) / LOG2_E;
    const vy = (-vx * covXY) / yy;
    const ve = 1.0 / yy;
    const sumR: f64 = load<f32>(sums, SUM_R);
    const sumRR: f64 = load<f32>(sums, SUM_RR);
    const sumRY: f64 = load<f32>(sums, SUM_RY);
    const gradMeanX = -vx * sumR;
    const gradMeanY = -(vy * sumR + ve * f64(load<f32>(sums, SUM_Y)));
    const gradXX = 0.5 * vx * vx * sumRR;
    const gradXY = vx * (vy * sumRR + ve * sumRY);
    const gradYY = 0.5 * (vy * vy * sumRR + 2.0 * vy * ve * sumRY + ve * ve * f64(load<f32>(sums, SUM_YY)));

    const homogeneous = covXX * gradXX + covXY * gradXY + covYY * gradYY;
    if (isTurned) {
      ellipsoidBackward(i, gradXX, gradXY, gradYY, gradScales + i * 12, gradRotations + (i << 4));
    } else {
      const scale: f64 = load<f32>(scalesAt + (i << 2));
      store<f32>(gradScales + (i << 2), f32(scale > 0 ? (2.0 * homogeneous) / scale : 0));
      const sx = scale * cam(12) * inverseZ;
      const sy = scale * cam(13) * inverseZ;
      tangentGradientX = 2.0 * sx * sx * tangentX * gradXX + sx * sy * tangentY * gradXY;
      tangentGradientY = 2.0 * sy * sy * tangentY * gradYY + sx * sy * tangentX * gradXY;
    }
    const gradU = cam(12) * gradMeanX + (isClampedX ? 0 : tangentGradientX);
    const gradV = cam(13) * gradMeanY + (isClampedY ? 0 : tangentGradientY);
    const gradX = gradU * inverseZ;
    const gradY = gradV * inverseZ;
    const gradZ = -(gradX * viewX + gradY * viewY + 2.0 * homogeneous) * inverseZ;
    const at = gradMeans + i * 12;
    store<f32>(at, f32(cam(0) * gradX + cam(3) * gradY + cam(6) * gradZ));
    store<f32>(at, f32(cam(1) * gradX + cam(4) * gradY + cam(7) * gradZ), 4);
    store<f32>(at, f32(cam(2) * gradX + cam(5) * gradY + cam(8) * gradZ), 8);
  }
}

/**
 * Of an ellipsoid, from the gradient of its covariance (XY counted once): scales, rotation, tangents.
 * With M = J A on the image: dM = (G + G^T) M, dA = J^T dM, and A = camera rotation * rotation * scales.
 */
function ellipsoidBackward(
  i: i32, gradXX: f64, gradXY: f64, gradYY: f64, gradScales: usize, gradQuaternion: usize,
): void {
  const fx = cam(12) * inverseZ;
  const fy = cam(13) * inverseZ;
  tangentGradientX = 0;
  tangentGradientY = 0;
  for (let j: usize = 0; j < 3; j++) {
    const scale: f64 = load<f32>(scalesAt + i * 12 + ((j as i32) << 2));
    const mx = load<f64>(IMAGE_AXES + (j << 3));
    const my = load<f64>(IMAGE_AXES + (j << 3), 24);
    const gradMx = 2.0 * gradXX * mx + gradXY * my;
    const gradMy = 2.0 * gradYY * my + gradXY * mx;
    const turned = TURNED + (j << 3);
    const depth = load<f64>(turned, 48) * scale;
    tangentGradientX -= fx * gradMx * depth;
    tangentGradientY -= fy * gradMy * depth;
    const a0 = fx * gradMx;
    const a1 = fy * gradMy;
    const a2 = -(a0 * tangentX + a1 * tangentY);
    const gradScale = load<f64>(turned) * a0 + load<f64>(turned, 24) * a1 + load<f64>(turned, 48) * a2;
    store<f32>(gradScales + (j << 2), f32(gradScale));
    const column = GRAD_ROTATION + (j << 3);
    store<f64>(column, scale * (cam(0) * a0 + cam(3) * a1 + cam(6) * a2));
    store<f64>(column, scale * (cam(1) * a0 + cam(4) * a1 + cam(7) * a2), 24);
    store<f64>(column, scale * (cam(2) * a0 + cam(5) * a1 + cam(8) * a2), 48);
  }
  quaternionBackward(gradQuaternion);
}

/** From the gradient of a rotation's nine values to that of its quaternion, of any length. */
function quaternionBackward(target: usize): void {
  const w = load<f64>(UNIT);
  const x = load<f64>(UNIT, 8);
  const y = load<f64>(UNIT, 16);
  const z = load<f64>(UNIT, 24);
  const d21 = grad(2, 1) - grad(1, 2);
  const d02 = grad(0, 2) - grad(2, 0);
  const d10 = grad(1, 0) - grad(0, 1);
  const s01 = grad(0, 1) + grad(1, 0);
  const s02 = grad(0, 2) + grad(2, 0);
  const s12 = grad(1, 2) + grad(2, 1);
  const gw = 2.0 * (x * d21 + y * d02 + z * d10);
  const gx = 2.0 * (w * d21 + y * s01 + z * s02 - 2.0 * x * (grad(1, 1) + grad(2, 2)));
  const gy = 2.0 * (w * d02 + x * s01 + z * s12 - 2.0 * y * (grad(0, 0) + grad(2, 2)));
  const gz = 2.0 * (w * d10 + x * s02 + y * s12 - 2.0 * z * (grad(0, 0) + grad(1, 1)));
  const along = gw * w + gx * x + gy * y + gz * z;
  store<f32>(target, f32((gw - along * w) / quaternionLength));
  store<f32>(target, f32((gx - along * x) / quaternionLength), 4);
  store<f32>(target, f32((gy - along * y) / quaternionLength), 8);
  store<f32>(target, f32((gz - along * z) / quaternionLength), 12);
}

@inline
function grad(row: usize, column: usize): f64 {
  return load<f64>(GRAD_ROTATION + ((row * 3 + column) << 3));
}
