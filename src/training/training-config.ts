// How the stages train, as the `training` part of a configuration holds it beside the model's sizes.

import { z } from 'zod';
import type { ModelConfig } from '../denoiser/index.ts';
import { modelSchema } from '../denoiser/index.ts';
import { PRECISIONS, type Precision } from '../tensor/index.ts';
import { parseConfigured } from './configuration-faults.ts';
import { trainingContradictions } from './training-contradictions.ts';

/** What every stage's optimiser needs. */
export type OptimiserConfig = {
  /** Samples a step. */
  readonly batch: number;
  readonly learningRate: number;
  /** Steps over which the learning rate rises from zero. */
  readonly warmupSteps: number;
  /** The step at which it has fallen along a cosine to its end; absent: it stays. */
  readonly decaySteps?: number;
  readonly weightDecay: number;
  /** Gradients are scaled down to this global norm. */
  readonly clipNorm: number;
  /** Share of the averaged weights that stays at each step. */
  readonly emaDecay: number;
  /** Parts that a batch passes in one after the other: the same step with less memory. Default 1. */
  readonly microBatches?: number | undefined;
};

/** The autoencoder's stage. */
export type AutoencoderTraining = OptimiserConfig & {
  /** Side of the training crops, pixels. */
  readonly cropPx: number;
  /** Largest deviation of the noise on the latent; each sample draws its own strength. */
  readonly latentNoise: number;
  /**
   * Probability that a latent errs towards that of the lifted picture, by a random share; only where the
   * encoder is kept. A denoiser's samples err that way, and the decoder learns how far to believe them.
   */
  readonly liftMixing: number;
  /** Probability that a sample comes without its lifted picture. */
  readonly liftDropout: number;
  /** Probability that parts of the lifted picture are spoiled, with or without their visibility. */
  readonly liftCorruption: number;
  /** Weights of the loss terms. */
  readonly gradientWeight: number;
  readonly structureWeight: number;
  readonly klWeight: number;
};

/** The denoiser's stages. */
export type DenoiserTraining = OptimiserConfig & {
  /** Probability that a sample's reference is hidden, for classifier-free guidance. */
  readonly referenceDropout: number;
  readonly liftDropout: number;
  readonly liftCorruption: number;
  /** Probability of drawing one of the `focusSteps` trailing steps that a short sampler visits. */
  readonly focusProbability: number;
  readonly focusSteps: number;
  /** Min-SNR gamma. */
  readonly gamma: number;
  /** How much more the head counts than what is around it; 0 is the paper's plain mean. */
  readonly headWeight: number;
  /** Whether gradients compute resnet blocks again instead of keeping their values. Default false. */
  readonly recomputesBlocks?: boolean | undefined;
  /** Whether the optimiser's moments are held in 8 bits in place of 32, in blocks of 256. Default false. */
  readonly quantisesMoments?: boolean | undefined;
  /** What gradients are computed in; fp16 scales the loss, and asks for a GPU with 16-bit floats. Default fp32. */
  readonly precision?: Precision | undefined;
  /** How far the heads of Gaussians and maps are off, in a tracker's usual errors; default 0. */
  readonly headJitter?: number | undefined;
  /** Learning rate of the Gaussian field; 0 freezes it. */
  readonly fieldLearningRate: number;
  /** Stage 1: three scales a Gaussian instead of the paper's one, which did as well there. Default false. */
  readonly isFieldAnisotropic?: boolean | undefined;
};

/** The distill stage. */
export type DistillTraining = OptimiserConfig & {
  readonly referenceDropout: number;
  readonly liftDropout: number;
  readonly liftCorruption: number;
  /** The longest sampler that the model should still serve. */
  readonly samplerSteps: number;
  /** Share of the samples at a later one of its steps than the first. */
  readonly laterShare: number;
  /** Whether the loss reaches the weights by way of the reference pass too; false saves a third of a step. */
  readonly learnsReference: boolean;
  /** Side of the square that is decoded of each picture, pixels. */
  readonly windowPx: number;
  /** How much more a pixel of the head counts than one around it, and one that the lift invents besides. */
  readonly headWeight: number;
  readonly inventedWeight: number;
  /**
   * What a pixel of the head that the lift sees well counts in pairs of views, as a share of what it counts in round trips.
   * The fit of a pair errs as a tracker does, so what is seen is a little out of place there, and its best answer is blurred;
   * a round trip ends in its place. Default 1.
   */
  readonly seenPairWeight?: number | undefined;
  /** Weights of the loss terms beside the absolute difference of pixels. */
  readonly latentWeight: number;
  readonly gradientWeight: number;
  readonly structureWeight: number;
  /**
   * Share of the synthetic samples that are taught under the label real, which is the one that is used: round trips of
   * stills never show a head that was truly turned. Default 0.
   */
  readonly syntheticAsReal?: number | undefined;
  /** Weights of what a critic adds (its judgement, the distance of its features); without both there is none. */
  readonly criticWeight?: number | undefined;
  readonly featureWeight?: number | undefined;
  /** Of the distance that the landmark network's first layers see. */
  readonly perceptualWeight?: number | undefined;
};

