// What the denoiser's stages learn, as one graph: v of noised latents under reference, labels and controls, and
// its weighted squared error. In the first stage all of it learns from single pictures, the gradient of the
// Gaussian map included; in the second, from clips, the temporal layers alone.

import type { Controls, ModelConfig } from '../denoiser/index.ts';
import { controlInputs, denoise, latentShape, TEMPORAL_NAME } from '../denoiser/index.ts';
import type { ParameterSet, Weights } from '../nn/index.ts';
import { createParameterSet, weightsFor } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import { input, mean, mul, square, sub } from '../tensor/index.ts';
import type { LearningProblem } from './trainer.ts';
import { partSize } from './trainer.ts';
import type { DenoiserTraining } from './training-config.ts';

/** What a problem is made from. */
export type DenoiserProblemOptions = {
  readonly model: ModelConfig;
  readonly settings: DenoiserTraining;
  readonly name: '1' | '2';
  /** Frames of a clip; 1 in the first stage. */
  readonly frames: number;
  /** What was trained before: in the second stage, everything but the temporal layers. */
  readonly weights: Weights;
};

/** A problem with the parameters and controls that its graph has. */
export type DenoiserProblem = {
  readonly problem: LearningProblem;
  readonly parameters: ParameterSet;
  readonly controls: Controls;
};

/**
 * The graph of a stage. Its inputs are those of `denoise`, the true `velocity` and a `weight` for each pixel of
 * a latent.
 */
export function denoiserProblem(options: DenoiserProblemOptions): DenoiserProblem {
  const { model, settings, name, frames, weights } = options;
  const { microBatches = 1, recomputesBlocks = false } = settings;
  const batch = partSize(settings.batch, microBatches);
  const pictures = batch * frames;
  const parameters = createParameterSet();
  const controls = controlInputs(model, pictures);
  const velocity = denoise(
    parameters.scope,
    {
      noisy: input('noisy', latentShape(model, pictures)),
      timesteps: input('timesteps', [pictures], 'int64'),
      reference: input('reference', latentShape(model, batch)),
      referenceLabels: input('referenceLabels', [batch], 'int64'),
      labels: input('labels', [pictures], 'int64'),
      keepsReference: input('keepsReference', [pictures]),
      controls,
      isRecomputed: recomputesBlocks,
      ...(name === '1' ? {} : { frames }),
    },
    model,
  );
  const error = square(sub(velocity, input('velocity', latentShape(model, pictures))));
  const loss = mean(mul(error, input('weight', [pictures, 1, ...latentShape(model, 1).slice(2)])));
  const learns = (key: string): boolean => name === '1' || key.includes(`.${TEMPORAL_NAME}.`);
  const trained = new Map([...parameters.values].filter(([key]) => learns(key)));
  const frozen = new Map([...parameters.values].filter(([key]) => !learns(key)));
  const map = fieldInput(controls);
  return {
    parameters,
    controls,
    problem: {
      name: 'denoiser',
      loss,
      trained,
      frozen: weightsFor(frozen, weights, 'the weights of stage 1'),
      optimiser: settings,
      microBatches,
      quantisesMoments: settings.quantisesMoments,
      precision: settings.precision,
      ...(name === '1' && map !== null ? { gradientsOf: map } : {}),
    },
  };
}

/** The control that is splatted from the field, under its input's name; null where there is none. */
export function fieldInput({ gaussian, painted }: Controls): Record<string, Value> | null {
  if (gaussian !== undefined) return { gaussian };
  return painted === undefined ? null : { painted };
}
