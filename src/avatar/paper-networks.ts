// The networks of the paper's scale behind the same interface as the compact ones. They are opened when they are needed
// and closed when they are not, so that the encoder's and the reference network's weights are gone before the
// denoiser's come. Weights are mapped from their file, never held by the program.

import { guide } from '../diffusion/index.ts';
import type { PaperModelConfig } from '../stable-diffusion/index.ts';
import {
  conditionModel,
  decoderModel,
  denoiserModel,
  encoderModel,
  guidanceModel,
  latentFactor,
  latentShape,
  mapInTiles,
  referenceModel,
} from '../stable-diffusion/index.ts';
import type {
  AnyTensor,
  Device,
  ExternalWeights,
  OnnxModel,
  Precision,
  Session,
  SessionOptions,
  Tensor,
} from '../tensor/index.ts';
import { encodeOnnxModel, inPrecision, tensor, withOpenExtents } from '../tensor/index.ts';
import type { AvatarNetworks } from './avatar-networks.ts';

/** Weights that stay in their file. */
export type WeightsInFile = ExternalWeights & {
  /** The file's folder. */
  readonly folder: string;
};

/** How the networks are opened. */
export type PaperNetworkOptions = {
  readonly device: Device;
  readonly windowFrames: number;
  /** Classifier-free guidance; 1 does without the unconditional branch. */
  readonly guidanceScale: number;
  /** The training steps that are visited. */
  readonly timesteps: readonly number[];
  /** What they compute in; the default is fp32. */
  readonly precision?: Precision | undefined;
};

/** Side of the tiles that larger pictures are encoded and decoded in, and what tiles share, pixels. */
const [TILE_PX, TILE_OVERLAP_PX] = [512, 128];

type MemoryOptions = Pick<SessionOptions, 'keepsMemory' | 'plansRuns'>;
/** Of networks that run once, or whose values are small: memory goes back to the system after each value. */
const GIVEN_BACK: MemoryOptions = { keepsMemory: false };
/**
 * Of those whose values are large: what was one's is the next one's until the session is closed. From the system every value
 * would come as pages that are cleared first (docs/weights.md).
 */
const KEPT_WHILE_OPEN: MemoryOptions = { keepsMemory: true, plansRuns: false };

/** Label 0: what comes out should look real. */
const REAL: AnyTensor = { dtype: 'int64', shape: [1], data: BigInt64Array.of(0n) };

/**
 * Opens the networks; what every step takes of the label and of its time is computed here.
 * @throws MissingResourceError where the device does not compute in the precision that is asked for
 */
