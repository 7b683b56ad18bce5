// The first stage: the autoencoder. It begins as the principal components of the training pictures, and
// learns with noise on the latent (a denoiser's samples are never exact) and with the lifted picture
// dropped or spoiled part of the time.

import { storedTensors } from '../checkpoints/index.ts';
import type { LinearCodec } from '../denoiser/index.ts';
import {
  DECODER_SCOPE,
  decodeLatent,
  decoderModel,
  ENCODER_SCOPE,
  encodePicture,
  encoderModel,
  fitLinearCodec,
  latentFactor,
  samplePatches,
} from '../denoiser/index.ts';
import type { Weights } from '../nn/index.ts';
import { createParameterSet, weightsFor } from '../nn/index.ts';
import type { AnyTensor, Device, Tensor, Value } from '../tensor/index.ts';
import {
  add,
  createRandom,
  deriveSeed,
  encodeOnnxModel,
  input,
  mean,
  mul,
  square,
  sub,
  tensor,
} from '../tensor/index.ts';
import { augment, unchanged } from './augmentation.ts';
import { absoluteLoss, gradientLoss, structureLoss } from './losses.ts';
import type { SampleReader } from './sample-reader.ts';
import type { Stage, Validation } from './stage.ts';
import { partSize } from './trainer.ts';
import type { Configuration } from './training-config.ts';
import { average, maskedPsnr, maskPicture, pictureSheet } from './validation-sheet.ts';

/** What the autoencoder's stage is made from. */
export type AutoencoderStageOptions = {
  readonly configuration: Configuration;
  readonly samples: SampleReader;
  readonly device: Device;
  /**
   * An encoder to keep: only the decoder learns, from the one beside it if there is one, and latents stay what a
   * denoiser was trained on.
   */
  readonly encoderWeights?: Weights;
};

const PCA_PICTURES = 400;
const PCA_PATCHES = 40_000;
const VALIDATION_SAMPLES = 12;
const SHEET_ROWS = 6;
/** Deviation of the noise at which validation measures how latents near the truth decode. */
const VALIDATION_NOISE = 0.3;

/**
 * Sets the stage up. The graph's inputs: `picture`, `lifted`, `visibility`, `latentNoise`; with a kept encoder
 * also `storedLift` and `liftMixing`.
 */
export function autoencoderStage(options: AutoencoderStageOptions): Stage {
  const { configuration, samples, encoderWeights } = options;
  const { model, training } = configuration;
  const settings = training.vae;
  const { autoencoder } = model;
  const { batch, cropPx, microBatches = 1 } = settings;
  const part = partSize(batch, microBatches);
  const set = createParameterSet();
  const side = cropPx / latentFactor(autoencoder);
  const picture = input('picture', [part, 3, cropPx, cropPx]);
  const lifted = {
    picture: input('lifted', [part, 3, cropPx, cropPx]),
    visibility: input('visibility', [part, 1, cropPx, cropPx]),
  };
  const pictureShape = [batch, 3, cropPx, cropPx];
  const noiseShape = [batch, autoencoder.latentChannels, side, side];
  const encoder = set.scope.at(ENCODER_SCOPE);
  const latent = encodePicture(encoder, picture, autoencoder);
  const errs = (exact: Value): Value => {
    const stored = encodePicture(encoder, input('storedLift', picture.shape), autoencoder);
    return add(exact, mul(input('liftMixing', [part, 1, 1, 1]), sub(stored, exact)));
  };
  const noisy = add(
    encoderWeights === undefined ? latent : errs(latent),
    input('latentNoise', noiseShape.with(0, part)),
  );
  const decoded = decodeLatent(set.scope.at(DECODER_SCOPE), noisy, lifted, autoencoder);
  const reconstruction = absoluteLoss(decoded, picture);
  const terms: Value[] = [
    reconstruction,
    mul(gradientLoss(decoded, picture), settings.gradientWeight),
    mul(structureLoss(decoded, picture), settings.structureWeight),
    mul(mean(square(latent)), 0.5 * settings.klWeight),
  ];
  const isEncoder = (name: string): boolean => name.startsWith(`${ENCODER_SCOPE}.`);
  const trained = new Map(
    [...set.values].filter(([name]) => encoderWeights === undefined || !isEncoder(name)),
  );
  const frozenValues = new Map([...set.values].filter(([name]) => !trained.has(name)));
  const frozen = weightsFor(frozenValues, encoderWeights ?? {}, 'the weights of the encoder to keep');

  const batchAt = async (step: number): Promise<Record<string, AnyTensor>> => {
    const random = createRandom(deriveSeed(training.seed, step));
    const area = cropPx * cropPx;
    const pictures = new Float32Array(batch * 3 * area);
    const lifts = new Float32Array(batch * 3 * area);
    const visibilities = new Float32Array(batch * area);
    const storedLifts = new Float32Array(batch * 3 * area);
    const liftMixing = new Float32Array(batch);
    const noise = random.fillNormal(new Float32Array(noiseShape.reduce((a, b) => a * b)));
    for (const [i, sample] of samples.batchAt(step).entries()) {
      const how = {
        sizePx: samples.size,
        cropPx,
        isMirrored: random.uniform() < 0.5,
        isRecoloured: random.uniform() < 0.5,
        liftDropout: settings.liftDropout,
        liftCorruption: settings.liftCorruption,
      };
      const one = augment(sample, how, random);
      pictures.set(one.target, i * 3 * area);
      lifts.set(one.lifted, i * 3 * area);
      visibilities.set(one.visibility, i * area);
      storedLifts.set(one.storedLift, i * 3 * area);
      liftMixing[i] = random.uniform() < settings.liftMixing ? random.uniform() : 0;
      const strength = settings.latentNoise * random.uniform() ** 2;
      const each = noise.length / batch;
      for (let k = i * each; k < (i + 1) * each; k++) noise[k]! *= strength;
    }
    return {
      picture: tensor(pictures, pictureShape),
      lifted: tensor(lifts, pictureShape),
      visibility: tensor(visibilities, pictureShape.with(1, 1)),
      latentNoise: tensor(noise, noiseShape),
      ...(encoderWeights === undefined
        ? {}
        : {
            storedLift: tensor(storedLifts, pictureShape),
            liftMixing: tensor(liftMixing, [batch, 1, 1, 1]),
          }),
    };
  };

  return {
    name: 'vae',
    settings,
    problem: {
      name: 'autoencoder',
      loss: terms.reduce((total, term) => add(total, term)),
      trained,
      frozen,
      optimiser: settings,
      microBatches,
    },
    initialWeights() {
      const weights = set.initialise(training.seed);
      const random = createRandom(training.seed);
      const pictures = samples.training.slice(0, PCA_PICTURES).map((sample) => sample.target);
      const block = latentFactor(autoencoder);
      const patches = samplePatches(pictures, { size: samples.size, block, count: PCA_PATCHES, random });
      putCodec(weights, fitLinearCodec(patches, { components: autoencoder.latentChannels, random }));
      return [...trained.keys()].map((name) => [name, encoderWeights?.[name] ?? weights[name]!]);
    },
    batchAt,
    shipped: () => storedTensors(frozen),
    validate: (weights) => validateAutoencoder({ ...frozen, ...weights }, options),
  };
}

