// What is splatted, what comes out, and the gradients: the types that the reference and the kernel share.
//
// Conventions (gsplat's): a Gaussian is isotropic in the world, its projection is affine (EWA) about its
// mean, the features are blended front to back without a background.

import { BadInputError } from '../errors/index.ts';
import type { Camera } from '../geometry/index.ts';

/** Real numbers by index: float32 for the kernel, float64 where gradients are checked. */
export type Reals = Float32Array | Float64Array;

/** Isotropic 3D Gaussians before a camera; letters: N Gaussians, C channels. */
export type SplatScene<Data extends Reals = Float32Array> = {
  readonly camera: Camera;
  /** `N 3`, metres in the world. */
  readonly means: Data;
  /** `N`, standard deviation in metres, above 0. */
  readonly scales: Data;
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
  const lengths = { means: count * 3, scales: count, features: count * channels };
  for (const [name, length] of Object.entries(lengths) as [keyof typeof lengths, number][]) {
    if (scene[name].length !== length) {
      throw reject(`${length} values of ${name} for ${count} opacities, got ${scene[name].length}`);
    }
  }
}

function reject(problem: string): BadInputError {
  return new BadInputError({
    code: 'bad-splat-scene',
    message: `expected ${problem}`,
    hint: 'means are N 3, scales and opacities N, features N C',
  });
}
