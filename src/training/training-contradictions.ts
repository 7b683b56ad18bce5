// Settings of training that contradict the model's sizes or each other: each is named by its path, with the nearest number
// that would do.

import { type Contradiction, latentFactor, type ModelConfig } from '../denoiser/index.ts';
import { nearestDivisor, nearestMultiple } from '../errors/index.ts';
import type { TrainingConfig } from './training-config.ts';

/** What of the model's sizes the settings of all scales depend on. */
type Sizes = { readonly diffusionSteps: number; readonly maxFrames: number };

/** What in the settings of a compact model's stages does not fit. */
export function trainingContradictions(model: ModelConfig, training: TrainingConfig): Contradiction[] {
  const { vae, distill } = training;
  const { size, autoencoder, diffusion, unet } = model;
  const factor = latentFactor(autoencoder);
  const sizes = { diffusionSteps: diffusion.steps, maxFrames: unet.temporal.maxFrames };
  return [
    ...isWindow(['vae', 'cropPx'], vae.cropPx, { size, factor }),
    ...hasWholeParts('vae', vae),
    ...denoiserContradictions(training, sizes),
    ...isWindow(['distill', 'windowPx'], distill.windowPx, { size, factor }),
    ...isAtMost(['distill', 'samplerSteps'], distill.samplerSteps, {
      most: diffusion.steps,
      of: 'model.diffusion.steps',
    }),
    ...((distill.microBatches ?? 1) === 1
      ? []
      : [{ path: ['distill', 'microBatches'], message: 'this stage takes its batch whole; leave it out' }]),
  ];
}

/** What in the settings of stages 1 and 2 does not fit, at any scale. */
export function denoiserContradictions(
  { stage1, stage2 }: Pick<TrainingConfig, 'stage1' | 'stage2'>,
  { diffusionSteps, maxFrames }: Sizes,
): Contradiction[] {
  const steps = { most: diffusionSteps, of: 'model.diffusion.steps' };
  return [
    ...hasWholeParts('stage1', stage1),
    ...hasWholeParts('stage2', stage2),
    ...isAtMost(['stage1', 'focusSteps'], stage1.focusSteps, steps),
    ...isAtMost(['stage2', 'focusSteps'], stage2.focusSteps, steps),
    ...isAtMost(['stage2', 'frames'], stage2.frames, {
      most: maxFrames,
      of: "the temporal layers' maxFrames",
    }),
  ];
}

function isWindow(
  path: readonly string[],
  value: number,
  { size, factor }: { readonly size: number; readonly factor: number },
): Contradiction[] {
  if (value % factor === 0 && value <= size) return [];
  const nearest = nearestMultiple(value, factor, size);
  const message = `expected a multiple of ${factor} up to the picture's ${size}, got ${value}; the nearest is ${nearest}`;
  return [{ path, message }];
}

function hasWholeParts(
  stage: string,
  { batch, microBatches = 1 }: { readonly batch: number; readonly microBatches?: number | undefined },
): Contradiction[] {
  if (batch % microBatches === 0) return [];
  const nearest = nearestDivisor(microBatches, [batch]);
  const message = `${microBatches} does not divide the batch of ${batch}; the nearest that does is ${nearest}`;
  return [{ path: [stage, 'microBatches'], message }];
}

function isAtMost(
  path: readonly string[],
  value: number,
  { most, of }: { readonly most: number; readonly of: string },
): Contradiction[] {
  return value <= most ? [] : [{ path, message: `expected ${most} or less, as ${of}, got ${value}` }];
}
