// Batches of the denoiser's stages: samples become latents under the frozen encoder, noise is mixed in,
// references are hidden now and then. A batch is a function of the step alone.

import type { LatentStatistics, ModelConfig } from '../denoiser/index.ts';
import { latentFactor, normaliseLatents } from '../denoiser/index.ts';
import type { NoiseSchedule } from '../diffusion/index.ts';
import { addNoise, minSnrWeight, mixtureAt, trailingTimesteps, velocityOf } from '../diffusion/index.ts';
import type { AnyTensor, Random, Session } from '../tensor/index.ts';
import { createRandom, deriveSeed, tensor } from '../tensor/index.ts';
import { augment } from './augmentation.ts';
import type { ControlSources, SteeredPicture } from './control-sources.ts';
import { drawControls, trackedHead } from './control-sources.ts';
import type { PosedHead } from './gaussian-learner.ts';
import type { TrainingSample } from './sample-shard.ts';
import { SAMPLE_LABELS } from './sample-shard.ts';
import type { DenoiserTraining } from './training-config.ts';

/** What batches are made with. */
export type BatchMaker = {
  readonly model: ModelConfig;
  readonly settings: DenoiserTraining;
  readonly schedule: NoiseSchedule;
  /** The encoder for one picture: `picture` to `latent`. */
  readonly encoder: Session;
  readonly statistics: LatentStatistics;
  readonly sources: ControlSources;
  readonly seed: number;
};

/** The heads of a step's pictures as a tracker would give them; with `clips` as in `denoiserBatch`. */
export function trackedHeads(
  { settings, seed }: Pick<BatchMaker, 'settings' | 'seed'>,
  clips: readonly (readonly TrainingSample[])[],
  step: number,
): PosedHead[] {
  const { headJitter: jitter = 0 } = settings;
  return clips.flat().map((sample, i) => trackedHead(sample, { jitter, seed: deriveSeed(seed, step, 2, i) }));
}

/** The inputs of the training graph, but for the Gaussian map. `clips` holds equally long clips. */
export async function denoiserBatch(
  maker: BatchMaker,
  clips: readonly (readonly TrainingSample[])[],
  step: number,
): Promise<Record<string, AnyTensor>> {
  const { model, settings, schedule, seed } = maker;
  const random = createRandom(deriveSeed(seed, step, 1));
  const frames = clips[0]!.length;
  const count = clips.length * frames;
  const side = model.size / latentFactor(model.autoencoder);
  const shape = [count, model.autoencoder.latentChannels, side, side];
  const each = shape[1]! * side * side;
  const noisy = new Float32Array(count * each);
  const velocity = new Float32Array(count * each);
  const liftedLatent = new Float32Array(count * each);
  const reference = new Float32Array(clips.length * each);
  const visibility = new Float32Array(count * model.size ** 2);
  const keepsReference = new Float32Array(count);
  const weight = new Float32Array(count * side * side);
  const timesteps = new BigInt64Array(count);
  const heads = trackedHeads(maker, clips, step);
  const steered: SteeredPicture[] = [];
  for (const [c, clip] of clips.entries()) {
    // One colour change for a clip: its seed is drawn once, and each frame's generator begins there.
    const look = random.integer(2 ** 31);
    const t = drawTimestep(schedule, settings, random);
    const at = mixtureAt(schedule, t);
    const keeps = random.uniform() >= settings.referenceDropout ? 1 : 0;
    for (const [f, sample] of clip.entries()) {
      const i = c * frames + f;
      const pictures = augment(sample, wholePicture(model.size, settings), createRandom(look));
      const clean = await encode(maker, pictures.target);
      const noise = random.fillNormal(new Float32Array(each));
      noisy.set(addNoise(clean, noise, at), i * each);
      velocity.set(velocityOf(clean, noise, at), i * each);
      liftedLatent.set(await encode(maker, pictures.lifted), i * each);
      visibility.set(pictures.visibility, i * model.size ** 2);
      steered.push({ sample, reference: pictures.reference, posed: heads[i]! });
      if (f === 0) reference.set(await encode(maker, pictures.reference), c * each);
      keepsReference[i] = keeps;
      const stepWeight = minSnrWeight(schedule, t, settings.gamma);
      weight.set(headWeights(sample.headMask, side, settings.headWeight, stepWeight), i * side * side);
      timesteps[i] = BigInt(t);
    }
  }
  const labels = (samples: readonly TrainingSample[]): AnyTensor => ({
    dtype: 'int64',
    shape: [samples.length],
    data: BigInt64Array.from(samples, ({ label }) => BigInt(SAMPLE_LABELS.indexOf(label))),
  });
  return {
    noisy: tensor(noisy, shape),
    velocity: tensor(velocity, shape),
    liftedLatent: tensor(liftedLatent, shape),
    reference: tensor(reference, shape.with(0, clips.length)),
    visibility: tensor(visibility, [count, 1, model.size, model.size]),
    keepsReference: tensor(keepsReference, [count]),
    weight: tensor(weight, [count, 1, side, side]),
    timesteps: { dtype: 'int64', shape: [count], data: timesteps },
    ...drawControls(maker.sources, steered),
    labels: labels(clips.flat()),
    referenceLabels: labels(clips.map((clip) => clip[0]!)),
  };
}

/** The normalised latent of one planar picture. */
export async function encode(
  { encoder, statistics, model }: Pick<BatchMaker, 'encoder' | 'statistics' | 'model'>,
  picture: Float32Array,
): Promise<Float32Array> {
  const { latent } = await encoder.run({ picture: tensor(picture, [1, 3, model.size, model.size]) });
  const side = model.size / latentFactor(model.autoencoder);
  return normaliseLatents(latent!.data as Float32Array, side * side, statistics);
}

/**
 * The loss's weight at each latent pixel: the head's pixels count `1 + headWeight`.
 * Departs: the paper's loss is the plain mean; backgrounds are most of a small picture.
 */
function headWeights(mask: Uint8Array, side: number, headWeight: number, scale: number): Float32Array {
  const size = Math.round(Math.sqrt(mask.length));
  const block = size / side;
  const weights = new Float32Array(side * side).fill(scale);
  const share = (scale * headWeight) / (255 * block * block);
  for (let i = 0; i < mask.length; i++) {
    const [x, y] = [i % size, Math.floor(i / size)];
    weights[Math.floor(y / block) * side + Math.floor(x / block)]! += share * mask[i]!;
  }
  return weights;
}

/** Half at random, half (by `focusProbability`) where a short sampler stands: training time is short. */
function drawTimestep(
  schedule: NoiseSchedule,
  { focusProbability, focusSteps }: DenoiserTraining,
  random: Random,
): number {
  const isFocused = random.uniform() < focusProbability;
  return isFocused ? random.choose(trailingTimesteps(schedule, focusSteps)) : random.integer(schedule.steps);
}

/** Pictures stay whole and unmirrored: the head's parameters go with them. */
function wholePicture(
  sizePx: number,
  { liftDropout, liftCorruption }: DenoiserTraining,
): Parameters<typeof augment>[1] {
  return { sizePx, cropPx: sizePx, isMirrored: false, isRecoloured: true, liftDropout, liftCorruption };
}
