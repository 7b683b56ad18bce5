// A clip's landmarks to a HeadTrack, in two passes: a few frames that differ most are fitted together for
// identity and focal length; then every frame is fitted with these, each from the one before it; a light
// smoothing in both directions ends it.

import type { EventSink } from '../events/index.ts';
import { type HeadTrack, JOINT_NAMES } from '../head/index.ts';
import type { FollowedFace } from './face-follower.ts';
import { findFirstPose } from './first-pose.ts';
import { fitFrame } from './fit-frame.ts';
import { fitFrames } from './fit-frames.ts';
import { assumedFocalPx, IDENTITY_PRECISION, landmarkErrorOf, trustOf } from './fit-portrait.ts';
import { createFramePrior, type FramePrior, followingPrior } from './fit-priors.ts';
import { FrameSystem } from './frame-system.ts';
import { type FrameState, parametersOf, type SharedState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { type ImageCentre, shapeLandmarks } from './landmark-projection.ts';
import { observeLandmarks } from './observe.ts';
import { smoothFrames } from './smooth-frames.ts';

/** One frame as the networks saw it. */
export type SeenFrame = {
  readonly timestampSeconds: number;
  readonly face: FollowedFace | null;
  /** As `lipContrast` gives it; NaN without a face. Left out by those who have no pictures. */
  readonly lipContrast?: number;
};

/** Frames looked at to choose those of the first pass, and how many are chosen. */
const CANDIDATES = 48;
const CHOSEN = 14;
const FOCAL_DEVIATION = 0.15;
const POSE_ONLY = { iterations: 4, tolerance: 1e-3 };
const JOINT = { iterations: 10, tolerance: 1e-3 };
const FIRST_FRAME = { iterations: 12, tolerance: 1e-4 };
const NEXT_FRAME = { iterations: 4, tolerance: 2e-3 };
/** Radians of jaw count this much beside radians of yaw and pitch when frames are compared. */
const JAW_FACTOR = 2;

type Options = {
  readonly width: number;
  readonly height: number;
  readonly focalPx?: number;
  readonly onEvent: EventSink;
};

/** Fits a clip of which at least one frame shows a face. */
export function fitClip(
  model: LandmarkModel,
  seen: readonly SeenFrame[],
  options: Options,
): { readonly track: HeadTrack; readonly landmarkErrors: Float32Array; readonly framesTracked: number } {
  const centre = { xPx: options.width / 2, yPx: options.height / 2 };
  const faces = seen.flatMap(({ face }) => (face === null ? [] : [face]));
  const shared = fitShared(model, faces, centre, options);
  options.onEvent({ kind: 'progress', stage: 'fit', done: 0, total: seen.length, unit: 'frames' });
  const fitted = fitEach(model, seen, shared, centre, options.onEvent);
  return pack(model, seen, fitted, shared, options);
}

/** First pass. */
function fitShared(
  model: LandmarkModel,
  faces: readonly FollowedFace[],
  centre: ImageCentre,
  options: Options,
): SharedState {
  const focalPx = options.focalPx ?? assumedFocalPx(options);
  const prior = createFramePrior(model.head);
  const identity = new Float64Array(model.identityCount);
  const shaped = shapeLandmarks(model, identity);
  const small = new FrameSystem(model, { withShared: false });
  const step = Math.max(1, faces.length / CANDIDATES);
  const candidates = Array.from({ length: Math.min(CANDIDATES, faces.length) }, (_, i) => {
    const { landmarksPx } = faces[Math.floor(i * step)]!;
    const frontal = observeLandmarks(model, landmarksPx, centre, null);
    const pose = findFirstPose(model, small, frontal, shaped, focalPx, prior);
    const observation = observeLandmarks(model, landmarksPx, centre, pose.rotation);
    const { frame } = fitFrame(small, observation, pose, shaped, focalPx, prior, POSE_ONLY);
    return { seen: observation, start: frame };
  });
  const chosen = mostDifferent(candidates, ({ start }) => {
    const r = start.rotation;
    return [
      Math.atan2(r[2]!, r[8]!),
      Math.asin(Math.max(-1, Math.min(1, -r[5]!))),
      JAW_FACTOR * start.hinges[1]!,
    ];
  });
  const system = new FrameSystem(model, { withShared: true });
  const deviation = options.focalPx === undefined ? FOCAL_DEVIATION : 0;
  return fitFrames(model, system, chosen, {
    start: { identity, focalPx },
    framePrior: prior,
    sharedPrior: { identityPrecision: IDENTITY_PRECISION, focalPx, focalDeviation: deviation },
    limits: JOINT,
  }).shared;
}

/** Up to `CHOSEN` items, each as far as can be from those before it; the first is the middle one. */
function mostDifferent<T>(items: readonly T[], placeOf: (item: T) => readonly number[]): T[] {
  const places = items.map(placeOf);
  const chosen = [items.length >> 1];
  const gap = (a: readonly number[], b: readonly number[]): number =>
    Math.hypot(...a.map((v, k) => v - b[k]!));
  while (chosen.length < Math.min(CHOSEN, items.length)) {
    let [farthest, largest] = [-1, -1];
    for (let i = 0; i < items.length; i++) {
      if (chosen.includes(i)) continue;
      const nearest = Math.min(...chosen.map((c) => gap(places[i]!, places[c]!)));
      if (nearest > largest) [farthest, largest] = [i, nearest];
    }
    chosen.push(farthest);
  }
  return chosen.map((i) => items[i]!);
}

type FittedFrame = { readonly frame: FrameState; readonly error: number };

/** Second pass: null where there is no face. */
function fitEach(
  model: LandmarkModel,
  seen: readonly SeenFrame[],
  shared: SharedState,
  centre: ImageCentre,
  onEvent: EventSink,
): (FittedFrame | null)[] {
  const prior = createFramePrior(model.head);
  const shaped = shapeLandmarks(model, shared.identity);
  const system = new FrameSystem(model, { withShared: false });
  let before: FrameState | null = null;
  return seen.map(({ face }, i) => {
    onEvent({ kind: 'progress', stage: 'fit', done: i + 1, total: seen.length, unit: 'frames' });
    if (face === null) {
      before = null;
      return null;
    }
    const { landmarksPx } = face;
    let start: FrameState;
    let current: FramePrior = prior;
    if (before === null) {
      const frontal = observeLandmarks(model, landmarksPx, centre, null);
      start = findFirstPose(model, system, frontal, shaped, shared.focalPx, prior);
    } else {
      start = before;
      current = followingPrior(prior, model.head, before);
    }
    const observation = observeLandmarks(model, landmarksPx, centre, start.rotation);
    const limits = before === null ? FIRST_FRAME : NEXT_FRAME;
    const { frame } = fitFrame(system, observation, start, shaped, shared.focalPx, current, limits);
    before = frame;
    return { frame, error: landmarkErrorOf(landmarksPx, system.pixels) };
  });
}

function pack(
  model: LandmarkModel,
  seen: readonly SeenFrame[],
  fitted: readonly (FittedFrame | null)[],
  shared: SharedState,
  { width, height }: Options,
): { readonly track: HeadTrack; readonly landmarkErrors: Float32Array; readonly framesTracked: number } {
  const count = seen.length;
  const smooth = smoothFrames(fitted.map((fit) => fit?.frame ?? null));
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
