// One run of `bench:controls`: an arm trained under a seed, and its errors on subjects that no run learns from.

import type { HeadModel } from '../../src/head/index.ts';
import type { Weights } from '../../src/nn/index.ts';
import type { Device } from '../../src/tensor/index.ts';
import { emitModel, encodeOnnxModel } from '../../src/tensor/index.ts';
import type { Configuration, SampleReader, Stage } from '../../src/training/index.ts';
import {
  averagedWeights,
  denoiserStage,
  SAMPLE_LABELS,
  Trainer,
  updateAt,
} from '../../src/training/index.ts';
import { type Arm, configurationOf, type RunSizes, samplesFor } from './arms.ts';
import type { RememberingDevice } from './remembering-device.ts';

/** What a run is made from. */
export type RunOptions = {
  readonly arm: Arm;
  readonly seed: number;
  readonly base: Configuration;
  readonly sizes: RunSizes;
  readonly device: RememberingDevice;
  readonly head: HeadModel;
  readonly samples: SampleReader;
  /** The autoencoder, and the statistics of its latents. */
  readonly weights: Weights;
  readonly onStep: (step: number) => void;
};

/** What a run came to, by name. */
export type RunFigures = Readonly<Record<string, number>>;

/** Last steps whose loss is averaged. */
const LOSS_STEPS = 50;
const HELD_OUT_SEED = 77;
/** Held-out samples that are sampled and decoded. */
const PICTURES = 24;

/** Trains and measures; the same options give the same figures. */
export async function trainArm(options: RunOptions): Promise<RunFigures> {
  const { arm, seed, base, sizes, device, head, weights, onStep } = options;
  const samples = samplesFor(arm, options.samples);
  const configuration = configurationOf(arm, base, sizes, seed);
  const common = { configuration, device, head, name: '1', weights } as const;
  const stage = await denoiserStage({ ...common, samples, validationSamples: PICTURES });
  const trainer = await Trainer.create(device, stage.problem);
  await trainer.begin(stage.initialWeights());
  const began = process.cpuUsage();
  const losses: number[] = [];
  for (let step = 0; step < sizes.steps; step++) {
    const batch = await stage.batchAt(step);
    const outputs = await trainer.step(
      stage.complete?.(batch, step) ?? batch,
      updateAt(step, stage.settings),
    );
    stage.learn?.(outputs, step);
    losses.push(outputs.loss!.data[0]!);
    onStep(step + 1);
  }
  const { user, system } = process.cpuUsage(began);
  const learned = averagedWeights(trainer.state);
  const heldOut = await heldOutErrors({ ...common, samples, learned, field: stage.outsideState!() });
  const { figures } = await stage.validate(learned);
  await device.close();
  return {
    loss: mean(losses.slice(-LOSS_STEPS)),
    ...heldOut,
    decibels: figures.output!,
    processorSeconds: (user + system) / 1e6,
  };
}

type HeldOutOptions = Omit<Parameters<typeof denoiserStage>[0], 'name'> & {
  readonly learned: Weights;
  readonly field: Weights;
};

/**
 * The loss on held-out samples by label: over all noise levels (`heldOut`), and from pure noise, where it is the
 * squared error of the latent that one step gives (`fromNoise`). Heads count more, as in training.
 */
async function heldOutErrors({ learned, field, ...common }: HeldOutOptions): Promise<RunFigures> {
  const { configuration, samples, device } = common;
  const stageAt = (focus: { focusProbability: number; focusSteps: number }, reader: SampleReader) => {
    const exact = { referenceDropout: 0, liftDropout: 0, liftCorruption: 0 };
    const stage1 = { ...configuration.training.stage1, ...exact, ...focus };
    const training = { ...configuration.training, seed: HELD_OUT_SEED, stage1 };
    const own = { ...configuration, training };
    return denoiserStage({ ...common, configuration: own, samples: reader, name: '1' });
  };
  const { batch } = configuration.training.stage1;
  const figures: Record<string, number> = {};
  for (const [title, focus] of [
    ['heldOut', { focusProbability: 0, focusSteps: 1 }],
    ['fromNoise', { focusProbability: 1, focusSteps: 1 }],
  ] as const) {
    for (const label of SAMPLE_LABELS) {
      // By kind: an arm without labels has one label for all.
      const kind = label === 'real' ? 'roundTrip' : 'singleLift';
      const own = samples.validation.filter((sample) => sample.kind === kind);
      const batches = Math.floor(own.length / batch);
      const batchAt = (step: number) => own.slice(step * batch, (step + 1) * batch);
      const stage = await stageAt(focus, { ...samples, batchAt });
      stage.restore!({ ...stage.outsideState!(), ...field });
      figures[`${title}.${label}`] = await meanLoss(device, stage, { learned, batches });
    }
    figures[title] = mean(SAMPLE_LABELS.map((label) => figures[`${title}.${label}`]!));
  }
  return figures;
}

async function meanLoss(
  device: Device,
  stage: Stage,
  { learned, batches }: { learned: Weights; batches: number },
): Promise<number> {
  const { loss, frozen } = stage.problem;
  const model = emitModel({ name: 'held-out', outputs: { loss }, weights: { ...frozen, ...learned } });
  await using session = await device.createSession(encodeOnnxModel(model));
  const losses: number[] = [];
  for (let step = 0; step < batches; step++) {
    const batch = await stage.batchAt(step);
    const outputs = await session.run(stage.complete?.(batch, step) ?? batch);
    losses.push((outputs.loss!.data as Float32Array)[0]!);
  }
  return mean(losses);
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
