// The sessions of a trained model, opened for windows of a fixed number of frames.

import {
  denoiserModel,
  encoderModel,
  guidanceModel,
  guidanceShape,
  latentShape,
  normaliseLatents,
  referenceModel,
  TEMPORAL_NAME,
} from '../denoiser/index.ts';
import { guide } from '../diffusion/index.ts';
import type { AnyTensor, Device, OnnxModel, Precision, Session, Tensor } from '../tensor/index.ts';
import { encodeOnnxModel, gainsByWinograd, inPrecision, tensor } from '../tensor/index.ts';
import type { Avatar } from './avatar-file.ts';
import type { FrameControls } from './frame-controls.ts';
import { type DecodingControls, openFrameDecoder } from './frame-decoder.ts';

/** Which of the two label vectors is used: what comes out should look real. */
const REAL_LABEL = 0;

/** How the networks are opened. */
export type NetworkOptions = {
  readonly device: Device;
  /** Frames that are denoised together. */
  readonly windowFrames: number;
  /** Classifier-free guidance; 1 does without the unconditional branch. */
  readonly guidanceScale: number;
  /** What they compute in; the default is fp32. */
  readonly precision?: Precision | undefined;
};

/** The keys and values that a reference gives. */
export type ReferenceFeatures = Readonly<Record<string, AnyTensor>>;

/** A trained model on a device. Owns sessions. */
export type AvatarNetworks = {
  readonly windowFrames: number;
  /** Values of one frame's latent. */
  readonly latentLength: number;
  /** A picture `1 3 S S` as a normalised latent. */
  encode(picture: Tensor): Promise<Float32Array>;
  /** The reference pass on a normalised latent. */
  reference(latent: Float32Array): Promise<ReferenceFeatures>;
  /** The guidance features of one frame. */
  guidance(controls: FrameControls): Promise<Float32Array>;
  /** v of a window: `noisy` and `guidance` hold `windowFrames` frames. */
  velocity(
    noisy: Float32Array,
    timestep: number,
    context: { reference: ReferenceFeatures; guidance: Float32Array },
  ): Promise<Float32Array>;
  /** A normalised latent and the lifted picture as a picture `1 3 S S`. */
  decode(latent: Float32Array, controls: DecodingControls): Promise<Tensor<'B C H W'>>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Whether a model has learned temporal layers. */
export function hasTemporalLayers({ weights }: Avatar): boolean {
  return Object.keys(weights).some((name) => name.includes(`.${TEMPORAL_NAME}.`));
}

/**
 * Opens all sessions of a model.
 * @throws MissingResourceError where the device does not compute in the precision that is asked for
 */
export async function openNetworks(avatar: Avatar, options: NetworkOptions): Promise<AvatarNetworks> {
  const { config, weights, statistics } = avatar;
  const { device, windowFrames, guidanceScale, precision = 'fp32' } = options;
  const open = async (model: OnnxModel): Promise<Session> =>
    device.createSession(encodeOnnxModel(inPrecision(model, precision, device)));
  const temporal = hasTemporalLayers(avatar) ? { frames: windowFrames } : {};
  const single = { batch: 1, usesWinograd: gainsByWinograd(device) };
  const denoiserOf = (seesReference: boolean): Promise<Session> =>
    open(denoiserModel(config, weights, { ...single, batch: windowFrames, seesReference, ...temporal }));
  const [encoder, reference, guidance, denoiser, unconditional, decoder] = await Promise.all([
    open(encoderModel(config, weights, single)),
    open(referenceModel(config, weights, single)),
    open(guidanceModel(config, weights, single)),
    denoiserOf(true),
    guidanceScale === 1 ? null : denoiserOf(false),
    openFrameDecoder(avatar, { device, precision }),
  ]);
  const oneShape = latentShape(config, 1);
  const windowShape = latentShape(config, windowFrames);
  const area = oneShape[2]! * oneShape[3]!;
  const encode = async (picture: Tensor): Promise<Float32Array> => {
    const { latent } = await encoder.run({ picture });
    return normaliseLatents(latent!.data as Float32Array, area, statistics);
  };

  return {
    windowFrames,
    latentLength: oneShape.reduce((a, b) => a * b),
    encode,
    reference: (latent) =>
      reference.run({ reference: tensor(latent, oneShape), labels: repeated(REAL_LABEL, 1) }),
    async guidance({ drawn, lifted, visibility }) {
      const seesLift = guidance.inputNames.includes('liftedLatent');
      const feeds = {
        ...drawn,
        ...(seesLift ? { liftedLatent: tensor(await encode(lifted), oneShape), visibility } : {}),
      };
      return (await guidance.run(feeds)).guidance!.data as Float32Array;
    },
    async velocity(noisy, timestep, context) {
      const feeds = {
        noisy: tensor(noisy, windowShape),
        timesteps: repeated(timestep, windowFrames),
        labels: repeated(REAL_LABEL, windowFrames),
        guidance: tensor(context.guidance, guidanceShape(config, windowFrames)),
      };
      const outputs = await denoiser.run({ ...feeds, ...context.reference });
      const conditional = outputs.velocity!.data as Float32Array;
      if (unconditional === null) return conditional;
      const free = await unconditional.run(feeds);
      return guide(conditional, free.velocity!.data as Float32Array, guidanceScale);
    },
    decode: (latent, controls) => decoder.decode(latent, controls),
    async [Symbol.asyncDispose]() {
      for (const session of [encoder, reference, guidance, denoiser, unconditional, decoder]) {
        await session?.[Symbol.asyncDispose]();
      }
    },
  };
}

function repeated(value: number, count: number): AnyTensor {
  return { dtype: 'int64', shape: [count], data: new BigInt64Array(count).fill(BigInt(value)) };
}
