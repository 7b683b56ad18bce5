// A clip's landmarks to a HeadTrack, in two passes: a few frames that differ most are fitted together for
// identity and focal length; then every frame is fitted with these, each from the one before it; a light
// smoothing in both directions ends it.

import type { EventSink } from '../events/index.ts';
import { type HeadTrack, JOINT_NAMES } from '../head/index.ts';
import type { FollowedFace } from './face-follower.ts';
import { fitFrame } from './fit-frame.ts';
import { fitFrames, type JointFrame, type SharedPrior } from './fit-frames.ts';
import { IDENTITY_PRECISION, inPose, trustOf } from './fit-portrait.ts';
import type { FramePrior } from './fit-priors.ts';
import { believedIdentity, createFrameBeliefs, type FrameBeliefs } from './frame-beliefs.ts';
import { createFrameChain, type FittedFrame, firstPoseOf } from './frame-chain.ts';
import { framePlace, placesApart } from './frame-places.ts';
import { FrameSystem, type Observation } from './frame-system.ts';
import { type FrameState, parametersOf, type SharedState } from './head-state.ts';
import { widenFrames } from './kept-amplitude.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { type ImageCentre, shapeLandmarks } from './landmark-projection.ts';
import type { LearnedPrior } from './learned-prior.ts';
import { assumedFocalPx, observeLandmarks } from './observe.ts';
import type { FaceCrop } from './photometric-image.ts';
import { smoothFrames } from './smooth-frames.ts';

/** One frame as the networks saw it. */
export type SeenFrame = {
  readonly timestampSeconds: number;
  readonly face: FollowedFace | null;
  /** The picture cut: what was before says nothing of this frame. */
  readonly startsShot?: boolean;
  /** As `lipContrast` gives it; NaN without a face. Left out by those who have no pictures. */
  readonly lipContrast?: number;
  /** Kept for a refinement alone. */
  readonly crop?: FaceCrop;
};

/** What the first pass made of the frames that it chose. */
export type FirstPass = {
  readonly shared: SharedState;
  readonly sharedPrior: SharedPrior;
  /** Each as it was seen and fitted; `index` is its place in the clip. */
  readonly keyframes: readonly (JointFrame & { readonly index: number })[];
};

/** Frames looked at to choose those of the first pass, and how many are chosen. */
const CANDIDATES = 48;
const CHOSEN = 14;
/** Landmarks of several frames are wrong in the same way: they count for less than their number. */
export const CLIP_IDENTITY_CAUTION = 12;
export const FOCAL_DEVIATION = 0.3;
const POSE_ONLY = { iterations: 4, tolerance: 1e-3 };
const JOINT = { iterations: 10, tolerance: 1e-3 };

/** Betters a clip's fit by what its pictures show. */
export type ClipRefinement = {
  /** What the frames share, before each of them is fitted. */
  shared(pass: FirstPass): SharedState;
  /** A frame as landmarks placed it with that; `index` is its place in the clip. */
  frame(fitted: FittedFrame & { readonly seen: Observation }, prior: FramePrior, index: number): FittedFrame;
};

type Options = {
  readonly width: number;
  readonly height: number;
  readonly focalPx?: number;
  /** What is known of faces beside the head's plain prior. */
  readonly learned?: LearnedPrior | null;
  readonly refinement?: ClipRefinement;
  readonly onEvent: EventSink;
};

/** Fits a clip of which at least one frame shows a face. */
export function fitClip(
  model: LandmarkModel,
  seen: readonly SeenFrame[],
  options: Options,
): { readonly track: HeadTrack; readonly landmarkErrors: Float32Array; readonly framesTracked: number } {
  const centre = { xPx: options.width / 2, yPx: options.height / 2 };
  const faces = seen.flatMap(({ face }, index) => (face === null ? [] : [{ ...face, index }]));
  const beliefs = createFrameBeliefs(model, options.learned ?? null, faces, centre);
  const first = fitShared(model, faces, beliefs, centre, options);
  const shared = options.refinement?.shared(first) ?? first.shared;
  options.onEvent({ kind: 'progress', stage: 'fit', done: 0, total: seen.length, unit: 'frames' });
  const fitted = fitEach(model, seen, beliefs, shared, centre, options);
  return pack(model, seen, fitted, shared, options);
}

