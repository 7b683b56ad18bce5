// The control map of a clip: the field on the posed head of every frame, splatted.
// A frame is a job of plain data and a function of that job alone, so that workers can render frames in
// parallel: `controlJobs` -> any map over `renderControlFrame` -> `stackControlFrames`.

import { BadInputError } from '../errors/index.ts';
import type { Camera } from '../geometry/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { zeros } from '../tensor/index.ts';
import type { GaussianBinding } from './gaussian-binding.ts';
import { poseGaussians } from './gaussian-binding.ts';
import type { ActivatedField } from './gaussian-field.ts';
import type { SplatImages } from './splatter.ts';
import { Splatter } from './splatter.ts';

/** A field on a head over the frames of a clip. */
export type ControlClip = {
  readonly binding: GaussianBinding;
  readonly field: ActivatedField;
  /** `V 3` of every frame. */
  readonly vertices: readonly Float32Array[];
  /** Of every frame, or one for all; all of one size. */
  readonly cameras: readonly Camera[] | Camera;
};

/** One frame to render; survives a structured clone. */
export type ControlFrameJob = {
  readonly binding: Pick<GaussianBinding, 'corners' | 'barycentrics'>;
  readonly field: ActivatedField;
  /** `V 3`. */
  readonly vertices: Float32Array;
  readonly camera: Camera;
};

/** Features and coverage of every frame. */
export type ControlMap = {
  readonly features: Tensor<'T C H W'>;
  readonly alpha: Tensor<'T H W'>;
};

/** Renders all frames here, one after the other. @throws BadInputError as `controlJobs`. */
export function controlMap(clip: ControlClip, splatter: Splatter = new Splatter()): ControlMap {
  const jobs = controlJobs(clip);
  const { width, height } = jobs[0]!.camera;
  const channels = clip.field.channels;
  const map = emptyMap(jobs.length, channels, height, width);
  const pixels = width * height;
  const means = new Float32Array(clip.field.opacities.length * 3);
  for (const [t, job] of jobs.entries()) {
    const features = map.features.data.subarray(t * channels * pixels, (t + 1) * channels * pixels);
    const alpha = map.alpha.data.subarray(t * pixels, (t + 1) * pixels);
    splatter.forward(
      { camera: job.camera, means: poseGaussians(job.binding, job.vertices, means), ...job.field },
      {
        features: { dtype: 'float32', shape: [channels, height, width], data: features },
        alpha: { dtype: 'float32', shape: [height, width], data: alpha },
      },
    );
  }
  return map;
}

/** The frames of a clip as jobs. @throws BadInputError for no frames, or cameras that do not fit. */
export function controlJobs({ binding, field, vertices, cameras }: ControlClip): ControlFrameJob[] {
  const cameraAt = (t: number): Camera | undefined => ('width' in cameras ? cameras : cameras[t]);
  const first = cameraAt(0);
  if (vertices.length === 0 || first === undefined) throw reject('at least one frame and camera, got none');
  const { corners, barycentrics } = binding;
  return vertices.map((frame, t) => {
    const camera = cameraAt(t);
    if (camera?.width !== first.width || camera.height !== first.height) {
      throw reject(`a camera of ${first.width} x ${first.height} for every frame, not so for frame ${t}`);
    }
    return { binding: { corners, barycentrics }, field, vertices: frame, camera };
  });
}

let ownSplatter: Splatter | undefined;

/** Renders one frame into new images. Uses one kernel per thread, made at the first call. */
export function renderControlFrame({ binding, field, vertices, camera }: ControlFrameJob): SplatImages {
  ownSplatter ??= new Splatter();
  return ownSplatter.forward({ camera, means: poseGaussians(binding, vertices), ...field });
}

/** Puts rendered frames together, in order. @throws BadInputError for no frames. */
export function stackControlFrames(frames: readonly SplatImages[]): ControlMap {
  const [first] = frames;
  if (first === undefined) throw reject('at least one frame, got none');
  const [channels, height, width] = first.features.shape as [number, number, number];
  const map = emptyMap(frames.length, channels, height, width);
  for (const [t, { features, alpha }] of frames.entries()) {
    map.features.data.set(features.data, t * features.data.length);
    map.alpha.data.set(alpha.data, t * alpha.data.length);
  }
  return map;
}

function emptyMap(frames: number, channels: number, height: number, width: number): ControlMap {
  return { features: zeros([frames, channels, height, width]), alpha: zeros([frames, height, width]) };
}

function reject(problem: string): BadInputError {
  return new BadInputError({
    code: 'bad-control-clip',
    message: `expected ${problem}`,
    hint: 'give the vertices and the camera of every frame',
  });
}
