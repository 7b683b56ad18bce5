// One Gaussian through a pinhole camera, and the gradient back.
// The covariance is projected by the Jacobian of the perspective at the mean (Zwicker et al., "EWA
// splatting", 2002), taken inside a widened field of view as gsplat does, plus a low-pass.

import { invertRotation, multiplyRotations } from '../geometry/index.ts';
import { FIELD_MARGIN, LOW_PASS_PX2 } from '../kernels/index.ts';
import type { Quaternion } from './gaussian-axes.ts';
import { rotationFromQuaternion, rotationFromQuaternionBackward } from './gaussian-axes.ts';
import type { Reals, SplatScene } from './splat-scene.ts';

/** A Gaussian as a camera sees it. */
export type GaussianView = {
  /** The mean in camera axes, metres. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** 3 x 3, row-major: its columns are the Gaussian's axes in camera axes, one standard deviation long. */
  readonly axes: readonly number[];
  /** 2 x 3: the columns of `axes` on the image, pixels. */
  readonly imageAxes: readonly number[];
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
  /** Of the covariance with the low-pass, px^4. */
  readonly determinant: number;
  /** The inverse of the covariance with the low-pass, px^-2. */
  readonly kxx: number;
  readonly kxy: number;
  readonly kyy: number;
};

/** Gradients with respect to the mean on the image and the inverse covariance (kxy counted once). */
export type ScreenGradient = { x: number; y: number; kxx: number; kxy: number; kyy: number };

/** Gradients with respect to a Gaussian in the world. */
export type WorldGradient = {
  readonly mean: readonly number[];
  /** One value for a ball, three for an ellipsoid. */
  readonly scale: readonly number[];
  /** Four values; none for a ball. */
  readonly rotation: readonly number[];
};

type Shapes = Pick<SplatScene<Reals>, 'camera' | 'means' | 'scales' | 'rotations'>;

/** Projects Gaussian `i`; meaningful before the camera (z > 0) only. */
export function viewGaussian(scene: Shapes, i: number): GaussianView {
  const { camera, means } = scene;
  const { rotation: r, translation: t } = camera.cameraFromWorld;
  const { focalXPx: fx, focalYPx: fy, centreXPx: cx, centreYPx: cy, width, height } = camera;
  const [mx, my, mz] = [means[3 * i]!, means[3 * i + 1]!, means[3 * i + 2]!];
  const x = r[0]! * mx + r[1]! * my + r[2]! * mz + t[0]!;
  const y = r[3]! * mx + r[4]! * my + r[5]! * mz + t[1]!;
  const z = r[6]! * mx + r[7]! * my + r[8]! * mz + t[2]!;
  const marginX = (FIELD_MARGIN * 0.5 * width) / fx;
  const marginY = (FIELD_MARGIN * 0.5 * height) / fy;
  const tangentX = Math.min((width - cx) / fx + marginX, Math.max(-cx / fx - marginX, x / z));
  const tangentY = Math.min((height - cy) / fy + marginY, Math.max(-cy / fy - marginY, y / z));

  // J = [fx/z, 0, -fx tx/z; 0, fy/z, -fy ty/z]; with A the axes, the covariance is (J A) (J A)^T.
  const axes = axesInCamera(scene, i);
  const imageAxes = [
    ...[0, 1, 2].map((j) => (fx / z) * (axes[j]! - tangentX * axes[6 + j]!)),
    ...[0, 1, 2].map((j) => (fy / z) * (axes[3 + j]! - tangentY * axes[6 + j]!)),
  ];
  const product = (row: number, column: number): number =>
    [0, 1, 2].reduce((sum, j) => sum + imageAxes[3 * row + j]! * imageAxes[3 * column + j]!, 0);
  const [covXX, covXY, covYY] = [product(0, 0), product(0, 1), product(1, 1)];
  const [xx, yy] = [covXX + LOW_PASS_PX2, covYY + LOW_PASS_PX2];
  const determinant = xx * yy - covXY * covXY;
  return {
    ...{ x, y, z, axes, imageAxes, tangentX, tangentY },
    ...{ meanX: (fx * x) / z + cx, meanY: (fy * y) / z + cy },
    ...{ covXX, covXY, covYY, determinant },
    ...{ kxx: yy / determinant, kxy: -covXY / determinant, kyy: xx / determinant },
  };
}