function putCodec(weights: Record<string, Tensor>, codec: LinearCodec): void {
  const put = (name: string, data: Float32Array): void => {
    weights[name] = { ...weights[name]!, data };
  };
  put(`${ENCODER_SCOPE}.shortcut.weight`, codec.encode);
  put(`${ENCODER_SCOPE}.shortcut.bias`, codec.encodeBias);
  put(`${DECODER_SCOPE}.shortcut.weight`, codec.decode);
  put(`${DECODER_SCOPE}.shortcut.bias`, codec.decodeBias);
}

/** Columns of the sheet: reference, lifted, visibility; decoded from the lift's latent, from the true one, with
 * noise, without lift; target. */
async function validateAutoencoder(
  weights: Weights,
  { configuration: { model, training }, samples, device }: AutoencoderStageOptions,
): Promise<Validation> {
  const open = async (onnx: ReturnType<typeof encoderModel>): ReturnType<Device['createSession']> =>
    device.createSession(encodeOnnxModel(onnx));
  await using encoder = await open(encoderModel(model, weights, { batch: 1 }));
  await using decoder = await open(decoderModel(model, weights, { batch: 1 }));
  const size = model.size;
  const random = createRandom(training.seed);
  const names = [
    'copying',
    'lift',
    'liftDecoded',
    'decoded',
    'noisy',
    'withoutLift',
    'noisyWithoutLift',
  ] as const;
  const figures: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  const moments: number[] = [];
  const rows: Float32Array[][] = [];
  for (const sample of samples.validation.slice(0, VALIDATION_SAMPLES)) {
    const { reference, target, lifted, visibility, storedLift } = unchanged(sample, size);
    const { latent } = await encoder.run({ picture: tensor(target, [1, 3, size, size]) });
    const values = latent!.data as Float32Array;
    moments.push(average(Array.from(values, (x) => x * x)));
    const ofLift = await encoder.run({ picture: tensor(storedLift, [1, 3, size, size]) });
    const decode = async (hasLift: boolean, deviation: number, from = values): Promise<Float32Array> => {
      const { picture } = await decoder.run({
        latent: { ...(latent as Tensor), data: from.map((x) => x + deviation * random.normal()) },
        lifted: tensor(hasLift ? lifted : new Float32Array(3 * size * size), [1, 3, size, size]),
        visibility: tensor(hasLift ? visibility : new Float32Array(size * size), [1, 1, size, size]),
      });
      return picture!.data as Float32Array;
    };
    const pictures = {
      copying: reference,
      lift: storedLift,
      liftDecoded: await decode(true, 0, ofLift.latent!.data as Float32Array),
      decoded: await decode(true, 0),
      noisy: await decode(true, VALIDATION_NOISE),
      withoutLift: await decode(false, 0),
      noisyWithoutLift: await decode(false, VALIDATION_NOISE),
    };
    for (const name of names) figures[name]!.push(maskedPsnr(pictures[name], target, sample.headMask));
    if (rows.length < SHEET_ROWS) {
      const { liftDecoded, decoded, noisy, withoutLift } = pictures;
      const mask = maskPicture(visibility);
      rows.push([reference, storedLift, mask, liftDecoded, decoded, noisy, withoutLift, target]);
    }
  }
  const means = Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, average(values)]));
  return {
    figures: { ...means, latentVariance: average(moments) },
    score: means.decoded!,
    sheet: pictureSheet(rows, size),
  };
}
