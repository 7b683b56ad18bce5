// What frames say of identity and focal length, as they come: the joint fit of `fit-frames.ts`, a frame at a
// time. A frame is linearised, its own unknowns are eliminated, and what is left (`S S` and `S` values) is added
// to that of the other frames kept. One frame's work a picture, so the time a picture takes does not grow.

import { factorCholesky, solveCholesky } from '../geometry/index.ts';
import { fitFrame, freeUnknowns } from './fit-frame.ts';
import type { FramePrior } from './fit-priors.ts';
import { believedIdentity, type FrameBelief } from './frame-beliefs.ts';
import { framePlace, placesApart } from './frame-places.ts';
import { FrameSystem, type Observation } from './frame-system.ts';
import type { FrameState, SharedState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { frameUnknowns, shapeLandmarks } from './landmark-projection.ts';
import { assumedFocalPx } from './observe.ts';
import { addScaled } from './small-algebra.ts';

/** A frame that may be kept. */
export type Keyframe = {
  readonly seen: Observation;
  readonly frame: FrameState;
  readonly belief: FrameBelief;
};

/** Identity and focal length, refined as frames come. */
export type RunningIdentity = {
  /** What is in use now; it glides to what the frames say. */
  readonly shared: SharedState;
  /** Takes the newest frame, fitted with `shared`. @param seconds since the one before */
  learn(keyframe: Keyframe, seconds: number): void;
};

/** As many as the fit of a whole clip takes. */
const MOST_KEPT = 14;
/** A frame is new if the head has turned, or the jaw opened, so far (radians) from all that are kept. */
const NEW_PLACE = 0.06;
/** Or if so many frames have passed, until there are enough. */
const PATIENCE = 12;
/** One of the kept frames is gone over again in every so many frames: with what is known by now. */
const AGAIN_INTERVAL = 3;
/** Time constant of the glide: too slow to be seen as a jump, fast enough to be done before one minds. */
const GLIDE_SECONDS = 0.5;
const AGAIN = { iterations: 3, tolerance: 1e-3 };

type Kept = Keyframe & {
  readonly place: readonly number[];
  /** The information about the shared unknowns: `S S`, and `S`. */
  readonly matrix: Float64Array;
  readonly vector: Float64Array;
};

type Setup = {
  readonly width: number;
  readonly height: number;
  /** The focal length where it is known. */
  readonly focalPx?: number;
  /** Standard deviation of the focal length's logarithm where it is not. */
  readonly focalDeviation: number;
  /** 1 / variance of an identity coefficient. */
  readonly identityPrecision: number;
};

/** Starts from what the first face suggests. */
export function createRunningIdentity(
  model: LandmarkModel,
  first: { readonly landmarksPx: Float32Array; readonly belief: FrameBelief },
  setup: Setup,
): RunningIdentity {
  const system = new FrameSystem(model, { withShared: true });
  const small = new FrameSystem(model, { withShared: false });
  const kept: Kept[] = [];
  let shared: SharedState = {
    identity: believedIdentity(model, [first.belief], setup.identityPrecision).mean,
    focalPx: setup.focalPx ?? assumedFocalPx(setup, first.landmarksPx),
  };
  let frames = 0;
  let sinceNew = 0;
  let next = 0;
  let target = shared;

  const linearise = (keyframe: Keyframe): Kept => {
    const { seen, belief } = keyframe;
    const shaped = shapeLandmarks(model, shared.identity);
    const { prior } = belief;
    const { frame } = fitFrame(small, seen, keyframe.frame, shaped, shared.focalPx, prior, AGAIN);
    system.evaluate(seen, frame, shaped, shared.focalPx, prior);
    const information = reduce(model, system, frame, prior, setup.focalPx === undefined);
    const at = [...shared.identity, Math.log(shared.focalPx)];
    const count = at.length;
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) information.vector[i]! += information.matrix[i * count + j]! * at[j]!;
    }
    return { seen, frame, belief, place: framePlace(frame), ...information };
  };

  /** Where a new frame goes: a free place, or that of one of the two most alike; -1 if it is not needed. */
  const placeFor = (keyframe: Keyframe): number => {
    const place = framePlace(keyframe.frame);
    const nearest = Math.min(...kept.map((other) => placesApart(place, other.place)));
    if (kept.length < MOST_KEPT) return nearest > NEW_PLACE || sinceNew >= PATIENCE ? kept.length : -1;
    const [least, which] = closestPair(kept);
    return nearest > least ? which : -1;
  };

  return {
    get shared() {
      return shared;
    },
    learn(keyframe, seconds) {
      frames++;
      sinceNew++;
      const at = placeFor(keyframe);
      if (at >= 0) {
        kept[at] = linearise(keyframe);
        sinceNew = 0;
      } else if (frames % AGAIN_INTERVAL === 0) {
        next = (next + 1) % kept.length;
        kept[next] = linearise(kept[next]!);
      }
      if (at >= 0 || frames % AGAIN_INTERVAL === 0) target = solve(model, kept, setup);
      const share = Math.max(1 / frames, 1 - Math.exp(-seconds / GLIDE_SECONDS));
      shared = {
        identity: shared.identity.map((value, i) => value + share * (target.identity[i]! - value)),
        focalPx: shared.focalPx * (target.focalPx / shared.focalPx) ** share,
      };
    },
  };
}

