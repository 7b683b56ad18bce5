// The control map of a clip: the field on the posed head of every frame, splatted.
// On several threads, what the frames have in common and the map itself lie in shared memory, and a frame's job
// only refers to them: copied with every job and moved back with every result, they took longer than the
// splatting. `shareControlClip` -> any map over `renderControlFrame`, on any threads -> the map is full.

import { BadInputError } from '../errors/index.ts';
import type { Camera } from '../geometry/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { tensor, zeros } from '../tensor/index.ts';
import type { GaussianBinding } from './gaussian-binding.ts';
import type { ActivatedField } from './gaussian-field.ts';
import type { GaussianPlacement, PlacementBinding } from './gaussian-placement.ts';
import { placeGaussians } from './gaussian-placement.ts';
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

/** One frame to render; survives a structured clone, which leaves its shared arrays where they are. */
export type ControlFrameJob = {
  readonly binding: PlacementBinding;
  readonly field: ActivatedField;
  /** `V 3`. */
  readonly vertices: Float32Array;
  readonly camera: Camera;
  /** The frame's part of the map. */
  readonly images: SplatImages;
};

/** Features and coverage of every frame. */
export type ControlMap = {
  readonly features: Tensor<'T C H W'>;
  readonly alpha: Tensor<'T H W'>;
};

/** A clip as jobs for any threads, and the map that they fill. */
export type SharedControl = { readonly jobs: readonly ControlFrameJob[]; readonly map: ControlMap };

/** Renders all frames here, one after the other. @throws BadInputError for no frames, or cameras that do not fit. */
export function controlMap(clip: ControlClip, splatter: Splatter = new Splatter()): ControlMap {
  const { frames, channels, height, width } = expectClip(clip);
  const map = {
    features: zeros<'T C H W'>([frames, channels, height, width]),
    alpha: zeros<'T H W'>([frames, height, width]),
  };
  let placement: GaussianPlacement | undefined;
  for (const { field, binding, vertices, camera, images } of jobsOf(clip, map)) {
    placement = placeGaussians(binding, field, vertices, placement);
    splatter.forward({ camera, ...placement, ...field }, images);
  }
  return map;
}

/** Prepares a clip for several threads, in shared memory. @throws BadInputError as `controlMap`. */
export function shareControlClip(clip: ControlClip): SharedControl {
  const { frames, channels, height, width } = expectClip(clip);
  const map: ControlMap = {
    features: tensor(sharedFloats(frames * channels * height * width), [frames, channels, height, width]),
    alpha: tensor(sharedFloats(frames * height * width), [frames, height, width]),
  };
  const { binding, field } = clip;
  const corners = new Uint32Array(new SharedArrayBuffer(binding.corners.byteLength));
  corners.set(binding.corners);
  const shared: ControlClip = {
    ...clip,
    binding: {
      ...binding,
      corners,
      barycentrics: share(binding.barycentrics),
      alongU: share(binding.alongU),
    },
    field: {
      channels,
      features: share(field.features),
      opacities: share(field.opacities),
      scales: share(field.scales),
    },
  };
  return { jobs: jobsOf(shared, map), map };
}

let ownSplatter: Splatter | undefined;

/** Renders one frame into its part of the map. Uses one kernel per thread, made at the first call. */
export function renderControlFrame({ binding, field, vertices, camera, images }: ControlFrameJob): void {
  ownSplatter ??= new Splatter();
  ownSplatter.forward({ camera, ...placeGaussians(binding, field, vertices), ...field }, images);
}

function jobsOf({ binding, field, vertices, cameras }: ControlClip, map: ControlMap): ControlFrameJob[] {
  const { corners, barycentrics, alongU } = binding;
  const [, channels, height, width] = map.features.shape as [number, number, number, number];
  const pixels = width * height;
  return vertices.map((frame, t) => ({
    binding: { corners, barycentrics, alongU },
    field,
    vertices: frame,
    camera: 'width' in cameras ? cameras : cameras[t]!,
    images: {
      features: tensor(map.features.data.subarray(t * channels * pixels, (t + 1) * channels * pixels), [
        channels,
        height,
        width,
      ]),
      alpha: tensor(map.alpha.data.subarray(t * pixels, (t + 1) * pixels), [height, width]),
    },
  }));
}

function expectClip({ field, vertices, cameras }: ControlClip): {
  readonly frames: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
} {
  const cameraAt = (t: number): Camera | undefined => ('width' in cameras ? cameras : cameras[t]);
  const first = cameraAt(0);
  if (vertices.length === 0 || first === undefined) throw reject('at least one frame and camera, got none');
  const { width, height } = first;
  for (let t = 0; t < vertices.length; t++) {
    const camera = cameraAt(t);
    if (camera?.width !== width || camera.height !== height) {
      throw reject(`a camera of ${width} x ${height} for every frame, not so for frame ${t}`);
    }
  }
  return { frames: vertices.length, channels: field.channels, height, width };
}

function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * 4));
}

function share(values: Float32Array): Float32Array {
  const shared = sharedFloats(values.length);
  shared.set(values);
  return shared;
}

function reject(problem: string): BadInputError {
  return new BadInputError({
    code: 'bad-control-clip',
    message: `expected ${problem}`,
    hint: 'give the vertices and the camera of every frame',
  });
}
