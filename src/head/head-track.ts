// A HeadTrack: what a head does over a clip, as the tracker finds it and everything else consumes it.
// One identity and one focal length for the clip, the rest per frame. The camera stands at the world's
// origin and looks along -z (`frontCamera`); the head moves.

import type { Camera } from '../geometry/index.ts';
import { frontCamera } from '../geometry/index.ts';
import type { HeadParameters } from './head-model.ts';

/** The motion of one head through one clip; arrays are row-major, T frames. */
export type HeadTrack = {
  /** Name of the head model that the coefficients belong to. */
  readonly headName: string;
  /** Size of the frames in pixels, as displayed (rotation metadata applied). */
  readonly width: number;
  readonly height: number;
  readonly focalPx: number;
  /** `T`, seconds from the start of the clip. */
  readonly timestampsSeconds: Float64Array;
  /** `I`, shared by all frames. */
  readonly identity: Float32Array;
  /** `T E`. */
  readonly expression: Float32Array;
  /** `T J 3`, axis-angle, radians. */
  readonly jointRotations: Float32Array;
  /** `T 3`, metres. */
  readonly translation: Float32Array;
  /** `T`, 0 (not tracked: the parameters are carried over from a neighbour) to 1. */
  readonly confidence: Float32Array;
  /** `T 478 2`, pixels; what the landmark network saw. Zero where not tracked. */
  readonly landmarksPx: Float32Array;
  /** Who wrote the track and from what, for people and for the header of the file. */
  readonly provenance: Readonly<Record<string, string>>;
};

/** The number of frames of a track. */
export function frameCount(track: HeadTrack): number {
  return track.timestampsSeconds.length;
}

/** The head of one frame; the arrays are views into the track. */
export function parametersAt(track: HeadTrack, frame: number): HeadParameters {
  const frames = frameCount(track);
  const row = (data: Float32Array): Float32Array => {
    const width = data.length / frames;
    return data.subarray(frame * width, (frame + 1) * width);
  };
  return {
    identity: track.identity,
    expression: row(track.expression),
    jointRotations: row(track.jointRotations),
    translation: row(track.translation),
  };
}

/** The same track in pictures of another size and the same shape: focal length and landmarks follow. */
export function resizeTrack(
  track: HeadTrack,
  { width, height }: { readonly width: number; readonly height: number },
): HeadTrack {
  const scale = Math.max(width / track.width, height / track.height);
  const landmarksPx = track.landmarksPx.map((value) => value * scale);
  return { ...track, width, height, focalPx: track.focalPx * scale, landmarksPx };
}

/** The camera of every frame of a track. */
export function trackCamera(track: HeadTrack): Camera {
  return frontCamera(track.width, track.height, track.focalPx);
}
