// The networks that `bench:training` times: the denoiser's first stage and the autoencoder of a configuration, with
// batches of noise. bench/peers/compact_networks.py states both in PyTorch under the same names.

import type { AnyTensor, Device, Tensor } from '../../src/tensor/index.ts';
import { createRandom, elementCount, tensor } from '../../src/tensor/index.ts';
import {
  autoencoderStage,
  type Configuration,
  denoiserProblem,
  gradientsModel,
  type LearningProblem,
  type SampleReader,
} from '../../src/training/index.ts';

export const NETWORK_NAMES = ['denoiser', 'autoencoder'] as const;
export type NetworkName = (typeof NETWORK_NAMES)[number];

/** A network, where it begins, and a batch. */
export type NetworkCase = {
  readonly problem: LearningProblem;
  readonly weights: Record<string, Tensor>;
  readonly feeds: Record<string, AnyTensor>;
};

const NO_SAMPLES: SampleReader = {
  ...{ size: 0, headName: '', counts: { real: 0, synthetic: 0 }, validation: [], training: [] },
  batchAt: () => [],
  clipsAt: () => [],
  validationClips: () => [],
};

/** Sets a network up for batches of `batch`, which pass in `parts`. */
export function networkCase(
  name: NetworkName,
  configuration: Configuration,
  { batch, parts, device }: { batch: number; parts: number; device: Device },
): NetworkCase {
  const { model, training } = configuration;
  const problem =
    name === 'denoiser'
      ? denoiserProblem({
          ...{ model, name: '1', frames: 1, weights: {} },
          settings: { ...training.stage1, batch, microBatches: parts },
        }).problem
      : autoencoderStage({
          configuration: {
            model,
            training: { ...training, vae: { ...training.vae, batch, microBatches: parts } },
          },
          samples: NO_SAMPLES,
          device,
        }).problem;
  const isFed = ({ name: key }: { name: string }): boolean => !problem.trained.has(key);
  const inputs = gradientsModel(problem).inputs.filter(isFed);
  const random = createRandom(1);
  const noise = (shape: readonly number[]): Float32Array =>
    random.fillNormal(new Float32Array(elementCount(shape)));
  const feeds = inputs.map(({ name: key, dtype, shape }): [string, AnyTensor] => {
    // The graph takes a part.
    const extents = (shape as readonly number[]).with(0, batch);
    if (dtype === 'int64') return [key, { dtype, shape: extents, data: new BigInt64Array(batch) }];
    const isShare = key === 'visibility' || key === 'keepsReference';
    return [
      key,
      tensor(isShare ? noise(extents).map((x) => 1 / (1 + Math.exp(-x))) : noise(extents), extents),
    ];
  });
  const weights = [...problem.trained].map(([key, { shape }]): [string, Tensor] => {
    const inward = Math.sqrt(elementCount(shape.slice(1)));
    return [
      key,
      tensor(
        noise(shape).map((x) => x / inward),
        shape,
      ),
    ];
  });
  return { problem, weights: Object.fromEntries(weights), feeds: Object.fromEntries(feeds) };
}