/** Carries a gradient on the image back to Gaussian `i` in the world. */
export function projectBackward(
  scene: Shapes,
  i: number,
  view: GaussianView,
  gradient: Readonly<ScreenGradient>,
): WorldGradient {
  const { focalXPx: fx, focalYPx: fy, cameraFromWorld } = scene.camera;
  const { x, y, z, axes, imageAxes, tangentX, tangentY, kxx, kxy, kyy } = view;

  // dL/dcov = -K (dL/dK) K, symmetric; the off-diagonal stands for both of its places.
  const half = gradient.kxy / 2;
  const [txx, txy] = [kxx * gradient.kxx + kxy * half, kxx * half + kxy * gradient.kyy];
  const [tyx, tyy] = [kxy * gradient.kxx + kyy * half, kxy * half + kyy * gradient.kyy];
  const gradXX = -(txx * kxx + txy * kxy);
  const gradXY = -2 * (txx * kxy + txy * kyy);
  const gradYY = -(tyx * kxy + tyy * kyy);

  // With M = J A: dM = (G + G^T) M, dJ = dM A^T, dA = J^T dM.
  const [mx, my] = [imageAxes.slice(0, 3), imageAxes.slice(3)];
  const gradMx = mx.map((value, j) => 2 * gradXX * value + gradXY * my[j]!);
  const gradMy = my.map((value, j) => 2 * gradYY * value + gradXY * mx[j]!);
  const gradTangentX = tangentX === x / z ? -(fx / z) * dot(gradMx, axes.slice(6)) : 0;
  const gradTangentY = tangentY === y / z ? -(fy / z) * dot(gradMy, axes.slice(6)) : 0;
  const gradAxes = [
    ...gradMx.map((value) => (fx / z) * value),
    ...gradMy.map((value) => (fy / z) * value),
    ...gradMx.map((value, j) => -(fx / z) * tangentX * value - (fy / z) * tangentY * gradMy[j]!),
  ];

  const gradU = fx * gradient.x + gradTangentX;
  const gradV = fy * gradient.y + gradTangentY;
  // M goes with 1 / z as a whole.
  const inCamera = [
    gradU / z,
    gradV / z,
    -(gradU * x + gradV * y) / (z * z) - (dot(gradMx, mx) + dot(gradMy, my)) / z,
  ];
  const { rotation: r } = cameraFromWorld;
  const mean = [0, 1, 2].map((j) => dot([r[j]!, r[3 + j]!, r[6 + j]!], inCamera));
  return { mean, ...axesBackward(scene, i, gradAxes) };
}

/** The axes of Gaussian `i` as columns in camera axes: a ball's are the camera's own, times its scale. */
function axesInCamera({ camera, scales, rotations }: Shapes, i: number): number[] {
  if (rotations === undefined)
    return [0, 1, 2].flatMap((row) => [0, 1, 2].map((j) => (row === j ? scales[i]! : 0)));
  const rotation = rotationFromQuaternion(quaternionOf(rotations, i));
  const turned = multiplyRotations(camera.cameraFromWorld.rotation, rotation);
  return Array.from(turned, (value, at) => value * scales[3 * i + (at % 3)]!);
}

/** From the gradient of the axes to those of scale and rotation. */
function axesBackward(
  { camera, scales, rotations }: Shapes,
  i: number,
  gradAxes: readonly number[],
): Pick<WorldGradient, 'scale' | 'rotation'> {
  if (rotations === undefined) return { scale: [gradAxes[0]! + gradAxes[4]! + gradAxes[8]!], rotation: [] };
  const quaternion = quaternionOf(rotations, i);
  // A = W R S, with W the camera's rotation: dS is the diagonal of (W R)^T dA, and dR = W^T dA S.
  const gradInWorld = multiplyRotations(invertRotation(camera.cameraFromWorld.rotation), gradAxes);
  const rotation = rotationFromQuaternion(quaternion);
  const scale = [0, 1, 2].map((j) =>
    dot(
      [rotation[j]!, rotation[3 + j]!, rotation[6 + j]!],
      [gradInWorld[j]!, gradInWorld[3 + j]!, gradInWorld[6 + j]!],
    ),
  );
  const gradRotation = gradInWorld.map((value, at) => value * scales[3 * i + (at % 3)]!);
  return { scale, rotation: rotationFromQuaternionBackward(quaternion, gradRotation) };
}

function quaternionOf(rotations: Reals, i: number): Quaternion {
  return [rotations[4 * i]!, rotations[4 * i + 1]!, rotations[4 * i + 2]!, rotations[4 * i + 3]!];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
