// The gradient of the projection: from the sums over pixels to means, scales and opacities.

import { sumsAt } from './splatting-blend-backward';
import { LOW_PASS_PX2 } from '../splatting-constants';
import { orderAt, visible } from './splatting-projection';
import {
  SUMS,
  SUM_H,
  SUM_X,
  SUM_XX,
  SUM_XY,
  SUM_Y,
  SUM_YY,
  count,
  opacitiesAt,
  scalesAt,
} from './splatting-scene';
import {
  cam,
  covXX,
  covXY,
  covYY,
  isClampedX,
  isClampedY,
  tangentX,
  tangentY,
  viewCovariance,
  viewMean,
  viewX,
  viewY,
  viewZ,
} from './splatting-view';

/**
 * The gradient of the projection, after `blendBackward`.
 * Reads sums and the scene; writes gradMeans (f32 N 3), gradScales (f32 N), gradOpacities (f32 N).
 */
export function projectBackward(gradMeans: usize, gradScales: usize, gradOpacities: usize): void {
  memory.fill(gradMeans, 0, (count as usize) * 12);
  memory.fill(gradScales, 0, (count as usize) << 2);
  memory.fill(gradOpacities, 0, (count as usize) << 2);
  const fx = cam(12);
  const fy = cam(13);
  for (let k = 0; k < visible; k++) {
    const i: i32 = load<u32>(orderAt + (k << 2));
    const sums = sumsAt + (i as usize) * SUMS;
    viewMean(i);
    viewCovariance(i);
    const xx = covXX + LOW_PASS_PX2;
    const yy = covYY + LOW_PASS_PX2;
    const determinant = xx * yy - covXY * covXY;
    const kxx = yy / determinant;
    const kxy = -covXY / determinant;
    const kyy = xx / determinant;
    const h: f64 = load<f32>(sums, SUM_H);
    const sumX: f64 = load<f32>(sums, SUM_X);
    const sumY: f64 = load<f32>(sums, SUM_Y);
    store<f32>(gradOpacities + (i << 2), f32(h / f64(load<f32>(opacitiesAt + (i << 2)))));

    const gradMeanX = -(kxx * sumX + kxy * sumY);
    const gradMeanY = -(kxy * sumX + kyy * sumY);
    // dL/dK of K = inverse covariance, symmetric; then dL/dcov = -K dL/dK K.
    const gxx = -0.5 * load<f32>(sums, SUM_XX);
    const gxy = -0.5 * load<f32>(sums, SUM_XY);
    const gyy = -0.5 * load<f32>(sums, SUM_YY);
    const txx = kxx * gxx + kxy * gxy;
    const txy = kxx * gxy + kxy * gyy;
    const tyx = kxy * gxx + kyy * gxy;
    const tyy = kxy * gxy + kyy * gyy;
    const gradXX = -(txx * kxx + txy * kxy);
    const gradXY = -2.0 * (txx * kxy + txy * kyy);
    const gradYY = -(tyx * kxy + tyy * kyy);

    const homogeneous = covXX * gradXX + covXY * gradXY + covYY * gradYY;
    const scale: f64 = load<f32>(scalesAt + (i << 2));
    store<f32>(gradScales + (i << 2), f32(scale > 0 ? (2.0 * homogeneous) / scale : 0));
    const sx = (scale * fx) / viewZ;
    const sy = (scale * fy) / viewZ;
    const gradTangentX = isClampedX ? 0 : 2.0 * sx * sx * tangentX * gradXX + sx * sy * tangentY * gradXY;
    const gradTangentY = isClampedY ? 0 : 2.0 * sy * sy * tangentY * gradYY + sx * sy * tangentX * gradXY;
    const gradU = fx * gradMeanX + gradTangentX;
    const gradV = fy * gradMeanY + gradTangentY;
    const gradX = gradU / viewZ;
    const gradY = gradV / viewZ;
    const gradZ = -(gradU * viewX + gradV * viewY) / (viewZ * viewZ) - (2.0 * homogeneous) / viewZ;
    const at = gradMeans + i * 12;
    store<f32>(at, f32(cam(0) * gradX + cam(3) * gradY + cam(6) * gradZ));
    store<f32>(at, f32(cam(1) * gradX + cam(4) * gradY + cam(7) * gradZ), 4);
    store<f32>(at, f32(cam(2) * gradX + cam(5) * gradY + cam(8) * gradZ), 8);
  }
}
