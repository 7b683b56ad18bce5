// How the paper's scale trains: its sizes, and the settings of its two stages. The autoencoder is Stable Diffusion's and
// never learns.

import { z } from 'zod';
import type { ModelConfig } from '../denoiser/index.ts';
import { type PaperModelConfig, paperModelSchema } from '../stable-diffusion/index.ts';
import { parseConfigured } from './configuration-faults.ts';
import { denoiserTrainingSchemas, type TrainingConfig } from './training-config.ts';
import { denoiserContradictions } from './training-contradictions.ts';

/** A whole configuration file of the paper's scale. */
export type PaperConfiguration = {
  readonly model: PaperModelConfig;
  readonly training: Omit<TrainingConfig, 'vae' | 'distill'>;
};

/** Validates a configuration file. */
export const paperConfigurationSchema: z.ZodType<PaperConfiguration> = z
  .strictObject({
    model: paperModelSchema,
    training: z.strictObject({
      seed: z.int(),
      realShare: z.number().min(0).max(1),
      validationSubjects: z.int().positive(),
      heldOutPortraits: z.array(z.string()),
      ...denoiserTrainingSchemas,
    }),
  })
  .superRefine(({ model, training }, context) => {
    const { diffusion, unet } = model;
    const sizes = { diffusionSteps: diffusion.steps, maxFrames: unet.motion?.maxFrames ?? 1 };
    for (const { path, message } of denoiserContradictions(training, sizes))
      context.addIssue({ code: 'custom', path: ['training', ...path], message });
  });

/**
 * Reads a configuration.
 * @throws BadInputError that names every field at fault.
 */
export function parsePaperConfiguration(json: string, name: string): PaperConfiguration {
  return parseConfigured(json, paperConfigurationSchema, {
    code: 'bad-configuration',
    expected: `${name} to be a configuration`,
    hint: 'compare it with configs/paper.json',
  });
}

/** What batches ask of a model's sizes, in the compact model's terms. */
export function batchSizesOf({
  size,
  gaussianChannels,
  uvSize,
  autoencoder,
  unet,
  guidance,
  diffusion,
}: PaperModelConfig): ModelConfig {
  const { latentChannels, widths, blocks, groups } = autoencoder;
  const sides = { fold: 1, widths, blocks };
  return {
    ...{ size, gaussianChannels, uvSize, diffusion },
    autoencoder: {
      latentChannels,
      encoder: { ...sides, groups },
      decoder: { ...sides, sideWidths: widths },
    },
    unet: {
      ...{ widths: unet.widths, heads: unet.heads, blocks: unet.blocks, groups: unet.groups },
      ...{ labelWidth: unet.contextWidth, feedForwardMultiplier: 4, sharesReference: false },
      temporal: unet.motion ?? { heads: 1, maxFrames: 1 },
      controls: [{ kind: 'gaussian', fold: 1, widths: guidance.widths, heads: guidance.heads }],
      liftPriorVariance: null,
    },
  };
}
