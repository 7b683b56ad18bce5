// Splatting on a GPU: the same scenes, images and gradients as `Splatter`, awaited. Works with a browser's
// GPUDevice and with Node's (npm package `webgpu`). For training on the device, scenes, images and gradients
// may stay there: arrays of a scene may be buffers, and `forwardOnDevice` leaves the images in buffers.

import type { Camera } from '../geometry/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { expectShape, tensor } from '../tensor/index.ts';
import type {
  GpuAnswer,
  GpuDevice,
  GpuGradients,
  GpuImages,
  GpuNumbers,
  GpuSplattingInput,
  StageTimes,
} from '../webgpu/index.ts';
import { GpuContext, GpuSplattingKernel } from '../webgpu/index.ts';
import type { SplatGradients, SplatScene } from './splat-scene.ts';
import { expectScene, gaussianCount } from './splat-scene.ts';
import type { SplatImages } from './splatter.ts';

/** A scene on the device; shapes as in `SplatScene`, float32 from each buffer's start. */
export type GpuScene = {
  readonly camera: Camera;
  readonly count: number;
  readonly channels: number;
} & Readonly<Record<'means' | 'scales' | 'opacities' | 'features', GpuNumbers>> & {
    readonly rotations?: GpuNumbers | undefined;
  };

/** The gradient of a loss with respect to images on the device. */
export type GpuImageGradient = { readonly features: GpuNumbers; readonly alpha?: GpuNumbers | undefined };

/** Splats scenes on a GPU, and carries gradients back to the latest one. Calls take their turns. */
export type GpuSplatter = {
  /**
   * Splats a scene; conventions in `splat-scene.ts`.
   * @throws BadInputError if an array does not fit; MissingResourceError (`gpu-limits`) if the device is too
   *   small for it; FaultError (`gpu-device-lost`, `gpu-refused`) if it fails
   */
  forward(scene: SplatScene): Promise<SplatImages>;
  /**
   * The gradient of a loss with respect to the scene of the latest forward call.
   * @param gradient the loss's gradient with respect to the images
   * @throws FaultError before the first forward call, or if the device fails; BadInputError if a shape does not fit
   */
  backward(gradient: {
    readonly features: Tensor<'C H W'>;
    readonly alpha?: Tensor<'H W'>;
  }): Promise<SplatGradients>;
  /** As `forward`, leaving the images on the device: valid until the next forward call. Checks no array. */
  forwardOnDevice(scene: GpuScene): Promise<GpuImages>;
  /** As `backward`, leaving the gradients on the device: valid until the next backward call. */
  backwardOnDevice(gradient: GpuImageGradient): Promise<GpuGradients>;
  /** Milliseconds on the device by stage of the latest call; empty where it has no timestamps. */
  readonly times: StageTimes;
  /** Pairs of Gaussian and tile of 8 x 8 pixels in the latest scene: what most of the time goes with. */
  readonly pairs: number;
  /** Frees the memory on the device, not the device. */
  [Symbol.dispose](): void;
};

/** Makes a splatter on a device, which stays its owner's. One may be made for each sample that waits. */
export function createGpuSplatter(device: GpuDevice): GpuSplatter {
  const kernel = new GpuSplattingKernel(GpuContext.of(device));
  let latest: { scene: SplatScene | GpuScene; count: number } | null = null;
  let times: StageTimes = {};
  let pairs = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(run: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(run);
    turn = result.catch(() => {});
    return result;
  };
  const forward = async (scene: SplatScene | GpuScene, isRead: boolean): Promise<GpuAnswer<GpuImages>> => {
    const count = 'count' in scene ? scene.count : gaussianCount(scene);
    latest = null;
    const answer = await kernel.forward(inputOf(scene, count), isRead);
    latest = { scene, count };
    ({ times, pairs } = answer);
    return answer;
  };
  const backward = async (gradient: GpuImageGradient, isRead: boolean): Promise<GpuAnswer<GpuGradients>> => {
    const answer = await kernel.backward(gradient, isRead);
    times = answer.times;
    return answer;
  };
  return {
    get times() {
      return times;
    },
    get pairs() {
      return pairs;
    },
    forward: (scene) =>
      inTurn(async () => {
        expectScene(scene);
        const { camera, channels } = scene;
        const { bytes } = await forward(scene, true);
        const take = cutter(bytes);
        return {
          features: tensor(take(channels * camera.height * camera.width), [
            channels,
            camera.height,
            camera.width,
          ]),
          alpha: tensor(take(camera.height * camera.width), [camera.height, camera.width]),
        };
      }),
    backward: (gradient) =>
      inTurn(async () => {
        if (latest) {
          const { camera, channels } = latest.scene;
          expectShape('feature gradient', gradient.features, [channels, camera.height, camera.width]);
          if (gradient.alpha) expectShape('alpha gradient', gradient.alpha, [camera.height, camera.width]);
        }
        const { features, alpha } = gradient;
        const { bytes } = await backward({ features: features.data, alpha: alpha?.data }, true);
        const { scene, count } = latest!;
        const take = cutter(bytes);
        return {
          means: take(count * 3),
          scales: take(scene.rotations ? count * 3 : count),
          ...(scene.rotations && { rotations: take(count * 4) }),
          opacities: take(count),
          features: take(count * scene.channels),
        };
      }),
    forwardOnDevice: (scene) => inTurn(async () => (await forward(scene, false)).buffers),
    backwardOnDevice: (gradient) => inTurn(async () => (await backward(gradient, false)).buffers),
    [Symbol.dispose]: () => kernel[Symbol.dispose](),
  };
}

function inputOf(scene: SplatScene | GpuScene, count: number): GpuSplattingInput {
  const { camera, channels, means, scales, rotations, opacities, features } = scene;
  const { rotation, translation } = camera.cameraFromWorld;
  const numbers = new Float64Array(16);
  numbers.set(rotation);
  numbers.set(translation, 9);
  numbers.set([camera.focalXPx, camera.focalYPx, camera.centreXPx, camera.centreYPx], 12);
  return {
    ...{ width: camera.width, height: camera.height, count, channels },
    camera: numbers,
    ...{ means, scales, rotations, opacities, features },
  };
}

/** Cuts float32 arrays off the front, one after the other. */
function cutter(bytes: ArrayBuffer): (length: number) => Float32Array {
  let offset = 0;
  return (length) => {
    const part = new Float32Array(bytes, offset, length);
    offset += length * 4;
    return part;
  };
}
