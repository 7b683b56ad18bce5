// What the temporal layers learn from: consecutive frames of one subject in continuous motion, all lifted
// from one reference with one fit.

import { createLifter } from '../lift/index.ts';
import { createRandom, deriveSeed } from '../tensor/index.ts';
import { smoothCurve } from './curves.ts';
import { sampleMotion } from './motion.ts';
import { sampleMotionClip } from './motion-clip.ts';
import { type LearningPair, misfit } from './pairs.ts';
import { placeSubject } from './placement.ts';
import { type RenderTools, renderSubject } from './renderer.ts';
import type { Subject } from './subject.ts';

/** How a synthetic clip is made. */
export type SyntheticClipOptions = {
  readonly sizePx: number;
  /** Which clip of the subject, from 0. */
  readonly index: number;
  readonly frames: number;
  readonly framesPerSecond?: number;
  readonly yawDegrees?: number;
  /** As of a pair: how far the reference's fit is off. Default 1. */
  readonly fitNoise?: number;
};

/** A moving subject frame by frame: exact truth, one reference, the faults of use. */
export function makeSyntheticClip(
  tools: RenderTools,
  subject: Subject,
  { sizePx, index, frames, framesPerSecond = 25, yawDegrees = 32, fitNoise = 1 }: SyntheticClipOptions,
): LearningPair[] {
  const { traits } = subject;
  const random = createRandom(deriveSeed(traits.seed, 51, index));
  // Frames of one clip have grain of their own, apart from every pair's and every other clip's.
  const noiseSeed = (frame: number): number => deriveSeed(index, 52, frame);
  const still = sampleMotion(random, tools.head, { yawDegrees: 0.7 * yawDegrees, calm: 0.45 });
  const reference = renderSubject(tools, subject, {
    ...placeSubject(traits, still, sizePx),
    noiseSeed: noiseSeed(-1),
  });
  const fitted = misfit(reference.parameters, fitNoise, random);
  const { image, camera } = reference;
  const lifter = createLifter(tools, {
    ...{ image, camera, parameters: fitted },
    personMask: reference.masks.person,
  });

  const durationSeconds = frames / framesPerSecond;
  const drifts = [0.006, 0.005, 0.008].map((metres) =>
    smoothCurve(random, { durationSeconds, knotSeconds: 0.5, value: () => 1.4 * metres * random.normal() }),
  );
  const motions = sampleMotionClip(random, tools.head, { frames, framesPerSecond, yawDegrees });
  return motions.map((motion, frame) => {
    const [x, y, z] = drifts.map((drift) => drift(frame / framesPerSecond));
    const target = renderSubject(tools, subject, {
      ...placeSubject(traits, motion, sizePx, [x!, y!, z!]),
      noiseSeed: noiseSeed(frame),
    });
    const { parameters, camera: targetCamera } = target;
    const lifted = lifter.lift({
      parameters: { ...parameters, identity: fitted.identity },
      camera: targetCamera,
    });
    return {
      reference: image.data,
      target: target.image.data,
      lifted: lifted.image.data,
      visibility: lifted.visibility,
      headMask: target.masks.head,
      head: parameters,
      camera: targetCamera,
      referencePlacement: { parameters: fitted, camera },
    };
  });
}
