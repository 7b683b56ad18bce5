// What the stages of the paper's scale learn, as one graph: v of noised latents under reference, labels and the Gaussian
// map. The first stage trains denoiser, reference network, guidance, labels and Gaussians on single pictures; the
// second the motion modules alone, on clips.

import type { ParameterSet, Weights } from '../nn/index.ts';
import { createParameterSet, weightsFor } from '../nn/index.ts';
import type { PaperModelConfig } from '../stable-diffusion/index.ts';
import {
  attendToReference,
  guidanceEncoder,
  labelTokens,
  latentShape,
  MOTION_NAME,
  referenceTokens,
  unet,
} from '../stable-diffusion/index.ts';
import { input, mean, mul, nameOf, parametersOf, square, sub, type Value } from '../tensor/index.ts';
import type { LearningProblem } from './trainer.ts';
import { partSize } from './trainer.ts';
import type { DenoiserTraining } from './training-config.ts';

/** What a problem is made from. */
export type PaperProblemOptions = {
  readonly model: PaperModelConfig;
  readonly settings: DenoiserTraining;
  readonly name: '1' | '2';
  /** Frames of a clip; 1 in the first stage. */
  readonly frames: number;
  /** What does not learn: in the second stage, everything but the motion modules. */
  readonly weights: Weights;
};

/** The graph of a stage, or of a part of its batch; inputs as of `denoiserProblem`, without the lift. */
export function paperProblem({ model, settings, name, frames, weights }: PaperProblemOptions): {
  readonly problem: LearningProblem;
  readonly parameters: ParameterSet;
  /** What the loss judges. */
  readonly velocity: Value;
} {
  const { microBatches = 1, recomputesBlocks: isRecomputed = false } = settings;
  const clips = partSize(settings.batch, microBatches);
  const pictures = clips * frames;
  const parameters = createParameterSet();
  const { scope } = parameters;
  const { unet: sizes, guidance, size } = model;
  const labelled = (label: string, count: number): Value =>
    labelTokens(scope, input(label, [count], 'int64'), sizes.contextWidth);
  const tokens = referenceTokens(
    { reference: scope.at('reference_unet'), denoiser: scope.at('unet') },
    {
      latent: input('reference', latentShape(model, clips)),
      context: labelled('referenceLabels', clips),
      isRecomputed,
    },
    { ...sizes, motion: null },
  );
  const gaussian = input('gaussian', [pictures, guidance.channels, size, size]);
  const velocity = unet(
    scope.at('unet'),
    {
      latent: input('noisy', latentShape(model, pictures)),
      timesteps: input('timesteps', [pictures], 'int64'),
      context: labelled('labels', pictures),
      attend: attendToReference(tokens, input('keepsReference', [pictures])),
      isRecomputed,
      guidance: guidanceEncoder(scope.at('guidance'), gaussian, sizes.widths[0]!, guidance, isRecomputed),
      ...(name === '1' ? {} : { frames }),
    },
    sizes,
  );
  const error = square(sub(velocity, input('velocity', latentShape(model, pictures))));
  const loss = mean(mul(error, input('weight', [pictures, 1, ...latentShape(model, 1).slice(2)])));
  // Parameters that the loss does not reach (what lies behind the reference network's last attention, queries and keys
  // of a single token) keep the values that they came with.
  const reached = new Map(parametersOf([loss]).map((value) => [nameOf(value), value]));
  const learns = (key: string): boolean => learnsAtStage(name, key);
  const split = (isWanted: (key: string) => boolean): Map<string, Value> =>
    new Map([...reached].filter(([key]) => isWanted(key)));
  return {
    ...{ parameters, velocity },
    problem: {
      name: 'paper',
      loss,
      trained: split(learns),
      frozen: weightsFor(
        split((key) => !learns(key)),
        weights,
        'the weights to build on',
      ),
      optimiser: settings,
      microBatches,
      quantisesMoments: settings.quantisesMoments,
      precision: settings.precision,
      ...(name === '1' ? { gradientsOf: { gaussian } } : {}),
    },
  };
}

/** Whether a parameter learns where the loss reaches it; tables of positions are known, not learned. */
export function learnsAtStage(name: '1' | '2', key: string): boolean {
  return !key.endsWith('.pe') && (name === '1' || key.includes(`.${MOTION_NAME}.`));
}
