// What makes the batches of the denoiser's stages: encoder, field and statistics of the latents, without the graph that learns.
// Threads that make batches open this alone.

import type { LatentStatistics } from '../denoiser/index.ts';
import { encoderModel, isSteeredBy, LATENT_STATISTICS, measureLatents } from '../denoiser/index.ts';
import { createSchedule } from '../diffusion/index.ts';
import { FIELD_PARAMETERS, holdsAnisotropicField } from '../gaussians/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { Weights } from '../nn/index.ts';
import type { AnyTensor, Device, Tensor } from '../tensor/index.ts';
import { encodeOnnxModel, tensor } from '../tensor/index.ts';
import { unchanged } from './augmentation.ts';
import { createControlSources, mapGradient, steeringFeeds, withFieldMap } from './control-sources.ts';
import type { BatchMaker } from './denoiser-batch.ts';
import { denoiserBatch, trackedHeads } from './denoiser-batch.ts';
import { GaussianLearner } from './gaussian-learner.ts';
import type { SampleReader } from './sample-reader.ts';
import type { TrainingSample } from './sample-shard.ts';
import type { Stage } from './stage.ts';
import type { Configuration } from './training-config.ts';

/** What a denoiser's stage is made from. */
export type DenoiserStageOptions = {
  readonly configuration: Configuration;
  readonly samples: SampleReader;
  readonly device: Device;
  /** The head that the samples' parameters belong to. */
  readonly head: HeadModel;
  readonly name: '1' | '2';
  /**
   * What was trained before: the autoencoder; for the second stage also the first one's weights. Those that the
   * stage itself trains are where it begins.
   */
  readonly weights: Weights;
  /** Pictures that validation looks at; default 10. */
  readonly validationSamples?: number;
};

/** The batches of a stage, and the field that learns from them. */
export type DenoiserBatches = Required<
  Pick<Stage, 'batchAt' | 'complete' | 'learn' | 'outsideState' | 'restore'>
> & {
  /** The field; made at the first call, null where none steers. */
  gaussians(): GaussianLearner | null;
  /** What batches are made with; it changes where a state is restored. */
  maker(): BatchMaker;
};

const STATISTICS_SAMPLES = 64;

/**
 * Sets up what makes batches. It owns an encoder session for as long as the process or thread runs.
 * @throws BadInputError where the weights hold a field of other sizes
 */
export async function denoiserBatches(options: DenoiserStageOptions): Promise<DenoiserBatches> {
  const { configuration, samples, device, head, name, weights } = options;
  const { model, training } = configuration;
  const { seed } = training;
  const settings = name === '1' ? training.stage1 : training.stage2;
  const frames = name === '1' ? 1 : training.stage2.frames;
  const schedule = createSchedule(model.diffusion);
  const encoder = await device.createSession(encodeOnnxModel(encoderModel(model, weights, { batch: 1 })));
  let statistics = await latentStatistics();
  const sources = createControlSources(head, model);
  const maker = (): BatchMaker => ({ model, settings, schedule, encoder, statistics, sources, seed });
  const hasField = isSteeredBy(model, 'gaussian', 'painted');
  const learningRate = name === '1' ? settings.fieldLearningRate : 0;
  // The map of a field that stays as it is is a function of the step, so it may be made ahead.
  const isFieldStill = hasField && learningRate === 0;
  let learner: GaussianLearner | null = null;
  const gaussians = (): GaussianLearner | null => {
    if (!hasField) return null;
    learner ??= new GaussianLearner({
      ...{ head, channels: model.gaussianChannels, uvSize: model.uvSize, seed, weights, learningRate },
      isAnisotropic: name === '1' ? settings.isFieldAnisotropic === true : holdsAnisotropicField(weights),
    });
    return learner;
  };
  const clipsAt = (step: number): readonly (readonly TrainingSample[])[] =>
    name === '1' ? samples.batchAt(step).map((one) => [one]) : samples.clipsAt(step, frames);

  async function latentStatistics(): Promise<LatentStatistics> {
    const known = weights[LATENT_STATISTICS.mean];
    if (known !== undefined) return { mean: known, deviation: weights[LATENT_STATISTICS.deviation]! };
    const latents: Float32Array[] = [];
    for (const one of samples.training.slice(0, STATISTICS_SAMPLES)) {
      const picture = tensor(unchanged(one, model.size).target, [1, 3, model.size, model.size]);
      latents.push((await encoder.run({ picture })).latent!.data as Float32Array);
    }
    return measureLatents(latents, model.autoencoder.latentChannels);
  }
  const withMap = (feeds: Record<string, AnyTensor>, step: number): Record<string, AnyTensor> => {
    const field = gaussians();
    return field === null ? feeds : withFieldMap(feeds, field, trackedHeads(maker(), clipsAt(step), step));
  };
  const statisticsTensors = (): Record<string, Tensor> => ({
    [LATENT_STATISTICS.mean]: statistics.mean,
    [LATENT_STATISTICS.deviation]: statistics.deviation,
  });

  return {
    ...{ gaussians, maker },
    async batchAt(step) {
      const drawn = await denoiserBatch(maker(), clipsAt(step), step);
      const feeds = steeringFeeds(model, drawn);
      return isFieldStill ? withMap(feeds, step) : feeds;
    },
    complete: (batch, step) => (isFieldStill ? batch : withMap(batch, step)),
    learn(outputs, step) {
      const gradient = mapGradient(outputs);
      if (gradient !== undefined) gaussians()?.learn(gradient, step + 1);
    },
    outsideState: () => ({ ...gaussians()?.state(), ...statisticsTensors() }),
    restore(state) {
      // A field that stays comes with the weights, wherever batches are made; one that learns is not needed for them.
      if (!isFieldStill && FIELD_PARAMETERS.features in state) gaussians()?.restore(state);
      statistics = {
        mean: state[LATENT_STATISTICS.mean]!,
        deviation: state[LATENT_STATISTICS.deviation]!,
      };
    },
  };
}
