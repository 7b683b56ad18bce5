// What makes the batches of the distill stage, without the graph that learns. Threads that make batches open this alone.

import { encoderModel, isSteeredBy, LATENT_STATISTICS } from '../denoiser/index.ts';
import { createSchedule } from '../diffusion/index.ts';
import { holdsAnisotropicField } from '../gaussians/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { Weights } from '../nn/index.ts';
import type { Device } from '../tensor/index.ts';
import { encodeOnnxModel } from '../tensor/index.ts';
import { createControlSources, steeringFeeds, withFieldMap } from './control-sources.ts';
import { type DistillBatchMaker, distillBatch } from './distill-batch.ts';
import { GaussianLearner } from './gaussian-learner.ts';
import type { SampleReader } from './sample-reader.ts';
import type { Stage } from './stage.ts';
import type { Configuration } from './training-config.ts';

/** What the stage's batches are made from. */
export type DistillBatchesOptions = {
  readonly configuration: Configuration;
  readonly samples: SampleReader;
  readonly device: Device;
  /** The head that the samples' parameters belong to. */
  readonly head: HeadModel;
  /** The whole trained model: autoencoder, denoiser, field, statistics; temporal layers if it has any. */
  readonly weights: Weights;
};

/** The batches of the stage, and the field, which stays. */
export type DistillBatches = Pick<Stage, 'batchAt'> & {
  readonly maker: DistillBatchMaker;
  readonly gaussians: GaussianLearner | null;
};

/** Sets up what makes batches. It owns an encoder session for as long as the process or thread runs. */
export async function distillBatches(options: DistillBatchesOptions): Promise<DistillBatches> {
  const { configuration, samples, device, head, weights } = options;
  const { model, training } = configuration;
  const { seed, distill: settings } = training;
  const encoder = await device.createSession(encodeOnnxModel(encoderModel(model, weights, { batch: 1 })));
  const statistics = {
    mean: weights[LATENT_STATISTICS.mean]!,
    deviation: weights[LATENT_STATISTICS.deviation]!,
  };
  const sources = createControlSources(head, model);
  const schedule = createSchedule(model.diffusion);
  const maker: DistillBatchMaker = { model, settings, schedule, encoder, statistics, sources, seed };
  const gaussians = isSteeredBy(model, 'gaussian', 'painted')
    ? new GaussianLearner({
        ...{ head, channels: model.gaussianChannels, uvSize: model.uvSize, seed, weights },
        isAnisotropic: holdsAnisotropicField(weights),
        learningRate: 0,
      })
    : null;
  return {
    ...{ maker, gaussians },
    async batchAt(step) {
      const drawn = await distillBatch(maker, samples.batchAt(step), step);
      const feeds = steeringFeeds(model, drawn);
      return gaussians === null ? feeds : withFieldMap(feeds, gaussians, samples.batchAt(step));
    },
  };
}
