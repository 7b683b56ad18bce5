// What goes into the splatting on a GPU and what comes out, as arrays and buffers.

import type { GpuBuffer } from './gpu-device.ts';
import type { StageTimes } from './stage-timer.ts';

/** Numbers that the host has, or that lie on the device already (float32, from the buffer's start). */
export type GpuNumbers = Float32Array | GpuBuffer;

/** What a scene is to the GPU; letters: N Gaussians, C channels. */
export type GpuSplattingInput = {
  readonly width: number;
  readonly height: number;
  /** Rotation (9, row-major) and translation (3) to camera axes, focal lengths x y, centre x y (pixels). */
  readonly camera: Float64Array;
  readonly count: number;
  readonly channels: number;
  /** `N 3`. */
  readonly means: GpuNumbers;
  /** `N`, or `N 3` with rotations. */
  readonly scales: GpuNumbers;
  /** `N 4`, quaternions w x y z of any length above 0. */
  readonly rotations?: GpuNumbers | undefined;
  /** `N`. */
  readonly opacities: GpuNumbers;
  /** `N C`. */
  readonly features: GpuNumbers;
};

/** Images on the device: features `C H W` and coverage `H W`, from each buffer's start. */
export type GpuImages = { readonly features: GpuBuffer; readonly alpha: GpuBuffer };

/** Gradients on the device, shaped like the scene's arrays, from each buffer's start. */
export type GpuGradients = {
  readonly means: GpuBuffer;
  readonly scales: GpuBuffer;
  readonly rotations?: GpuBuffer;
  readonly opacities: GpuBuffer;
  readonly features: GpuBuffer;
};

/** What a call reads back besides its own news, and what came of it. */
export type GpuAnswer<Buffers> = {
  readonly buffers: Buffers;
  /** The bytes asked for, one after the other. */
  readonly bytes: ArrayBuffer;
  /** Milliseconds on the device by stage; empty where it has no timestamps. */
  readonly times: StageTimes;
  /** Pairs of Gaussian and tile in the scene. */
  readonly pairs: number;
};
