// Fits frames one after another while identity and focal length are given: each begins in the pose of the one
// before it, with what is believed of it.

import { findFirstPose } from './first-pose.ts';
import { fitFrame } from './fit-frame.ts';
import { inPose, landmarkErrorOf } from './fit-portrait.ts';
import { followingPrior } from './fit-priors.ts';
import type { FrameBelief } from './frame-beliefs.ts';
import { FrameSystem, type Observation } from './frame-system.ts';
import type { FrameState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import type { ImageCentre, ShapedLandmarks } from './landmark-projection.ts';
import { observeLandmarks } from './observe.ts';

/** A fitted frame, with its error as a share of the outer-eye-corner distance. */
export type FittedFrame = { readonly frame: FrameState; readonly error: number };

/** The state of fitting frame after frame. */
export type FrameChain = {
  /** Whether the next frame follows one. */
  readonly follows: boolean;
  /** The next frame follows none: the picture cut, or the face was lost. */
  break(): void;
  next(
    landmarksPx: Float32Array,
    belief: FrameBelief,
    shaped: ShapedLandmarks,
    focalPx: number,
  ): FittedFrame & { readonly seen: Observation };
};

const FIRST_FRAME = { iterations: 12, tolerance: 1e-4 };
const NEXT_FRAME = { iterations: 4, tolerance: 2e-3 };

/** Makes a chain that follows nothing yet. */
export function createFrameChain(model: LandmarkModel, centre: ImageCentre): FrameChain {
  const system = new FrameSystem(model, { withShared: false });
  let before: FrameState | null = null;
  return {
    get follows() {
      return before !== null;
    },
    break() {
      before = null;
    },
    next(landmarksPx, belief, shaped, focalPx) {
      const { prior } = belief;
      const pose = before ?? firstPoseOf(model, system, { landmarksPx, centre, belief, shaped, focalPx });
      const start = inPose(belief.start ?? pose, pose);
      const follows = before !== null && belief.start === null;
      const current = follows ? followingPrior(prior, model.head, pose) : prior;
      const seen = observeLandmarks(model, landmarksPx, centre, start.rotation);
      const limits = before === null ? FIRST_FRAME : NEXT_FRAME;
      const { frame } = fitFrame(system, seen, start, shaped, focalPx, current, limits);
      before = frame;
      return { frame, seen, error: landmarkErrorOf(landmarksPx, system.pixels) };
    },
  };
}

/** The pose of a face that follows none: the one believed in, else the best of a search. */
export function firstPoseOf(
  model: LandmarkModel,
  system: FrameSystem,
  face: {
    readonly landmarksPx: Float32Array;
    readonly centre: ImageCentre;
    readonly belief: FrameBelief;
    readonly shaped: ShapedLandmarks;
    readonly focalPx: number;
  },
): FrameState {
  const { landmarksPx, centre, belief, shaped, focalPx } = face;
  if (belief.start !== null) return atFocalLength(belief.start, focalPx);
  const frontal = observeLandmarks(model, landmarksPx, centre, null);
  return findFirstPose(model, system, frontal, shaped, focalPx, belief.prior);
}

/** A state found with one focal length, as far away as it looks with another. */
export function atFocalLength(
  state: FrameState & { readonly focalPx: number },
  focalPx: number,
): FrameState & { readonly focalPx: number } {
  const translation = state.translation.slice();
  translation[2]! *= focalPx / state.focalPx;
  return { ...state, translation, focalPx };
}
