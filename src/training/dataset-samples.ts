// From a dataset's samples to what networks learn from: the reference carried to the head of every target. A still that
// is its own reference is carried away and back, and teaches motion with the untouched picture as the answer.

import { headWindow } from '../avatar/index.ts';
import { crc32, type Sample, type SampleStreamOptions } from '../dataset/index.ts';
import { type HeadPoser, JOINT_NAMES } from '../head/index.ts';
import { createLifter, type LiftTools } from '../lift/index.ts';
import { makeRoundTripPair, misfit } from '../synthesis/index.ts';
import { createRandom, deriveSeed } from '../tensor/index.ts';
import type { TrainingSample } from './sample-shard.ts';

/** The framing of a stream for training: heads stand in its pictures as the avatar frames them. */
export function avatarFraming(poser: HeadPoser): NonNullable<SampleStreamOptions['framing']> {
  const [left, right] = (['leftEye', 'rightEye'] as const).map((name) => 3 * JOINT_NAMES.indexOf(name));
  return (camera, parameters) => {
    const joints = poser.joints(parameters);
    return headWindow(
      camera,
      [0, 1, 2].map((axis) => (joints[left! + axis]! + joints[right! + axis]!) / 2),
    );
  };
}

/**
 * The training samples of a dataset's sample: one for each of its targets, side by side. The same sample and seed always
 * give the same. Heads of synthetic references err as a tracker's do; real ones are a tracker's already.
 */
export function learningSamples(tools: LiftTools, sample: Sample, seed: number): TrainingSample[] {
  const { reference, targets, label, identity, source, position } = sample;
  const random = createRandom(deriveSeed(seed, 81, position));
  // Positive, as 32 bits with a sign hold it.
  const subject = crc32(new TextEncoder().encode(`${source} ${identity}`)) >>> 1;
  if (sample.isOwnReference) {
    const { image, personMask, ...placement } = targets[0]!;
    const fit = { ...placement, personMask: personMask ?? undefined };
    return [{ ...makeRoundTripPair(tools, image, fit, random), label, subject, kind: 'roundTrip' }];
  }
  const { image, camera, personMask } = reference;
  const parameters = misfit(reference.parameters, label === 'synthetic' ? 1 : 0, random);
  const lifter = createLifter(tools, {
    ...{ image, camera, parameters },
    personMask: personMask ?? undefined,
  });
  return targets.map((target): TrainingSample => {
    const lifted = lifter.lift({
      parameters: { ...target.parameters, identity: parameters.identity },
      camera: target.camera,
    });
    return {
      reference: image.data,
      target: target.image.data,
      lifted: lifted.image.data,
      visibility: lifted.visibility,
      headMask: target.headMask ?? lifted.headMask,
      head: target.parameters,
      camera: target.camera,
      referencePlacement: { parameters, camera },
      ...{ label, subject, kind: 'singleLift' },
    };
  });
}
