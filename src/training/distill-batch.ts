// Batches of the distill stage: what the sampler's own steps see, the picture that should come of it, and a
// window of it in which the decoder is asked. A batch is a function of the step alone.

import { latentFactor } from '../denoiser/index.ts';
import { addNoise, mixtureAt, trailingTimesteps } from '../diffusion/index.ts';
import type { AnyTensor, Random } from '../tensor/index.ts';
import { createRandom, deriveSeed, zeros } from '../tensor/index.ts';
import type { AugmentedSample } from './augmentation.ts';
import { augment } from './augmentation.ts';
import type { SteeredPicture } from './control-sources.ts';
import { drawControls } from './control-sources.ts';
import type { BatchMaker } from './denoiser-batch.ts';
import { encode } from './denoiser-batch.ts';
import type { TrainingSample } from './sample-shard.ts';
import { LABEL_IN_USE, SAMPLE_LABELS } from './sample-shard.ts';
import type { DistillTraining } from './training-config.ts';

/** Visibility below which a pixel of the lifted picture counts as invented. */
export const INVENTED_BELOW = 0.45;
/** Visibility above which it is the reference's own, where the fit placed it. */
const SEEN_ABOVE = 0.9;
/** Random pixels that are looked at for one in the head. */
const WINDOW_TRIES = 50;

/** What makes batches of the distill stage. */
export type DistillBatchMaker = Omit<BatchMaker, 'settings'> & { readonly settings: DistillTraining };

/** The inputs of the distill stage's graph, but for the Gaussian map. */
export async function distillBatch(
  maker: DistillBatchMaker,
  samples: readonly TrainingSample[],
  step: number,
): Promise<Record<string, AnyTensor>> {
  const random = createRandom(deriveSeed(maker.seed, step, 4));
  const feeds = Object.fromEntries(
    Object.entries(extents(maker)).map(([name, shape]) => [name, zeros([samples.length, ...shape])]),
  );
  const timesteps = new BigInt64Array(samples.length);
  const steered: SteeredPicture[] = [];
  for (const [i, sample] of samples.entries()) {
    const { timestep, shown, ...planes } = await distillSample(maker, sample, random);
    steered.push({ sample, reference: shown, posed: sample });
    timesteps[i] = BigInt(timestep);
    for (const [name, data] of Object.entries(planes)) feeds[name]!.data.set(data, i * data.length);
  }
  const integers = (data: BigInt64Array<ArrayBuffer>): AnyTensor => ({
    dtype: 'int64',
    shape: [data.length],
    data,
  });
  const { syntheticAsReal = 0 } = maker.settings;
  const drawn = samples.map(({ label }) => (random.uniform() < syntheticAsReal ? LABEL_IN_USE : label));
  const labels = integers(BigInt64Array.from(drawn, (label) => BigInt(SAMPLE_LABELS.indexOf(label))));
  const controls = drawControls(maker.sources, steered);
  return { ...feeds, ...controls, timesteps: integers(timesteps), labels, referenceLabels: labels };
}

type Feeds<T> = {
  readonly [Name in
    | ('noisy' | 'clean' | 'liftedLatent' | 'reference' | 'visibility' | 'weight')
    | ('signal' | 'noiseShare' | 'keepsReference' | 'windowRows' | 'windowColumns')
    | ('target' | 'windowLifted' | 'windowVisibility' | 'windowWeight')]: T;
};

/** The extents of one sample's share of each input. */
function extents({ model, settings: { windowPx } }: DistillBatchMaker): Feeds<readonly number[]> {
  const { size, autoencoder } = model;
  const side = size / latentFactor(autoencoder);
  const windowSide = windowPx / latentFactor(autoencoder);
  const latent = [autoencoder.latentChannels, side, side];
  return {
    ...{ noisy: latent, clean: latent, liftedLatent: latent, reference: latent },
    ...{ visibility: [1, size, size], weight: [1, side, side] },
    ...{ signal: [1, 1, 1], noiseShare: [1, 1, 1], keepsReference: [] },
    ...{ windowRows: [1, windowSide, side], windowColumns: [1, side, windowSide] },
    ...{ target: [3, windowPx, windowPx], windowLifted: [3, windowPx, windowPx] },
    ...{ windowVisibility: [1, windowPx, windowPx], windowWeight: [1, windowPx, windowPx] },
  };
}