/** The `training` part of a configuration. */
export type TrainingConfig = {
  readonly seed: number;
  /** Share of real samples in a batch, where both labels exist and no mixture says how often each source comes. */
  readonly realShare: number;
  /** Subjects of each label that are kept for validation: the last ones. */
  readonly validationSubjects: number;
  /** Names of portraits that no training data may be made from. */
  readonly heldOutPortraits: readonly string[];
  readonly vae: AutoencoderTraining;
  readonly stage1: DenoiserTraining;
  readonly stage2: DenoiserTraining & { readonly frames: number };
  readonly distill: DistillTraining;
};

/** A whole configuration file. */
export type Configuration = { readonly model: ModelConfig; readonly training: TrainingConfig };

const count = z.int().positive();
const share = z.number().min(0).max(1);
const positive = z.number().nonnegative();
const optimiser = {
  batch: count,
  learningRate: positive,
  warmupSteps: z.int().nonnegative(),
  decaySteps: count.exactOptional(),
  weightDecay: positive,
  clipNorm: positive,
  emaDecay: share,
  microBatches: count.optional(),
};
const denoiser = {
  ...optimiser,
  referenceDropout: share,
  liftDropout: share,
  liftCorruption: share,
  focusProbability: share,
  focusSteps: count,
  gamma: positive,
  headWeight: positive,
  fieldLearningRate: positive,
  recomputesBlocks: z.boolean().optional(),
  quantisesMoments: z.boolean().optional(),
  precision: z.enum(PRECISIONS).optional(),
  headJitter: positive.optional(),
  isFieldAnisotropic: z.boolean().optional(),
};
/** Validates the settings of the denoiser's stages. */
export const denoiserTrainingSchemas: {
  readonly stage1: z.ZodType<DenoiserTraining>;
  readonly stage2: z.ZodType<DenoiserTraining & { readonly frames: number }>;
} = { stage1: z.strictObject(denoiser), stage2: z.strictObject({ ...denoiser, frames: count }) };
const autoencoder = {
  ...optimiser,
  cropPx: count,
  latentNoise: positive,
  liftMixing: share,
  liftDropout: share,
  liftCorruption: share,
  gradientWeight: positive,
  structureWeight: positive,
  klWeight: positive,
};

const distill = {
  ...optimiser,
  referenceDropout: share,
  liftDropout: share,
  liftCorruption: share,
  samplerSteps: count,
  laterShare: share,
  learnsReference: z.boolean(),
  windowPx: count,
  headWeight: positive,
  inventedWeight: positive,
  latentWeight: positive,
  gradientWeight: positive,
  structureWeight: positive,
  syntheticAsReal: share.optional(),
  seenPairWeight: positive.optional(),
  criticWeight: positive.optional(),
  featureWeight: positive.optional(),
  perceptualWeight: positive.optional(),
};

/** Validates a configuration file. */
export const configurationSchema: z.ZodType<Configuration> = z
  .strictObject({
    model: modelSchema,
    training: z.strictObject({
      seed: z.int(),
      realShare: share,
      validationSubjects: z.int().positive(),
      heldOutPortraits: z.array(z.string()),
      vae: z.strictObject(autoencoder),
      ...denoiserTrainingSchemas,
      distill: z.strictObject(distill),
    }),
  })
  .superRefine(({ model, training }, context) => {
    for (const { path, message } of trainingContradictions(model, training))
      context.addIssue({ code: 'custom', path: ['training', ...path], message });
  });

/**
 * Reads a configuration.
 * @param name what the file is called in error messages
 * @throws BadInputError that names every field at fault.
 */
export function parseConfiguration(json: string, name = 'configuration'): Configuration {
  return parseConfigured(json, configurationSchema, {
    code: 'bad-configuration',
    expected: `${name} to be a configuration`,
    hint: 'compare it with configs/compact.json',
  });
}
