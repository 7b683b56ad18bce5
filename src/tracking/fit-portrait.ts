// One picture to a head: pose first, then expression, then identity with everything else. One view cannot
// tell the focal length, so that is assumed.

import type { HeadParameters } from '../head/index.ts';
import type { FollowedFace } from './face-follower.ts';
import { findFirstPose } from './first-pose.ts';
import { fitFrame } from './fit-frame.ts';
import { fitFrames } from './fit-frames.ts';
import { believedIdentity, createFrameBeliefs } from './frame-beliefs.ts';
import { FrameSystem } from './frame-system.ts';
import { type FrameState, parametersOf } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { shapeLandmarks } from './landmark-projection.ts';
import type { LearnedPrior } from './learned-prior.ts';
import { assumedFocalPx, observeLandmarks, outerEyeDistance } from './observe.ts';

/** Landmarks tell less of identity than their number suggests; see docs/tracking.md. */
export const IDENTITY_PRECISION = 1;

const WARM_UP = { iterations: 4, tolerance: 1e-3 };
const FULL = { iterations: 15, tolerance: 1e-4 };
/** An error of this share of the eye distance halves the trust in a fit. */
const HALF_TRUST_ERROR = 0.06;

/** A head fitted to one set of landmarks. */
export type PortraitFit = {
  readonly parameters: HeadParameters;
  readonly focalPx: number;
  readonly landmarkError: number;
  /** 0 to 1, by how well the landmarks are met. */
  readonly trust: number;
};

/** How far a landmark error speaks for a fit, 0 to 1. */
export function trustOf(landmarkError: number): number {
  return 1 / (1 + (landmarkError / HALF_TRUST_ERROR) ** 2);
}

/** Mean distance of two sets of landmarks over `sizePx`: by default that of the outer eye corners of the first. */
export function landmarkErrorOf(
  seenPx: Float32Array,
  fittedPx: Float64Array,
  sizePx: number = outerEyeDistance(seenPx),
): number {
  const count = fittedPx.length / 2;
  let sum = 0;
  for (let l = 0; l < count; l++) {
    sum += Math.hypot(seenPx[2 * l]! - fittedPx[2 * l]!, seenPx[2 * l + 1]! - fittedPx[2 * l + 1]!);
  }
  return sum / count / sizePx;
}

/** Fits identity, expression and pose to the face of one picture. */
export function fitPortrait(
  model: LandmarkModel,
  face: FollowedFace,
  size: { readonly width: number; readonly height: number },
  {
    focalPx = assumedFocalPx(size, face.landmarksPx),
    learned = null,
  }: { readonly focalPx?: number | undefined; readonly learned?: LearnedPrior | null } = {},
): PortraitFit {
  const { landmarksPx } = face;
  const centre = { xPx: size.width / 2, yPx: size.height / 2 };
  const beliefs = createFrameBeliefs(model, learned, [face], centre);
  const belief = beliefs.about(face);
  const { prior, start } = belief;
  const believed = believedIdentity(model, [belief], IDENTITY_PRECISION);
  const identity = believed.mean;
  const meanShape = shapeLandmarks(model, identity);
  const frontal = observeLandmarks(model, landmarksPx, centre, null);
  const small = new FrameSystem(model, { withShared: false });
  const pose = findFirstPose(model, small, frontal, meanShape, focalPx, prior);
  const seen = observeLandmarks(model, landmarksPx, centre, pose.rotation);
  const { frame } = fitFrame(small, seen, inPose(start, pose), meanShape, focalPx, prior, WARM_UP);
  const system = new FrameSystem(model, { withShared: true });
  const joint = fitFrames(model, system, [{ seen, start: frame, prior }], {
    start: { identity, focalPx },
    sharedPrior: {
      identityMean: believed.mean,
      identityPrecision: believed.precision,
      focalPx,
      focalDeviation: 0,
    },
    limits: FULL,
  });
  const fitted = joint.frames[0]!;
  system.evaluate(seen, fitted, shapeLandmarks(model, joint.shared.identity), focalPx, prior);
  const landmarkError = landmarkErrorOf(landmarksPx, system.pixels);
  return {
    parameters: parametersOf(model.head, fitted, joint.shared.identity),
    focalPx,
    landmarkError,
    trust: trustOf(landmarkError),
  };
}

/** What is believed of a face, in a pose found otherwise; the pose alone where nothing is believed. */
export function inPose(believed: FrameState | null, pose: FrameState): FrameState {
  return { ...(believed ?? pose), rotation: pose.rotation, translation: pose.translation };
}