async function distillSample(
  maker: DistillBatchMaker,
  sample: TrainingSample,
  random: Random,
): Promise<Feeds<ArrayLike<number>> & { readonly timestep: number; readonly shown: Float32Array }> {
  const { model, settings, schedule } = maker;
  const { size } = model;
  const factor = latentFactor(model.autoencoder);
  const { liftDropout, liftCorruption, referenceDropout, windowPx } = settings;
  const whole = { sizePx: size, cropPx: size, isMirrored: false, isRecoloured: true };
  const pictures = augment(sample, { ...whole, liftDropout, liftCorruption }, random);
  const timestep = drawTimestep(maker, random);
  const at = mixtureAt(schedule, timestep);
  const clean = await encode(maker, pictures.target);
  const liftedLatent = await encode(maker, pictures.lifted);
  // What a later step finds is not the truth but the model's own answer, which errs towards the lift.
  const share = random.uniform();
  const answer = clean.map((value, k) => value + share * (liftedLatent[k]! - value));
  const noise = random.fillNormal(new Float32Array(clean.length));
  const weight = pixelWeights(sample, pictures, settings);
  const [top, left] = windowPlace(sample.headMask, { size, factor, windowPx }, random);
  const window = { size, side: windowPx, top: top * factor, left: left * factor };
  const side = size / factor;
  return {
    timestep,
    shown: pictures.reference,
    clean,
    liftedLatent,
    noisy: addNoise(answer, noise, at),
    reference: await encode(maker, pictures.reference),
    visibility: pictures.visibility,
    weight: averaged(weight, size, factor),
    signal: [at.signal],
    noiseShare: [at.noise],
    keepsReference: [random.uniform() >= referenceDropout ? 1 : 0],
    windowRows: picking(top, { rows: windowPx / factor, columns: side, axis: 'columns' }),
    windowColumns: picking(left, { rows: side, columns: windowPx / factor, axis: 'rows' }),
    target: cropPlanes(pictures.target, window),
    windowLifted: cropPlanes(pictures.lifted, window),
    windowVisibility: cropPlanes(pictures.visibility, window),
    windowWeight: cropPlanes(weight, window),
  };
}

/** A matrix of ones on the diagonal that begins at `first` of the longer axis: its product takes a window out. */
function picking(
  first: number,
  { rows, columns, axis }: { rows: number; columns: number; axis: 'rows' | 'columns' },
): Float32Array {
  const matrix = new Float32Array(rows * columns);
  for (let k = 0; k < Math.min(rows, columns); k++) {
    const [row, column] = axis === 'rows' ? [first + k, k] : [k, first + k];
    matrix[row * columns + column] = 1;
  }
  return matrix;
}

/** Mostly the sampler's first step, from which one-step samples come; else one of its later ones. */
function drawTimestep(
  { schedule, settings }: { schedule: BatchMaker['schedule']; settings: DistillTraining },
  random: Random,
): number {
  const [first, ...later] = trailingTimesteps(schedule, settings.samplerSteps);
  return later.length > 0 && random.uniform() < settings.laterShare ? random.choose(later) : first!;
}

/** What each pixel counts: 1, more in the head, more where the lift invents, less where a pair's lift sees. `1 S S`. */
function pixelWeights(
  { headMask, kind }: TrainingSample,
  { visibility }: AugmentedSample,
  { headWeight, inventedWeight, seenPairWeight = 1 }: DistillTraining,
): Float32Array {
  const seenWeight = kind === 'singleLift' ? seenPairWeight : 1;
  return visibility.map((v, i) => {
    const inHead = headMask[i]! / 255;
    const own = 1 + inHead * (headWeight + (v < INVENTED_BELOW ? inventedWeight : 0));
    return v < SEEN_ABOVE ? own : own * (1 + inHead * (seenWeight - 1));
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
  { size, factor, windowPx }: { size: number; factor: number; windowPx: number },
  random: Random,
): [number, number] {
  const windowSide = windowPx / factor;
  const last = size / factor - windowSide;
  for (let k = 0; k < WINDOW_TRIES; k++) {
    const pixel = random.integer(mask.length);
    if (mask[pixel]! <= 127) continue;
    const place = (at: number): number =>
      Math.min(last, Math.max(0, Math.round(at / factor - windowSide / 2)));
    return [place(Math.floor(pixel / size)), place(pixel % size)];
  }
  return [random.integer(last + 1), random.integer(last + 1)];
}

/** A square window of square planes. */
function cropPlanes(
  data: Float32Array,
  { size, side, top, left }: { size: number; side: number; top: number; left: number },
): Float32Array {
  const planes = data.length / size ** 2;
  const out = new Float32Array(planes * side * side);
  for (let row = 0; row < planes * side; row++) {
    const from = (Math.floor(row / side) * size + top + (row % side)) * size + left;
    out.set(data.subarray(from, from + side), row * side);
  }
  return out;
}
