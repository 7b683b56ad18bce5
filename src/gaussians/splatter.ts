// Splatting for use: checked scenes through the SIMD kernel, tensors out.
// A Splatter owns one kernel and its memory. Its saved state is simply its last scene: `backward` belongs to
// the latest `forward`. Samples that wait for their gradients at the same time each need a Splatter.

import { FaultError } from '../errors/index.ts';
import type { Camera } from '../geometry/index.ts';
import { SplattingKernel } from '../kernels/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { expectShape, zeros } from '../tensor/index.ts';
import type { SplatGradients, SplatScene } from './splat-scene.ts';
import { expectScene, gaussianCount } from './splat-scene.ts';

/** Features and coverage on the image; both are 0 where no Gaussian lies. */
export type SplatImages = {
  readonly features: Tensor<'C H W'>;
  readonly alpha: Tensor<'H W'>;
};

/** Splats scenes, and carries gradients back to the latest one. */
export class Splatter {
  readonly #kernel: SplattingKernel = new SplattingKernel();
  readonly #camera = new Float64Array(16);
  #latest: {
    readonly channels: number;
    readonly count: number;
    readonly isTurned: boolean;
    readonly camera: Camera;
  } | null = null;

  /**
   * Splats a scene; conventions in `splat-scene.ts`.
   * @param into images of fitting shape to write to, instead of new ones
   * @throws BadInputError if an array does not fit.
   */
  forward(scene: SplatScene, into?: SplatImages): SplatImages {
    expectScene(scene);
    const { camera, channels } = scene;
    const { width, height } = camera;
    const images = into ?? { features: zeros([channels, height, width]), alpha: zeros([height, width]) };
    expectShape('feature image', images.features, [channels, height, width]);
    expectShape('alpha image', images.alpha, [height, width]);
    writeCamera(camera, this.#camera);
    this.#kernel.forward(
      {
        ...{ width, height, channels, camera: this.#camera },
        means: scene.means,
        scales: scene.scales,
        rotations: scene.rotations ?? null,
        opacities: scene.opacities,
        features: scene.features,
      },
      { features: images.features.data, alpha: images.alpha.data },
    );
    this.#latest = { channels, count: gaussianCount(scene), isTurned: scene.rotations !== undefined, camera };
    return images;
  }

  /**
   * The gradient of a loss with respect to the scene of the latest `forward`.
   * @param gradient the loss's gradient with respect to the images
   * @param into gradients to write to, instead of new ones
   * @throws FaultError before the first `forward`; BadInputError if a shape does not fit.
   */
  backward(
    gradient: { readonly features: Tensor<'C H W'>; readonly alpha?: Tensor<'H W'> },
    into?: SplatGradients,
  ): SplatGradients {
    if (this.#latest === null) {
      throw new FaultError({
        code: 'splat-order',
        message: 'expected a scene to be splatted before its gradient is asked for, got none',
        hint: 'call forward first',
      });
    }
    const { channels, count, isTurned, camera } = this.#latest;
    expectShape('feature gradient', gradient.features, [channels, camera.height, camera.width]);
    if (gradient.alpha) expectShape('alpha gradient', gradient.alpha, [camera.height, camera.width]);
    const gradients = into ?? emptyGradients(count, isTurned, channels);
    this.#kernel.backward(gradient.features.data, gradient.alpha?.data ?? null, gradients);
    return gradients;
  }
}

function emptyGradients(count: number, isTurned: boolean, channels: number): SplatGradients {
  return {
    means: new Float32Array(count * 3),
    scales: new Float32Array(isTurned ? count * 3 : count),
    ...(isTurned && { rotations: new Float32Array(count * 4) }),
    opacities: new Float32Array(count),
    features: new Float32Array(count * channels),
  };
}

function writeCamera(camera: Camera, target: Float64Array): void {
  target.set(camera.cameraFromWorld.rotation);
  target.set(camera.cameraFromWorld.translation, 9);
  target.set([camera.focalXPx, camera.focalYPx, camera.centreXPx, camera.centreYPx], 12);
}
