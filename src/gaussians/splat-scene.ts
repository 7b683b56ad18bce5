// What is splatted, what comes out, and the gradients: the types that the reference and the kernel share.
//
// Conventions (gsplat's): a Gaussian is a ball, or an ellipsoid with axes of its own; its projection is affine
// (EWA) about its mean; the features are blended front to back without a background.

import { BadInputError } from '../errors/index.ts';
import type { Camera } from '../geometry/index.ts';

/** Real numbers by index: float32 for the kernel, float64 where gradients are checked. */
export type Reals = Float32Array | Float64Array;

/** 3D Gaussians before a camera, balls or ellipsoids; letters: N Gaussians, C channels. */
export type SplatScene<Data extends Reals = Float32Array> = {
  readonly camera: Camera;
  /** `N 3`, metres in the world. */
  readonly means: Data;
  /** `N`, standard deviations in metres, above 0; `N 3` along a Gaussian's own axes where it has rotations. */
  readonly scales: Data;
  /**
   * `N 4`, quaternions w x y z of any length above 0: the world from a Gaussian's own axes. Without them all
   * Gaussians are balls.
   */
  readonly rotations?: Data | undefined;
  /** `N`, 0 to 1. */
  readonly opacities: Data;
  /** `N C`. */
  readonly features: Data;
  readonly channels: number;
};

/** Gradients of a loss with respect to a scene, shaped like the scene's arrays. */
export type SplatGradients<Data extends Reals = Float32Array> = {
  readonly means: Data;
  readonly scales: Data;
  /** Of scenes with rotations. */
  readonly rotations?: Data | undefined;
  readonly opacities: Data;
  readonly features: Data;
};

/** The number of Gaussians of a scene. */
export function gaussianCount(scene: Pick<SplatScene<Reals>, 'opacities'>): number {
  return scene.opacities.length;
}

/** @throws BadInputError naming the first array that does not fit. */
export function expectScene(scene: SplatScene<Reals>): void {
  const { camera, channels } = scene;
  const count = gaussianCount(scene);
  const isWhole = (value: number): boolean => Number.isInteger(value) && value > 0;
  if (!isWhole(camera.width) || !isWhole(camera.height)) {
    throw reject(`a camera of whole, positive size, got ${camera.width} x ${camera.height}`);
  }
  if (!isWhole(channels)) throw reject(`a positive number of channels, got ${channels}`);
  const isTurned = scene.rotations !== undefined;
  const lengths = {
    means: count * 3,
    scales: isTurned ? count * 3 : count,
    rotations: isTurned ? count * 4 : 0,
    features: count * channels,
  };
  for (const [name, length] of Object.entries(lengths) as [keyof typeof lengths, number][]) {
    const actual = scene[name]?.length ?? 0;
    if (actual !== length) throw reject(`${length} values of ${name} for ${count} opacities, got ${actual}`);
  }
}

function reject(problem: string): BadInputError {
  return new BadInputError({
    code: 'bad-splat-scene',
    message: `expected ${problem}`,
    hint: 'means are N 3, scales N (N 3 with rotations N 4), opacities N, features N C',
  });
}
