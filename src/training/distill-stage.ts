// The distill stage: a model that was trained over all noise levels becomes one that answers in one step. It
// learns at the sampler's own steps alone, most of all at the first, where nothing of the answer is left in
// the noise, and the loss is on the picture that comes out: latent, then decoded with the lift beside.
// U-Net, guidance and decoder learn together, against a critic if one is asked for; encoder, temporal layers and
// Gaussian field stay as they are.

import { storedTensors } from '../checkpoints/index.ts';
import {
  attendToReference,
  controlInputs,
  DECODER_SCOPE,
  decodeLatent,
  ENCODER_SCOPE,
  GUIDANCE_SCOPE,
  guidance,
  LATENT_STATISTICS,
  labelTokens,
  latentShape,
  predictVelocity,
  referenceTokens,
  TEMPORAL_NAME,
  withLiftPrior,
} from '../denoiser/index.ts';
import { fieldParameters } from '../gaussians/index.ts';
import type { Weights } from '../nn/index.ts';
import { createParameterSet, weightsFor } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import {
  add,
  constant,
  input,
  matmul,
  mean,
  mul,
  relu,
  reshape,
  square,
  stopGradient,
  sub,
} from '../tensor/index.ts';
import { CRITIC_SCOPE, criticLosses } from './critic.ts';
import { VALIDATION_SAMPLES, validateDenoiser } from './denoiser-validation.ts';
import { type DistillBatchesOptions, distillBatches } from './distill-batches.ts';
import { gradientLoss, perceptualLoss, structureLoss, weightedAbsoluteLoss } from './losses.ts';
import type { Stage } from './stage.ts';

/** What the stage is made from. */
export type DistillStageOptions = DistillBatchesOptions & {
  /** The face trunk, where the configuration has a `perceptualWeight`. */
  readonly trunk?: Weights | undefined;
};

/** Sets the stage up. It owns an encoder session for as long as the process runs. */
export async function distillStage(options: DistillStageOptions): Promise<Stage> {
  const { configuration, samples, device, weights } = options;
  const { model, training } = configuration;
  const { seed, distill: settings } = training;
  const { batch, windowPx, criticWeight = 0, featureWeight = 0, perceptualWeight = 0 } = settings;
  const set = createParameterSet();
  const controls = controlInputs(model, batch);
  const latents = latentShape(model, batch);
  const column = (name: string): Value => input(name, [batch, 1, 1, 1]);
  const noisy = input('noisy', latents);
  const timesteps = input('timesteps', [batch], 'int64');
  const labels = input('labels', [batch], 'int64');

  const tokens = referenceTokens(
    set.scope,
    {
      latent: input('reference', latents),
      label: labelTokens(set.scope, input('referenceLabels', [batch], 'int64'), model),
    },
    model,
  );
  const seen = settings.learnsReference
    ? tokens
    : new Map(
        [...tokens].map(([path, { key, value }]) => [
          path,
          { key: stopGradient(key), value: stopGradient(value) },
        ]),
      );
  const features = guidance(set.scope.at(GUIDANCE_SCOPE), controls, model);
  const velocity = predictVelocity(
    set.scope,
    {
      noisy,
      timesteps,
      label: labelTokens(set.scope, labels, model),
      attend: attendToReference(seen, input('keepsReference', [batch])),
      guidance: withLiftPrior(features, controls, model),
    },
    model,
  );
  const answer = sub(mul(column('signal'), noisy), mul(column('noiseShare'), velocity));
  const error = square(sub(answer, input('clean', latents)));
  const latentLoss = mean(mul(error, input('weight', [batch, 1, ...latents.slice(2)])));

  const window = (name: string, channels: number): Value =>
    input(name, [batch, channels, windowPx, windowPx]);
  const [, , side] = latents as [number, number, number];
  const windowSide = (windowPx * side) / model.size;
  const rows = input('windowRows', [batch, 1, windowSide, side]);
  const columns = input('windowColumns', [batch, 1, side, windowSide]);
  const deviation = weights[LATENT_STATISTICS.deviation]!.data[0]!;
  const offset = reshape(constant(weights[LATENT_STATISTICS.mean]!), [1, -1, 1, 1]);
  const inWindow = add(mul(matmul(matmul(rows, answer), columns), deviation), offset);
  const lifted = { picture: window('windowLifted', 3), visibility: window('windowVisibility', 1) };
  const decoded = decodeLatent(set.scope.at(DECODER_SCOPE), inWindow, lifted, model.autoencoder);
  const target = window('target', 3);
  const terms: Value[] = [
    mul(latentLoss, settings.latentWeight),
    weightedAbsoluteLoss(decoded, target, window('windowWeight', 1)),
    mul(gradientLoss(decoded, target), settings.gradientWeight),
    mul(structureLoss(decoded, target), settings.structureWeight),
  ];
  const start = { ...weightsFor(set.values, weights, 'the weights to distil') };
  const outputs: Record<string, Value> = { latentLoss };
  if (options.trunk !== undefined) {
    const perceptual = perceptualLoss(decoded, target, options.trunk);
    terms.push(mul(perceptual, perceptualWeight));
    Object.assign(outputs, { perceptualLoss: perceptual });
  }
  if (criticWeight > 0 || featureWeight > 0) {
    // Around the head true and decoded windows are nearly the same, which would drown what there is to learn.
    const inHead = relu(sub(window('windowWeight', 1), 1));
    const windows = { decoded, target, visibility: lifted.visibility, weight: inHead };
    const { adversarial, features: distance, critic } = criticLosses(set.scope.at(CRITIC_SCOPE), windows);
    terms.push(mul(adversarial, criticWeight), mul(distance, featureWeight), critic);
    Object.assign(start, set.initialise(seed, isCritic));
    Object.assign(outputs, { adversarialLoss: adversarial, featureLoss: distance, criticLoss: critic });
  }
  const trained = set.values;
  const { batchAt, maker, gaussians } = await distillBatches(options);
  const { statistics } = maker;
  const isKept = (key: string): boolean =>
    key.startsWith(`${ENCODER_SCOPE}.`) || key.includes(`.${TEMPORAL_NAME}.`);
  const kept = {
    ...Object.fromEntries(Object.entries(weights).filter(([key]) => isKept(key))),
    ...(gaussians === null ? {} : fieldParameters(gaussians.field)),
    [LATENT_STATISTICS.mean]: statistics.mean,
    [LATENT_STATISTICS.deviation]: statistics.deviation,
  };

  return {
    name: 'distill',
    settings,
    problem: {
      name: 'distill',
      loss: terms.reduce((total, term) => add(total, term)),
      trained,
      frozen: {},
      outputs,
      optimiser: settings,
    },
    initialWeights: () => Object.entries(start),
    batchAt,
    shipped: () => storedTensors(kept),
    isShipped: (name) => !isCritic(name),
    validate: (averaged) =>
      validateDenoiser(
        { ...weights, ...averaged },
        {
          ...{ ...maker, device, gaussians },
          steps: 1,
          clips: samples.validation.slice(0, VALIDATION_SAMPLES).map((one) => [one]),
        },
      ),
  };
}

const isCritic = (name: string): boolean => name.startsWith(`${CRITIC_SCOPE}.`);