export async function openPaperNetworks(
  { config, weights }: { readonly config: PaperModelConfig; readonly weights: WeightsInFile },
  { device, windowFrames, guidanceScale, timesteps, precision = 'fp32' }: PaperNetworkOptions,
): Promise<AvatarNetworks> {
  const factor = latentFactor(config.autoencoder);
  const tilePx = tileSide(config);
  const { fusesAttention: usesFusedForms, convolutionBlock } = device;
  const form = { usesFusedForms, convolutionBlock };
  const pixels = { width: tilePx, height: tilePx, ...form };
  const isWeight = (name: string): boolean => weights.places.has(name);
  // A processor's run takes so long that fp32 and filters of weights can be made anew by each: held, they are more than twice a
  // file of halves, and what lies between while they are made as much again (docs/paper-scale.md).
  const foldsWeights = device.name !== 'cpu';
  const open = async (model: OnnxModel, memory: MemoryOptions = GIVEN_BACK): Promise<Session> => {
    const opened = withOpenExtents(inPrecision(model, precision, device, { isWeight }), isWeight);
    return device.createSession(encodeOnnxModel(opened, weights), {
      ...{ weightsFolder: weights.folder, foldsWeights },
      ...memory,
    });
  };
  const hidesReference = guidanceScale !== 1;
  const guidance = kept(() => open(guidanceModel(config, form)));
  const denoiser = kept(() =>
    open(denoiserModel(config, { frames: windowFrames, hidesReference, ...form }), KEPT_WHILE_OPEN),
  );
  const decoder = kept(() => open(decoderModel(config, pixels), KEPT_WHILE_OPEN));
  const { time, ...labels } = await once(open(conditionModel(config, { steps: timesteps.length, ...form })), {
    timesteps: { dtype: 'int64', shape: [timesteps.length], data: BigInt64Array.from(timesteps, BigInt) },
    label: REAL,
  });
  const oneShape = latentShape(config, 1);
  const windowShape = latentShape(config, windowFrames);
  const guidanceShape = [windowFrames, config.unet.widths[0]!, ...oneShape.slice(2)];

  return {
    windowFrames,
    latentLength: oneShape.reduce((a, b) => a * b),
    async encode(picture) {
      await using encoder = await open(encoderModel(config, pixels), KEPT_WHILE_OPEN);
      const encodeTile = async (tile: Tensor): Promise<Tensor> =>
        (await encoder.run({ picture: tile })).latent as Tensor;
      const tiling = { side: tilePx, overlap: TILE_OVERLAP_PX, ratio: 1 / factor, step: factor };
      return (await mapInTiles(picture, encodeTile, tiling)).data;
    },
    reference: (latent) =>
      once(open(referenceModel(config, form)), { reference: tensor(latent, oneShape), label: REAL }),
    async guidance({ drawn: { gaussian } }) {
      const outputs = await (await guidance.session()).run({ control: gaussian! });
      return outputs.guidance!.data as Float32Array;
    },
    async velocity(noisy, timestep, context) {
      // What the decoder keeps of the window before would stand beside the denoiser's.
      if (device.name === 'cpu') await decoder.close();
      const session = await denoiser.session();
      const feeds = {
        ...labels,
        ...context.reference,
        noisy: tensor(noisy, windowShape),
        time: rowOf(time as Tensor, timesteps.indexOf(timestep)),
        guidance: tensor(context.guidance, guidanceShape),
      };
      const branch = async (keeps: Readonly<Record<string, AnyTensor>>): Promise<Float32Array> =>
        (await session.run({ ...feeds, ...keeps })).velocity!.data as Float32Array;
      if (!hidesReference) return branch({});
      const conditional = await branch({ keepsReference: tensor(Float32Array.of(1), [1]) });
      const free = await branch({ keepsReference: tensor(Float32Array.of(0), [1]) });
      return guide(conditional, free, guidanceScale);
    },
    async decode(latent) {
      const session = await decoder.session();
      const decodeTile = async (tile: Tensor): Promise<Tensor> =>
        (await session.run({ latent: tile })).picture as Tensor;
      const tiling = { side: tilePx / factor, overlap: TILE_OVERLAP_PX / factor, ratio: factor };
      return mapInTiles(tensor(latent, oneShape), decodeTile, tiling) as Promise<Tensor<'B C H W'>>;
    },
    async [Symbol.asyncDispose]() {
      for (const holder of [guidance, denoiser, decoder]) await holder.close();
    },
  };
}

/** Side of the pieces in which pictures are encoded and decoded, pixels. */
export function tileSide({ size }: PaperModelConfig): number {
  return Math.min(size, TILE_PX);
}

/** A session that is opened when it is asked for, and again after it was closed. */
function kept(open: () => Promise<Session>): { session(): Promise<Session>; close(): Promise<void> } {
  let opened: Promise<Session> | undefined;
  return {
    session: () => (opened ??= open()),
    async close() {
      const closing = opened;
      opened = undefined;
      await (await closing)?.[Symbol.asyncDispose]();
    },
  };
}

/** Runs a session once and closes it. */
async function once(
  opening: Promise<Session>,
  feeds: Readonly<Record<string, AnyTensor>>,
): Promise<Record<string, AnyTensor>> {
  await using session = await opening;
  return await session.run(feeds);
}

function rowOf({ data, shape }: Tensor, row: number): Tensor {
  const width = shape[1]!;
  return tensor(data.slice(row * width, (row + 1) * width), [1, width]);
}
