// What a network learns from, in the sample form of `training`: a reference, the reference lifted to the
// target's pose, the true target. Synthetic subjects give single lifts with a true answer; stills give
// round trips.

import type { Camera } from '../geometry/index.ts';
import type { HeadModel, HeadParameters } from '../head/index.ts';
import { createLifter, type HeadPlacement, type LiftSource, liftRoundTrip } from '../lift/index.ts';
import type { RgbImage } from '../media/index.ts';
import { createRandom, deriveSeed, type Random } from '../tensor/index.ts';
import { type Motion, rotationVector, sampleMotion } from './motion.ts';
import { placeSubject } from './placement.ts';
import { type RenderTools, renderSubject } from './renderer.ts';
import type { Subject } from './subject.ts';

/** What there is to learn from: square 8-bit sRGB pictures `S S 3`, masks `S S`. */
export type LearningPair = {
  /** What the person is known from. */
  readonly reference: Uint8Array;
  /** The true picture. */
  readonly target: Uint8Array;
  /** The reference carried to the target's pose. */
  readonly lifted: Uint8Array;
  /** How far to trust each pixel of `lifted`, 0 (invented) to 255. */
  readonly visibility: Uint8Array;
  /** The head region of the target, 0 to 255: where metrics are measured. */
  readonly headMask: Uint8Array;
  /** The head of the target picture. */
  readonly head: HeadParameters;
  /** The camera of the target picture; width = height = S. */
  readonly camera: Camera;
  /** The head as it is fitted to the reference, and the reference's camera. */
  readonly referencePlacement: HeadPlacement;
};

/** How a synthetic pair is made. */
export type SyntheticPairOptions = {
  readonly sizePx: number;
  /** Which pair of the subject, from 0. */
  readonly index: number;
  readonly yawDegrees?: number;
  /**
   * How far the reference's fit is off, as a tracker's is: 1 is half a degree, a few hundredths of
   * expression, a quarter of a standard deviation of identity; 0 is exact. Default 1.
   */
  readonly fitNoise?: number;
};

/** A synthetic pair also keeps its reference with the head as fitted to it. */
export type SyntheticPair = LearningPair & { readonly portrait: LiftSource };

/** A subject's picture lifted to another of its pictures: exact truth, the faults of use. */
export function makeSyntheticPair(
  tools: RenderTools,
  subject: Subject,
  { sizePx, index, yawDegrees = 32, fitNoise = 1 }: SyntheticPairOptions,
): SyntheticPair {
  const { traits } = subject;
  const random = createRandom(deriveSeed(traits.seed, 31, index));
  const from = sampleMotion(random, tools.head, { yawDegrees: 0.7 * yawDegrees, calm: 0.45 });
  const to = sampleMotion(random, tools.head, { yawDegrees, calm: 0.15 });
  const shift = (): [number, number, number] => [
    0.006 * random.normal(),
    0.005 * random.normal(),
    0.008 * random.normal(),
  ];
  const reference = renderSubject(tools, subject, {
    ...placeSubject(traits, from, sizePx),
    noiseSeed: 2 * index,
  });
  const target = renderSubject(tools, subject, {
    ...placeSubject(traits, to, sizePx, shift()),
    noiseSeed: 2 * index + 1,
  });
  const fitted = misfit(reference.parameters, fitNoise, random);
  const { image, camera } = reference;
  const portrait = { image, camera, parameters: fitted, personMask: reference.masks.person };
  const lifted = createLifter(tools, portrait).lift({
    parameters: { ...target.parameters, identity: fitted.identity },
    camera: target.camera,
  });
  return {
    portrait,
    reference: image.data,
    target: target.image.data,
    lifted: lifted.image.data,
    visibility: lifted.visibility,
    headMask: target.masks.head,
    head: target.parameters,
    camera: target.camera,
    referencePlacement: { parameters: fitted, camera },
  };
}

/** A fitted still away by a random motion (the reference) and back (the control); the still is the target. */
export function makeRoundTripPair(
  tools: RenderTools,
  image: RgbImage,
  fit: HeadPlacement & Pick<LiftSource, 'personMask'>,
  random: Random,
  { yawDegrees = 28 }: { readonly yawDegrees?: number } = {},
): LearningPair {
  const via = {
    camera: fit.camera,
    parameters: moveAway(fit.parameters, tools.head, random, { yawDegrees }),
  };
  const { away, back, target } = liftRoundTrip(tools, { image, ...fit }, via);
  return {
    reference: away.image.data,
    target: target.data,
    lifted: back.image.data,
    visibility: back.visibility,
    headMask: back.headMask,
    head: fit.parameters,
    camera: fit.camera,
    referencePlacement: via,
  };
}

/** How far a still's head is moved. */
export type AwayOptions = {
  /** Largest turn from where the still has it, degrees; two thirds lie within 0.6 of it. */
  readonly yawDegrees?: number;
  readonly pitchDegrees?: number;
  /** Share of a new expression that is taken on, 0 to 1. */
  readonly expression?: number;
};

/** A fitted head turned and moved at random: pose relative to its own, expression a new one. */
export function moveAway(
  fit: HeadParameters,
  head: HeadModel,
  random: Random,
  { yawDegrees = 28, pitchDegrees = 13, expression = 1 }: AwayOptions = {},
): HeadParameters {
  const other: Motion = sampleMotion(random, head, { yawDegrees, pitchDegrees, calm: 0.2 });
  const keeps = 1 - expression * (random.uniform() < 0.3 ? 1 - random.uniform() : 1);
  const jointRotations = Float32Array.from(other.jointRotations, (value, i) => {
    const isRoot = i < 3;
    return isRoot ? fit.jointRotations[i]! + value : value + keeps * (fit.jointRotations[i]! - value);
  });
  return {
    identity: fit.identity,
    expression: other.expression.map((value, unit) => value + keeps * (fit.expression[unit]! - value)),
    jointRotations,
    translation: fit.translation.map((value, k) => value + [0.006, 0.005, 0.008][k]! * random.normal()),
  };
}

/** The head as a tracker would fit it; `noise` as in `SyntheticPairOptions`. */
export function misfit(truth: HeadParameters, noise: number, random: Random): HeadParameters {
  if (noise === 0) return truth;
  const turn = rotationVector(
    0.009 * noise * random.normal(),
    0.009 * noise * random.normal(),
    0.005 * noise * random.normal(),
  );
  return {
    identity: truth.identity.map((value) => value + 0.25 * noise * random.normal()),
    expression: truth.expression.map((value) => Math.max(0, value + 0.03 * noise * random.normal())),
    jointRotations: truth.jointRotations.map(
      (value, i) => value + (i < 3 ? turn[i]! : 0.008 * noise * random.normal()),
    ),
    translation: truth.translation.map((value) => value + 0.001 * noise * random.normal()),
  };
}