/** What a linearised frame says of the shared unknowns once its own are eliminated. */
function reduce(
  model: LandmarkModel,
  system: FrameSystem,
  frame: FrameState,
  prior: FramePrior,
  isFocalFree: boolean,
): { readonly matrix: Float64Array; readonly vector: Float64Array } {
  const own = frameUnknowns(model);
  const count = system.size - own;
  system.linearise(frame, prior);
  const free = freeUnknowns(frame, prior, system.vector);
  const places = Array.from({ length: isFocalFree ? count : count - 1 }, (_, i) => own + i);
  system.assemble(prior, [...free, ...places]);
  const n = free.length;
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) factor[i * n + j] = system.matrix[free[i]! * system.size + free[j]!]!;
    factor[i * n + i]! += 1e-9;
  }
  factorCholesky(factor, n);
  const matrix = new Float64Array(count * count);
  const vector = new Float64Array(count);
  const gradient = free.map((i) => system.vector[i]!);
  const column = new Float64Array(n);
  for (const [s, place] of places.entries()) {
    for (let i = 0; i < n; i++) column[i] = system.matrix[free[i]! * system.size + place]!;
    solveCholesky(factor, n, column);
    vector[s] = system.vector[place]!;
    for (let i = 0; i < n; i++) vector[s]! -= column[i]! * gradient[i]!;
    for (const [t, other] of places.entries()) {
      let value = system.matrix[place * system.size + other]!;
      for (let i = 0; i < n; i++) value -= column[i]! * system.matrix[free[i]! * system.size + other]!;
      matrix[s * count + t] = value;
    }
  }
  return { matrix, vector };
}

/** The shared unknowns that all kept frames and the prior agree on. */
function solve(model: LandmarkModel, kept: readonly Kept[], setup: Setup): SharedState {
  const believed = believedIdentity(
    model,
    kept.map(({ belief }) => belief),
    setup.identityPrecision,
  );
  const count = model.identityCount + 1;
  const matrix = new Float64Array(count * count);
  const vector = new Float64Array(count);
  for (const information of kept) {
    addScaled(matrix, information.matrix, 1);
    addScaled(vector, information.vector, 1);
  }
  for (const [i, precision] of believed.precision.entries()) {
    matrix[i * count + i]! += precision;
    vector[i]! += precision * believed.mean[i]!;
  }
  const assumed = kept.map(({ seen }) => assumedFocalPx(setup, seen.landmarksPx)).sort((a, b) => a - b);
  const precision = 1 / setup.focalDeviation ** 2;
  matrix[count * count - 1]! += precision;
  vector[count - 1]! += precision * Math.log(setup.focalPx ?? assumed[assumed.length >> 1]!);
  factorCholesky(matrix, count);
  solveCholesky(matrix, count, vector);
  return { identity: vector.slice(0, -1), focalPx: Math.exp(vector[count - 1]!) };
}

/** The distance of the two frames most alike, and which the older of them is. */
function closestPair(kept: readonly Kept[]): [distance: number, which: number] {
  let [least, which] = [Infinity, 0];
  for (let a = 0; a < kept.length; a++) {
    for (let b = a + 1; b < kept.length; b++) {
      const distance = placesApart(kept[a]!.place, kept[b]!.place);
      if (distance < least) [least, which] = [distance, a];
    }
  }
  return [least, which];
}
