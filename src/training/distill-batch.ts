// Batches of the distill stage: what the sampler's own steps see, the picture that should come of it, and a
// window of it in which the decoder is asked. A batch is a function of the step alone.

import { latentFactor } from '../denoiser/index.ts';
import { addNoise, mixtureAt, trailingTimesteps } from '../diffusion/index.ts';
import type { AnyTensor, Random } from '../tensor/index.ts';
import { createRandom, deriveSeed, tensor } from '../tensor/index.ts';
import type { AugmentedSample } from './augmentation.ts';
import { augment } from './augmentation.ts';
import type { SteeredPicture } from './control-sources.ts';
import { drawControls } from './control-sources.ts';
import type { BatchMaker } from './denoiser-batch.ts';
import { encode } from './denoiser-batch.ts';
import type { TrainingSample } from './sample-shard.ts';
import { SAMPLE_LABELS } from './sample-shard.ts';
import type { DistillTraining } from './training-config.ts';

/** Visibility below which a pixel of the lifted picture counts as invented. */
const INVENTED_BELOW = 0.45;

/** The inputs of the distill stage's graph, but for the Gaussian map. */
export async function distillBatch(
  maker: Omit<BatchMaker, 'settings'> & { readonly settings: DistillTraining },
  samples: readonly TrainingSample[],
  step: number,
): Promise<Record<string, AnyTensor>> {
  const { model, settings, schedule, seed } = maker;
  const { size } = model;
  const random = createRandom(deriveSeed(seed, step, 4));
  const count = samples.length;
  const factor = latentFactor(model.autoencoder);
  const side = size / factor;
  const windowSide = settings.windowPx / factor;
  const channels = model.autoencoder.latentChannels;
  const each = channels * side * side;
  const shape = [count, channels, side, side];
  const [noisy, clean, liftedLatent, reference] = Array.from(
    { length: 4 },
    () => new Float32Array(count * each),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const visibility = new Float32Array(count * size * size);
  const weight = new Float32Array(count * side * side);
  const [signal, noiseShare, keepsReference] = Array.from({ length: 3 }, () => new Float32Array(count)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const timesteps = new BigInt64Array(count);
  const area = settings.windowPx ** 2;
  const target = new Float32Array(count * 3 * area);
  const windowLifted = new Float32Array(count * 3 * area);
  const windowVisibility = new Float32Array(count * area);
  const windowWeight = new Float32Array(count * area);
  const windowRows = new Float32Array(count * windowSide * side);
  const windowColumns = new Float32Array(count * side * windowSide);
  const steered: SteeredPicture[] = [];
  for (const [i, sample] of samples.entries()) {
    const pictures = augment(
      sample,
      {
        ...{ sizePx: size, cropPx: size, isMirrored: false, isRecoloured: true },
        liftDropout: settings.liftDropout,
        liftCorruption: settings.liftCorruption,
      },
      random,
    );
    const t = drawTimestep(maker, random);
    const at = mixtureAt(schedule, t);
    const truth = await encode(maker, pictures.target);
    const lift = await encode(maker, pictures.lifted);
    const noise = random.fillNormal(new Float32Array(each));
    // What a later step finds is not the truth but the student's guess, which errs towards the lift.
    const share = random.uniform();
    const guess = truth.map((value, k) => value + share * (lift[k]! - value));
    noisy.set(addNoise(guess, noise, at), i * each);
    clean.set(truth, i * each);
    liftedLatent.set(lift, i * each);
    steered.push({ sample, reference: pictures.reference, posed: sample });
    reference.set(await encode(maker, pictures.reference), i * each);
    visibility.set(pictures.visibility, i * size * size);
    keepsReference[i] = random.uniform() >= settings.referenceDropout ? 1 : 0;
    timesteps[i] = BigInt(t);
    signal[i] = at.signal;
    noiseShare[i] = at.noise;
    const pixels = pixelWeights(sample, pictures, settings);
    weight.set(averaged(pixels, size, factor), i * side * side);

    const [top, left] = windowPlace(sample.headMask, { size, factor, windowSide }, random);
    for (let k = 0; k < windowSide; k++) {
      windowRows[(i * windowSide + k) * side + top + k] = 1;
      windowColumns[(i * side + left + k) * windowSide + k] = 1;
    }
    const cut = (plane: Float32Array, planes: number): Float32Array =>
      cropPlanes(plane, planes, {
        size,
        side: settings.windowPx,
        top: top * factor,
        left: left * factor,
      });
    target.set(cut(pictures.target, 3), i * 3 * area);
    windowLifted.set(cut(pictures.lifted, 3), i * 3 * area);
    windowVisibility.set(cut(pictures.visibility, 1), i * area);
    windowWeight.set(cut(pixels, 1), i * area);
  }
  const labels: AnyTensor = {
    dtype: 'int64',
    shape: [count],
    data: BigInt64Array.from(samples, ({ label }) => BigInt(SAMPLE_LABELS.indexOf(label))),
  };
  const window = (data: Float32Array, planes: number): AnyTensor =>
    tensor(data, [count, planes, settings.windowPx, settings.windowPx]);
  return {
    noisy: tensor(noisy, shape),
    clean: tensor(clean, shape),
    liftedLatent: tensor(liftedLatent, shape),
    reference: tensor(reference, shape),
    visibility: tensor(visibility, [count, 1, size, size]),
    weight: tensor(weight, [count, 1, side, side]),
    signal: tensor(signal, [count, 1, 1, 1]),
    noiseShare: tensor(noiseShare, [count, 1, 1, 1]),
    keepsReference: tensor(keepsReference, [count]),
    timesteps: { dtype: 'int64', shape: [count], data: timesteps },
    labels,
    referenceLabels: labels,
    target: window(target, 3),
    windowLifted: window(windowLifted, 3),
    windowVisibility: window(windowVisibility, 1),
    windowWeight: window(windowWeight, 1),
    windowRows: tensor(windowRows, [count, 1, windowSide, side]),
    windowColumns: tensor(windowColumns, [count, 1, side, windowSide]),
    ...drawControls(maker.sources, steered),
  };
}

/** Mostly the sampler's first step, from which one-step samples come; else one of its later ones. */
function drawTimestep(
  { schedule, settings }: { schedule: BatchMaker['schedule']; settings: DistillTraining },
  random: Random,
): number {
  const [first, ...later] = trailingTimesteps(schedule, settings.samplerSteps);
  return later.length > 0 && random.uniform() < settings.laterShare ? random.choose(later) : first!;
}

/** What each pixel counts: 1, more in the head, more where the lift invents. `1 S S`. */
function pixelWeights(
  { headMask }: TrainingSample,
  { visibility }: AugmentedSample,
  { headWeight, inventedWeight }: DistillTraining,
): Float32Array {
  return visibility.map((v, i) => {
    const inHead = headMask[i]! / 255;
    return 1 + inHead * (headWeight + (v < INVENTED_BELOW ? inventedWeight : 0));
  });
}

/** Means of the blocks of a square plane. */
function averaged(plane: Float32Array, size: number, block: number): Float32Array {
  const side = size / block;
  const out = new Float32Array(side * side);
  for (let i = 0; i < plane.length; i++) {
    const [x, y] = [i % size, Math.floor(i / size)];
    out[Math.floor(y / block) * side + Math.floor(x / block)]! += plane[i]! / block ** 2;
  }
  return out;
}

/** Where the window lies (latent pixels, top and left): around a pixel of the head, within the picture. */
function windowPlace(
  mask: Uint8Array,
  { size, factor, windowSide }: { size: number; factor: number; windowSide: number },
  random: Random,
): [number, number] {
  const last = size / factor - windowSide;
  const tries = 50;
  for (let k = 0; k < tries; k++) {
    const pixel = random.integer(mask.length);
    if (mask[pixel]! <= 127) continue;
    const place = (at: number): number =>
      Math.min(last, Math.max(0, Math.round(at / factor - windowSide / 2)));
    return [place(Math.floor(pixel / size)), place(pixel % size)];
  }
  return [random.integer(last + 1), random.integer(last + 1)];
}

function cropPlanes(
  data: Float32Array,
  planes: number,
  { size, side, top, left }: { size: number; side: number; top: number; left: number },
): Float32Array {
  const out = new Float32Array(planes * side * side);
  for (let row = 0; row < planes * side; row++) {
    const from = (Math.floor(row / side) * size + top + (row % side)) * size + left;
    out.set(data.subarray(from, from + side), row * side);
  }
  return out;
}
