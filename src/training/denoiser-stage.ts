// The denoiser's two stages. In the first, single pictures: everything but the autoencoder learns, the
// Gaussian field included. In the second, clips: only the temporal layers learn, and nothing else moves.

import { storedTensors } from '../checkpoints/index.ts';
import type { LatentStatistics } from '../denoiser/index.ts';
import {
  DECODER_SCOPE,
  ENCODER_SCOPE,
  encoderModel,
  LATENT_STATISTICS,
  measureLatents,
} from '../denoiser/index.ts';
import { createSchedule } from '../diffusion/index.ts';
import { FIELD_PARAMETERS, fieldParameters } from '../gaussians/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { Weights } from '../nn/index.ts';
import type { AnyTensor, Device, Tensor } from '../tensor/index.ts';
import { encodeOnnxModel, tensor } from '../tensor/index.ts';
import { unchanged } from './augmentation.ts';
import { createControlSources, mapGradient, withFieldMap } from './control-sources.ts';
import type { BatchMaker } from './denoiser-batch.ts';
import { denoiserBatch, trackedHeads } from './denoiser-batch.ts';
import { denoiserProblem, fieldInput } from './denoiser-problem.ts';
import { validateDenoiser } from './denoiser-validation.ts';
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
  /** As of `validateDenoiser`'s `count`. */
  readonly validationSamples?: number;
};

const STATISTICS_SAMPLES = 64;

/** Sets a stage up. It owns an encoder session for as long as the process runs. */
export async function denoiserStage(options: DenoiserStageOptions): Promise<Stage> {
  const { configuration, samples, device, head, name, weights } = options;
  const { model, training } = configuration;
  const { seed } = training;
  const settings = name === '1' ? training.stage1 : training.stage2;
  const frames = name === '1' ? 1 : training.stage2.frames;
  const pictures = settings.batch * frames;
  const { problem, parameters, controls } = denoiserProblem({ model, settings, name, frames, weights });
  const { trained, frozen } = problem;

  const schedule = createSchedule(model.diffusion);
  const encoder = await device.createSession(encodeOnnxModel(encoderModel(model, weights, { batch: 1 })), {
    spins: false,
  });
  let statistics = await latentStatistics();
  const sources = createControlSources(head, model);
  const maker = (): BatchMaker => ({ model, settings, schedule, encoder, statistics, sources, seed });
  const gaussians =
    fieldInput(controls) === null
      ? null
      : new GaussianLearner({
          head,
          channels: model.gaussianChannels,
          isAnisotropic:
            name === '1'
              ? settings.isFieldAnisotropic === true
              : weights[FIELD_PARAMETERS.scale]?.shape.length === 2,
          seed,
          learningRate: name === '1' ? settings.fieldLearningRate : 0,
        });
  if (FIELD_PARAMETERS.features in weights) gaussians?.restore({ ...gaussians.state(), ...weights });
  // The map of a field that stays as it is is a function of the step, so it may be made ahead.
  const isFieldStill = gaussians?.isStill === true;
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
  const withMap = (feeds: Record<string, AnyTensor>, step: number): Record<string, AnyTensor> =>
    gaussians === null ? feeds : withFieldMap(feeds, gaussians, trackedHeads(maker(), clipsAt(step), step));
  const statisticsTensors = (): Record<string, Tensor> => ({
    [LATENT_STATISTICS.mean]: statistics.mean,
    [LATENT_STATISTICS.deviation]: statistics.deviation,
  });
  const isAutoencoder = (key: string): boolean =>
    key.startsWith(`${ENCODER_SCOPE}.`) || key.startsWith(`${DECODER_SCOPE}.`);
  const autoencoder = Object.fromEntries(Object.entries(weights).filter(([key]) => isAutoencoder(key)));
  const fieldWeights = (): Record<string, Tensor> => (gaussians ? fieldParameters(gaussians.field) : {});

  return {
    name,
    settings: { ...settings, batch: pictures },
    problem,
    initialWeights() {
      const fresh = parameters.initialise(seed);
      return [...trained.keys()].map((key) => [key, weights[key] ?? fresh[key]!]);
    },
    async batchAt(step) {
      const drawn = await denoiserBatch(maker(), clipsAt(step), step);
      const { liftedLatent, visibility, ...others } = drawn;
      const feeds = controls.liftedLatent === undefined ? others : drawn;
      return isFieldStill ? withMap(feeds, step) : feeds;
    },
    complete: (batch, step) => (isFieldStill ? batch : withMap(batch, step)),
    learn(outputs, step) {
      const gradient = mapGradient(outputs);
      if (gradient !== undefined) gaussians?.learn(gradient, step + 1);
    },
    outsideState: () => ({ ...gaussians?.state(), ...statisticsTensors() }),
    restore(state) {
      // A field that stays comes with the weights, wherever batches are made.
      if (!isFieldStill) gaussians?.restore(state);
      statistics = {
        mean: state[LATENT_STATISTICS.mean]!,
        deviation: state[LATENT_STATISTICS.deviation]!,
      };
    },
    shipped: () => storedTensors({ ...frozen, ...autoencoder, ...fieldWeights(), ...statisticsTensors() }),
    validate: (averaged) =>
      validateDenoiser(
        { ...weights, ...frozen, ...averaged },
        {
          ...{ model, device, schedule, encoder, statistics, gaussians, sources, seed },
          steps: settings.focusSteps,
          samples: samples.validation,
          count: options.validationSamples,
        },
      ),
  };
}
