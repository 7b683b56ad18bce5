// The denoiser's two stages. In the first, single pictures: everything but the autoencoder learns, the
// Gaussian field included. In the second, clips: only the temporal layers learn, and nothing else moves.

import { storedTensors } from '../checkpoints/index.ts';
import { DECODER_SCOPE, ENCODER_SCOPE, LATENT_STATISTICS } from '../denoiser/index.ts';
import { fieldParameters } from '../gaussians/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { type DenoiserStageOptions, denoiserBatches } from './denoiser-batches.ts';
import { denoiserProblem } from './denoiser-problem.ts';
import { VALIDATION_SAMPLES, validateDenoiser } from './denoiser-validation.ts';
import type { Stage } from './stage.ts';

const FEWEST_CLIPS = 2;

/** Sets a stage up. It owns an encoder session for as long as the process runs. */
export async function denoiserStage(options: DenoiserStageOptions): Promise<Stage> {
  const { configuration, samples, device, name, weights } = options;
  const { model, training } = configuration;
  const { seed } = training;
  const settings = name === '1' ? training.stage1 : training.stage2;
  const frames = name === '1' ? 1 : training.stage2.frames;
  const { problem, parameters } = denoiserProblem({ model, settings, name, frames, weights });
  const { trained, frozen } = problem;
  const batches = await denoiserBatches(options);
  const gaussians = batches.gaussians();
  const shown = Math.max(
    FEWEST_CLIPS,
    Math.round((options.validationSamples ?? VALIDATION_SAMPLES) / frames),
  );
  const heldOut = name === '1' ? samples.validation.map((one) => [one]) : samples.validationClips(frames);
  const clips = heldOut.slice(0, shown);
  const isAutoencoder = (key: string): boolean =>
    key.startsWith(`${ENCODER_SCOPE}.`) || key.startsWith(`${DECODER_SCOPE}.`);
  const autoencoder = Object.fromEntries(Object.entries(weights).filter(([key]) => isAutoencoder(key)));
  const fieldWeights = (): Record<string, Tensor> => (gaussians ? fieldParameters(gaussians.field) : {});
  const statistics = (): Record<string, Tensor> => {
    const { mean, deviation } = batches.maker().statistics;
    return { [LATENT_STATISTICS.mean]: mean, [LATENT_STATISTICS.deviation]: deviation };
  };
  const { batchAt, complete, learn, outsideState, restore } = batches;

  return {
    name,
    settings: { ...settings, batch: settings.batch * frames },
    problem,
    initialWeights() {
      const fresh = parameters.initialise(seed);
      return [...trained.keys()].map((key) => [key, weights[key] ?? fresh[key]!]);
    },
    ...{ batchAt, complete, learn, outsideState, restore },
    shipped: () => storedTensors({ ...frozen, ...autoencoder, ...fieldWeights(), ...statistics() }),
    validate: (averaged) =>
      validateDenoiser(
        { ...weights, ...frozen, ...averaged },
        {
          ...{ ...batches.maker(), device, gaussians },
          steps: settings.focusSteps,
          clips,
        },
      ),
  };
}
