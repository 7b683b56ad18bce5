// One isotropic Gaussian through a pinhole camera, and the gradient back.
// The covariance is projected by the Jacobian of the perspective at the mean (Zwicker et al., "EWA
// splatting", 2002), taken inside a widened field of view as gsplat does, plus a low-pass.

import type { Camera } from '../geometry/index.ts';
import { FIELD_MARGIN, LOW_PASS_PX2 } from '../kernels/index.ts';
import type { Reals } from './splat-scene.ts';

/** A Gaussian as a camera sees it. */
export type GaussianView = {
  /** The mean in camera axes, metres. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly scale: number;
  /** x/z and y/z, brought into the widened field of view. */
  readonly tangentX: number;
  readonly tangentY: number;
  /** Pixels. */
  readonly meanX: number;
  readonly meanY: number;
  /** Covariance on the image without the low-pass, px^2. */
  readonly covXX: number;
  readonly covXY: number;
  readonly covYY: number;
  /** The inverse of the covariance with the low-pass, px^-2. */
  readonly kxx: number;
  readonly kxy: number;
  readonly kyy: number;
};

/** Gradients with respect to the mean on the image and the inverse covariance (kxy counted once). */
export type ScreenGradient = { x: number; y: number; kxx: number; kxy: number; kyy: number };

/** Projects Gaussian `i`; meaningful before the camera (z > 0) only. */
export function viewGaussian(camera: Camera, means: Reals, scales: Reals, i: number): GaussianView {
  const { rotation: r, translation: t } = camera.cameraFromWorld;
  const { focalXPx: fx, focalYPx: fy, centreXPx: cx, centreYPx: cy, width, height } = camera;
  const [mx, my, mz] = [means[3 * i]!, means[3 * i + 1]!, means[3 * i + 2]!];
  const x = r[0]! * mx + r[1]! * my + r[2]! * mz + t[0]!;
  const y = r[3]! * mx + r[4]! * my + r[5]! * mz + t[1]!;
  const z = r[6]! * mx + r[7]! * my + r[8]! * mz + t[2]!;
  const scale = scales[i]!;
  const marginX = (FIELD_MARGIN * 0.5 * width) / fx;
  const marginY = (FIELD_MARGIN * 0.5 * height) / fy;
  const tangentX = Math.min((width - cx) / fx + marginX, Math.max(-cx / fx - marginX, x / z));
  const tangentY = Math.min((height - cy) / fy + marginY, Math.max(-cy / fy - marginY, y / z));

  // J = [fx/z, 0, -fx tx/z; 0, fy/z, -fy ty/z], covariance scale^2 J J^T.
  const sx = (scale * fx) / z;
  const sy = (scale * fy) / z;
  const covXX = sx * sx * (1 + tangentX * tangentX);
  const covXY = sx * sy * tangentX * tangentY;
  const covYY = sy * sy * (1 + tangentY * tangentY);
  const [xx, yy] = [covXX + LOW_PASS_PX2, covYY + LOW_PASS_PX2];
  const determinant = xx * yy - covXY * covXY;
  return {
    ...{ x, y, z, scale, tangentX, tangentY },
    ...{ meanX: (fx * x) / z + cx, meanY: (fy * y) / z + cy },
    ...{ covXX, covXY, covYY },
    ...{ kxx: yy / determinant, kxy: -covXY / determinant, kyy: xx / determinant },
  };
}

/** Carries a gradient on the image back to the mean in the world and the scale. */
export function projectBackward(
  camera: Camera,
  view: GaussianView,
  gradient: Readonly<ScreenGradient>,
): { readonly mean: [number, number, number]; readonly scale: number } {
  const { focalXPx: fx, focalYPx: fy } = camera;
  const { x, y, z, scale, tangentX, tangentY, kxx, kxy, kyy } = view;

  // dL/dcov = -K (dL/dK) K, symmetric; the off-diagonal stands for both of its places.
  const half = gradient.kxy / 2;
  const [txx, txy] = [kxx * gradient.kxx + kxy * half, kxx * half + kxy * gradient.kyy];
  const [tyx, tyy] = [kxy * gradient.kxx + kyy * half, kxy * half + kyy * gradient.kyy];
  const gradXX = -(txx * kxx + txy * kxy);
  const gradXY = -2 * (txx * kxy + txy * kyy);
  const gradYY = -(tyx * kxy + tyy * kyy);

  // The covariance goes with scale^2 / z^2 as a whole.
  const homogeneous = view.covXX * gradXX + view.covXY * gradXY + view.covYY * gradYY;
  const sx = (scale * fx) / z;
  const sy = (scale * fy) / z;
  const isClampedX = tangentX !== x / z;
  const isClampedY = tangentY !== y / z;
  const gradTangentX = isClampedX ? 0 : 2 * sx * sx * tangentX * gradXX + sx * sy * tangentY * gradXY;
  const gradTangentY = isClampedY ? 0 : 2 * sy * sy * tangentY * gradYY + sx * sy * tangentX * gradXY;
  const gradU = fx * gradient.x + gradTangentX;
  const gradV = fy * gradient.y + gradTangentY;
  const inCamera = [
    gradU / z,
    gradV / z,
    -(gradU * x + gradV * y) / (z * z) - (2 * homogeneous) / z,
  ] as const;
  const { rotation: r } = camera.cameraFromWorld;
  const column = (j: number): number =>
    r[j]! * inCamera[0] + r[3 + j]! * inCamera[1] + r[6 + j]! * inCamera[2];
  return { mean: [column(0), column(1), column(2)], scale: (2 * homogeneous) / scale };
}
