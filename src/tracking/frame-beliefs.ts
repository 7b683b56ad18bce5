// What is believed of each frame before the fit: from the learned prior where there is one and the frame's
// eyes are known, else the head's plain prior. Also says in which pose to begin.

import { createFaceFeatures, type FaceFeatures } from './face-features.ts';
import type { FollowedFace } from './face-follower.ts';
import { createFramePrior, type FramePrior, predictedPrior, stateAtMean } from './fit-priors.ts';
import type { FrameState } from './head-state.ts';
import type { LandmarkModel } from './landmark-model.ts';
import type { ImageCentre } from './landmark-projection.ts';
import {
  type Appearance,
  type LearnedPrior,
  medianRow,
  neutralRow,
  type Prediction,
} from './learned-prior.ts';

/** A prior for one frame, and where to begin; `start` is null where only a search can tell. */
export type FrameBelief = {
  readonly prior: FramePrior;
  /** With the focal length that it belongs to. */
  readonly start: (FrameState & { readonly focalPx: number }) | null;
  /** What the frame says of the person; null where nothing is learned. */
  readonly identity: Pick<Prediction, 'identity' | 'identityDeviation' | 'identityAgreement'> | null;
};

/** Beliefs about the frames of one clip, or of one picture. */
export type FrameBeliefs = {
  /** Whether a frame's own picture says what to believe; else the frame before may help. */
  readonly isLearned: boolean;
  about(face: FollowedFace, options?: { readonly isNewShot?: boolean }): FrameBelief;
};

/** Turns what is seen of faces into beliefs, with whatever is known of the person's face at rest. */
type BeliefMaker = {
  /** A face beside the mean head. @param near the pose of the frame before, where there is one */
  describe(face: FollowedFace, near: FrameState | null): FaceFeatures;
  /**
   * @param neutral the median of the person's `neutralRow`s; null where it is not known
   * @param trust in the neutral, 0 to 1: below 1 the face by itself has a say too; default 1
   */
  believe(
    features: FaceFeatures,
    appearance: Appearance,
    neutral: Float32Array | null,
    trust?: number,
  ): FrameBelief & { readonly start: FrameState & { readonly focalPx: number } };
};

/** A clip with fewer faces has no face that it shows most of the time. */
export const LEAST_FOR_NEUTRAL = 8;
/** Frames looked at for it. */
const MOST_FOR_NEUTRAL = 120;

/** Prepares beliefs from the learned prior, of faces with known eyes. */
export function createBeliefMaker(
  model: LandmarkModel,
  learned: LearnedPrior,
  centre: ImageCentre,
): BeliefMaker {
  const plain = createFramePrior(model.head);
  const maker = createFaceFeatures(model);
  return {
    describe: ({ landmarksPx }, near) => maker.describe(landmarksPx, centre, near),
    believe(features, appearance, neutral, trust = 1) {
      const informed = learned.predict(features, appearance, neutral);
      const prediction =
        trust < 1 ? mixPredictions(learned.predict(features, appearance, null), informed, trust) : informed;
      const prior = predictedPrior(model.head, plain, prediction, features);
      const start = { ...stateAtMean(features.pose, prior), focalPx: features.focalPx };
      return { prior, start, identity: prediction };
    },
  };
}

/** What the prior sees of a face; null where that was not looked at. */
export function appearanceOf({ eyes, reading }: FollowedFace): Appearance | null {
  return eyes === undefined || reading === undefined ? null : { eyes, reading };
}

/** Between two predictions of one frame. */
function mixPredictions(from: Prediction, to: Prediction, share: number): Prediction {
  const keys = Object.keys(from) as (keyof Prediction)[];
  const mixed = keys.map((key) => [key, from[key].map((v, i) => v + share * (to[key][i]! - v))]);
  return Object.fromEntries(mixed) as Prediction;
}

/** What is believed of a face of which nothing is learned. */
export function plainBelief(model: LandmarkModel): FrameBelief {
  return { prior: createFramePrior(model.head), start: null, identity: null };
}

/**
 * Prepares beliefs.
 * @param faces all of a clip; the median of their shapes is taken for the person's face at rest
 */
export function createFrameBeliefs(
  model: LandmarkModel,
  learned: LearnedPrior | null,
  faces: readonly FollowedFace[],
  centre: ImageCentre,
): FrameBeliefs {
  const plain = plainBelief(model);
  const usable = learned === null ? [] : faces.filter((face) => appearanceOf(face) !== null);
  if (learned === null || usable.length === 0) return { isLearned: false, about: () => plain };
  const maker = createBeliefMaker(model, learned, centre);
  let neutral: Float32Array | null = null;
  if (usable.length >= LEAST_FOR_NEUTRAL) {
    const step = Math.max(1, usable.length / MOST_FOR_NEUTRAL);
    const some = Array.from(
      { length: Math.min(MOST_FOR_NEUTRAL, usable.length) },
      (_, i) => usable[Math.floor(i * step)]!,
    );
    let last: FrameState | null = null;
    neutral = medianRow(
      some.map((face) => {
        const features = maker.describe(face, last);
        last = features.pose;
        return neutralRow(features, appearanceOf(face)!);
      }),
    );
  }
  let near: FrameState | null = null;
  return {
    isLearned: true,
    about(face, { isNewShot = false } = {}) {
      const appearance = appearanceOf(face);
      if (appearance === null) return plain;
      const features = maker.describe(face, isNewShot ? null : near);
      near = features.pose;
      return maker.believe(features, appearance, neutral);
    },
  };
}

/**
 * What several frames together believe of the identity: means, and 1 / variances. `I` each.
 * @param options.areApart whether they show the person from different sides, so that each errs for itself as well: then
 * their mean is nearer to the usual head than all of them together have reason to be
 */
export function believedIdentity(
  model: LandmarkModel,
  beliefs: readonly FrameBelief[],
  plainPrecision: number,
  { areApart = false }: { readonly areApart?: boolean } = {},
): { readonly mean: Float64Array; readonly precision: Float64Array } {
  const mean = new Float64Array(model.identityCount);
  const precision = new Float64Array(model.identityCount).fill(plainPrecision);
  const learned = beliefs.flatMap(({ identity }) => (identity === null ? [] : [identity]));
  const count = areApart ? learned.length : 1;
  for (const { identity, identityDeviation, identityAgreement } of learned) {
    for (const [k, value] of identity.entries()) {
      // Least squares of a value over the mean of predictions that correlate so.
      const surer = count / (1 + (count - 1) * identityAgreement[k]!);
      mean[k]! += (surer * value) / learned.length;
      // Frames of one person err together: several are as sure as one.
      precision[k] = plainPrecision / identityDeviation[k]! ** 2;
    }
  }
  return { mean, precision };
}
