// What `bench:controls` compares: small denoisers that differ in one thing each.

import type { ControlConfig, ControlKind } from '../../src/denoiser/index.ts';
import type { Configuration, SampleReader, TrainingSample } from '../../src/training/index.ts';

/** One way to train. */
export type Arm = {
  readonly name: string;
  readonly controls: readonly ControlKind[];
  /** Whether the Gaussian field stays at its random start. */
  readonly isFieldFrozen?: boolean;
  /** Whether all samples carry one label. */
  readonly isUnlabelled?: boolean;
  /** Whether the lifted latent implies a v by itself, as in configs/compact.json. */
  readonly hasLiftPrior?: boolean;
};

/** All arms; the first is what the others are compared with. */
export const ARMS: readonly Arm[] = [
  { name: 'gaussian', controls: ['gaussian'] },
  { name: 'gaussian, field frozen', controls: ['gaussian'], isFieldFrozen: true },
  { name: 'gaussian, no label', controls: ['gaussian'], isUnlabelled: true },
  { name: 'landmarks+normals+depth', controls: ['landmarks+normals+depth'] },
  { name: 'painted', controls: ['painted'] },
  { name: 'lifted', controls: ['lifted'] },
  { name: 'gaussian and lifted, prior', controls: ['gaussian', 'lifted'], hasLiftPrior: true },
];

/** Sizes and length of the runs. */
export type RunSizes = {
  readonly sizePx: number;
  readonly widths: readonly number[];
  readonly heads: readonly number[];
  readonly batch: number;
  readonly steps: number;
  /** Subjects of each label that are held out. */
  readonly heldOutSubjects: number;
};

/** Short runs warm up quickly, learn twice as fast as `configs/compact.json`, and forget their start sooner. */
const SHORT_RUN = { warmupSteps: 30, learningRate: 6e-4, emaDecay: 0.98 };
const FIELD_LEARNING_RATE = 4e-3;

/** The configuration of an arm. */
export function configurationOf(arm: Arm, base: Configuration, sizes: RunSizes, seed: number): Configuration {
  const { sizePx, widths, heads, batch, steps, heldOutSubjects } = sizes;
  const { unet } = base.model;
  const controls = arm.controls.map((kind) => controlOf(kind, widths[0]!));
  const liftPriorVariance = arm.hasLiftPrior === true ? unet.liftPriorVariance : null;
  const fieldLearningRate = arm.isFieldFrozen === true ? 0 : FIELD_LEARNING_RATE;
  return {
    model: { ...base.model, size: sizePx, unet: { ...unet, widths, heads, controls, liftPriorVariance } },
    training: {
      ...base.training,
      seed,
      validationSubjects: heldOutSubjects,
      stage1: { ...base.training.stage1, ...SHORT_RUN, batch, decaySteps: steps, fieldLearningRate },
    },
  };
}

/** Maps at the pictures' size come in through the same network whatever they show. */
function controlOf(kind: ControlKind, width: number): ControlConfig {
  if (kind === 'lifted') return { kind, fold: 1, widths: [width], heads: 0 };
  return { kind, fold: 4, widths: [width, width], heads: 1 };
}

/** The samples as an arm sees them. */
export function samplesFor(arm: Arm, samples: SampleReader): SampleReader {
  if (arm.isUnlabelled !== true) return samples;
  const unlabelled = (list: readonly TrainingSample[]): TrainingSample[] =>
    list.map((sample) => ({ ...sample, label: 'real' }));
  return {
    ...samples,
    batchAt: (step) => unlabelled(samples.batchAt(step)),
    validation: unlabelled(samples.validation),
  };
}
