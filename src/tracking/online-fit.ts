// One frame after another, for a camera or anything else that cannot wait for the clip's end: each picture gets
// its head at once. What a clip shares is found on the way: identity and focal length glide to what the frames
// so far say (`running-identity.ts`), the person's face at rest is the median of the faces so far.

import type { HeadParameters } from '../head/index.ts';
import { createCausalFilter } from './causal-filter.ts';
import type { FollowedFace } from './face-follower.ts';
import { CLIP_IDENTITY_CAUTION, FOCAL_DEVIATION } from './fit-clip.ts';
import { IDENTITY_PRECISION, trustOf } from './fit-portrait.ts';
import {
  appearanceOf,
  createBeliefMaker,
  type FrameBelief,
  LEAST_FOR_NEUTRAL,
  plainBelief,
} from './frame-beliefs.ts';
import { createFrameChain } from './frame-chain.ts';
import { type FrameState, parametersOf } from './head-state.ts';
import { restRow, widenFrame } from './kept-amplitude.ts';
import type { LandmarkModel } from './landmark-model.ts';
import { shapeLandmarks } from './landmark-projection.ts';
import { type LearnedPrior, neutralRow } from './learned-prior.ts';
import { createRunningIdentity, type RunningIdentity } from './running-identity.ts';
import { createRunningNeutral } from './running-neutral.ts';

/** The head as a frame was fitted: what a clip's fit gives, as far as it is known now. */
export type OnlineHead = {
  readonly parameters: HeadParameters;
  /** Focal length of a `frontCamera` of the picture's size, as far as it is known. */
  readonly focalPx: number;
  /** 0 to 1; 0 where no face is seen now: the head is that of the last frame with one. */
  readonly confidence: number;
  /** As `landmarkError` of a picture; NaN where no face is seen now. */
  readonly landmarkError: number;
};

/** Fits frame after frame; faces are given in order. */
export type OnlineFit = {
  /** Null before the first face. */
  next(face: FollowedFace | null, timestampSeconds: number, isNewShot: boolean): OnlineHead | null;
};

/** Frames after which the person's face at rest is fully believed in. */
const TRUSTED_NEUTRAL = 50;
/** Between frames whose clock stands still or goes back. */
const LEAST_SECONDS = 1e-3;

/** Starts an online fit for pictures of a size. */
export function createOnlineFit(
  model: LandmarkModel,
  options: {
    readonly width: number;
    readonly height: number;
    readonly focalPx?: number;
    readonly learned: LearnedPrior | null;
  },
): OnlineFit {
  const { width, height, learned } = options;
  const centre = { xPx: width / 2, yPx: height / 2 };
  const maker = learned === null ? null : createBeliefMaker(model, learned, centre);
  const plain = plainBelief(model);
  const chain = createFrameChain(model, centre);
  const filter = createCausalFilter();
  const neutral = createRunningNeutral();
  const rest = createRunningNeutral();
  let near: FrameState | null = null;
  let running: RunningIdentity | null = null;
  let last: OnlineHead | null = null;
  let lastSeconds = Number.NaN;

  const believe = (face: FollowedFace): FrameBelief => {
    const appearance = appearanceOf(face);
    if (maker === null || appearance === null) return plain;
    const features = maker.describe(face, chain.follows ? near : null);
    near = features.pose;
    neutral.learn(neutralRow(features, appearance));
    const trust = (neutral.count - LEAST_FOR_NEUTRAL) / (TRUSTED_NEUTRAL - LEAST_FOR_NEUTRAL);
    return trust <= 0
      ? maker.believe(features, appearance, null)
      : maker.believe(features, appearance, neutral.median, Math.min(1, trust));
  };

  /** With the amplitude of its units given back, as far as the face at rest is known. */
  const widen = (frame: FrameState): FrameState => {
    if (learned === null) return frame;
    rest.learn(restRow(frame));
    const trust = Math.min(
      1,
      Math.max(0, (rest.count - LEAST_FOR_NEUTRAL) / (TRUSTED_NEUTRAL - LEAST_FOR_NEUTRAL)),
    );
    const { rest: still, motion, offset, gaze } = learned.gains;
    const asFar = (gain: number): number => 1 + trust * (gain - 1);
    const share = [asFar(gaze.share[0]), asFar(gaze.share[1])] as const;
    const gains = { rest: still.map(asFar), motion: motion.map(asFar), offset, gaze: { ...gaze, share } };
    return widenFrame(frame, rest.median!, gains);
  };

  return {
    next(face, timestampSeconds, isNewShot) {
      const seconds = Math.max(LEAST_SECONDS, timestampSeconds - lastSeconds || 0);
      lastSeconds = timestampSeconds;
      if (face === null || isNewShot) {
        chain.break();
        filter.reset();
      }
      if (face === null) {
        if (last !== null) last = { ...last, confidence: 0, landmarkError: Number.NaN };
        return last;
      }
      const belief = believe(face);
      const fit = (): ReturnType<typeof chain.next> => {
        const { identity, focalPx } = running!.shared;
        return chain.next(face.landmarksPx, belief, shapeLandmarks(model, identity), focalPx);
      };
      if (running === null) {
        running = createRunningIdentity(
          model,
          { landmarksPx: face.landmarksPx, belief },
          {
            ...options,
            focalDeviation: FOCAL_DEVIATION,
            identityPrecision: CLIP_IDENTITY_CAUTION * IDENTITY_PRECISION,
          },
        );
        // Nothing was shown yet: what the first face says of the person may count at once.
        running.learn({ ...fit(), belief }, seconds);
      }
      const { shared } = running;
      const fitted = fit();
      running.learn({ ...fitted, belief }, seconds);
      const smooth = widen(filter.next(fitted.frame, seconds));
      last = {
        parameters: parametersOf(model.head, smooth, shared.identity),
        focalPx: shared.focalPx,
        confidence: face.presence * trustOf(fitted.error),
        landmarkError: fitted.error,
      };
      return last;
    },
  };
}