/** First pass. */
function fitShared(
  model: LandmarkModel,
  faces: readonly (FollowedFace & { readonly index: number })[],
  beliefs: FrameBeliefs,
  centre: ImageCentre,
  options: Options,
): FirstPass {
  const focalPx = options.focalPx ?? assumedFocalOfClip(faces, options);
  const identity = new Float64Array(model.identityCount);
  const shaped = shapeLandmarks(model, identity);
  const small = new FrameSystem(model, { withShared: false });
  const step = Math.max(1, faces.length / CANDIDATES);
  const candidates = Array.from({ length: Math.min(CANDIDATES, faces.length) }, (_, i) => {
    const face = faces[Math.floor(i * step)]!;
    const { landmarksPx } = face;
    const belief = beliefs.about(face, { isNewShot: true });
    const { prior, start } = belief;
    const pose = firstPoseOf(model, small, { landmarksPx, centre, belief, shaped, focalPx });
    const observation = observeLandmarks(model, landmarksPx, centre, pose.rotation);
    const { frame } = fitFrame(small, observation, inPose(start, pose), shaped, focalPx, prior, POSE_ONLY);
    return { seen: observation, start: frame, prior, belief, index: face.index };
  });
  const chosen = mostDifferent(candidates);
  const believed = believedIdentity(
    model,
    candidates.map(({ belief }) => belief),
    CLIP_IDENTITY_CAUTION * IDENTITY_PRECISION,
  );
  const system = new FrameSystem(model, { withShared: true });
  const deviation = options.focalPx === undefined ? FOCAL_DEVIATION : 0;
  const sharedPrior = {
    identityMean: believed.mean,
    identityPrecision: believed.precision,
    focalPx,
    focalDeviation: deviation,
  };
  const start = { identity: believed.mean, focalPx };
  const { shared, frames } = fitFrames(model, system, chosen, { start, sharedPrior, limits: JOINT });
  const keyframes = chosen.map((frame, i) => ({ ...frame, start: frames[i]! }));
  return { shared, sharedPrior, keyframes };
}

/** The median of what its faces suggest. */
function assumedFocalOfClip(faces: readonly FollowedFace[], size: Options): number {
  const each = faces.map(({ landmarksPx }) => assumedFocalPx(size, landmarksPx));
  return each.sort((a, b) => a - b)[each.length >> 1]!;
}

/** Up to `CHOSEN` frames, each as far as can be from those before it; the first is the middle one. */
function mostDifferent<T extends { readonly start: FrameState }>(items: readonly T[]): T[] {
  const places = items.map(({ start }) => framePlace(start));
  const chosen = [items.length >> 1];
  while (chosen.length < Math.min(CHOSEN, items.length)) {
    let [farthest, largest] = [-1, -1];
    for (let i = 0; i < items.length; i++) {
      if (chosen.includes(i)) continue;
      const nearest = Math.min(...chosen.map((c) => placesApart(places[i]!, places[c]!)));
      if (nearest > largest) [farthest, largest] = [i, nearest];
    }
    chosen.push(farthest);
  }
  return chosen.map((i) => items[i]!);
}

/** Second pass: null where there is no face. */
function fitEach(
  model: LandmarkModel,
  seen: readonly SeenFrame[],
  beliefs: FrameBeliefs,
  shared: SharedState,
  centre: ImageCentre,
  { onEvent, refinement }: Options,
): (FittedFrame | null)[] {
  const shaped = shapeLandmarks(model, shared.identity);
  const chain = createFrameChain(model, centre);
  return seen.map(({ face, startsShot = false }, i) => {
    onEvent({ kind: 'progress', stage: 'fit', done: i + 1, total: seen.length, unit: 'frames' });
    if (face === null || startsShot) chain.break();
    if (face === null) return null;
    const belief = beliefs.about(face, { isNewShot: !chain.follows });
    const fitted = chain.next(face.landmarksPx, belief, shaped, shared.focalPx);
    const { frame, error } = refinement?.frame(fitted, belief.prior, i) ?? fitted;
    // Nothing else of it is kept: clips are long.
    return { frame, error };
  });
}

function pack(
  model: LandmarkModel,
  seen: readonly SeenFrame[],
  fitted: readonly (FittedFrame | null)[],
  shared: SharedState,
  { width, height, learned = null }: Options,
): { readonly track: HeadTrack; readonly landmarkErrors: Float32Array; readonly framesTracked: number } {
  const count = seen.length;
  const smoothed = smoothFrames(
    fitted.map((fit) => fit?.frame ?? null),
    seen.map(({ startsShot = false }) => startsShot),
  );
  const smooth = learned === null ? smoothed : widenFrames(smoothed, learned.gains);
  const joints = 3 * JOINT_NAMES.length;
  const landmarkLength = 2 * model.pointCount;
  const track: HeadTrack = {
    headName: model.head.name,
    width,
    height,
    focalPx: shared.focalPx,
    timestampsSeconds: Float64Array.from(seen, ({ timestampSeconds }) => timestampSeconds),
    identity: Float32Array.from(shared.identity),
    expression: new Float32Array(count * model.expressionCount),
    jointRotations: new Float32Array(count * joints),
    translation: new Float32Array(count * 3),
    confidence: new Float32Array(count),
    landmarksPx: new Float32Array(count * landmarkLength),
    provenance: {},
  };
  const landmarkErrors = new Float32Array(count).fill(Number.NaN);
  for (let i = 0; i < count; i++) {
    const { face } = seen[i]!;
    const parameters = parametersOf(model.head, smooth[i]!, shared.identity);
    track.expression.set(parameters.expression, i * model.expressionCount);
    track.jointRotations.set(parameters.jointRotations, i * joints);
    track.translation.set(parameters.translation, i * 3);
    const fit = fitted[i];
    if (face === null || fit == null) continue;
    track.confidence[i] = face.presence * trustOf(fit.error);
    track.landmarksPx.set(face.landmarksPx, i * landmarkLength);
    landmarkErrors[i] = fit.error;
  }
  return { track, landmarkErrors, framesTracked: fitted.filter((fit) => fit !== null).length };
}
