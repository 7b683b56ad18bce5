// The assembled model as a renderer: the portrait passes once as the reference; frames are lifted, splatted,
// denoised window by window, decoded beside the lifted picture, and given its detail where both agree.

import { createSchedule, type ScheduleOptions } from '../diffusion/index.ts';
import type { HeadModel } from '../head/index.ts';
import { createLiftTools, type LiftTools } from '../lift/index.ts';
import type { RgbImage } from '../media/index.ts';
import { planarFromImage } from '../media/index.ts';
import type { Device, Precision, Tensor } from '../tensor/index.ts';
import { createRandom, stacked, tensor } from '../tensor/index.ts';
import type { Avatar } from './avatar-file.ts';
import type { AvatarNetworks, ReferenceFeatures } from './avatar-networks.ts';
import { hasTemporalLayers, openNetworks } from './avatar-networks.ts';
import type { AvatarRenderer, FittedPortrait, FramedPortrait, WeightsName } from './avatar-renderer.ts';
import { framePortrait } from './avatar-renderer.ts';
import type { FrameController, FrameControlStream, FrameControls, SteeredBy } from './frame-controls.ts';
import { createFrameController } from './frame-controls.ts';
import { type DecoderPart, type DenoisedFrame, type FramePictures, shownPicture } from './frame-decoder.ts';
import type { WindowSamplerOptions } from './window-sampler.ts';
import { WindowSampler } from './window-sampler.ts';

/** How and where a model is opened, whatever its networks. */
export type ModelSettings = {
  readonly head: HeadModel;
  readonly device: Device;
  /** DDIM steps; the default is 1, what the shipped weights do best with. */
  readonly steps?: number;
  /** Classifier-free guidance; the default 1 follows the reference as learned. */
  readonly guidanceScale?: number;
  /** Frames that are denoised together; the default is 8. */
  readonly windowFrames?: number;
  readonly seed?: number;
  /** What the networks compute in; the default is fp32. */
  readonly precision?: Precision;
  /** Where the controls of frames are drawn; by default where the model is. */
  readonly drawControls?: (
    tools: LiftTools,
    framed: FramedPortrait,
    steeredBy: SteeredBy,
  ) => FrameControlStream;
  /** Where the frames of a compact model are decoded; by default where the model is. */
  readonly decodeFrames?: (part: DecoderPart, options: FrameDecoding) => FramePictures;
};

/** How frames are decoded. */
export type FrameDecoding = {
  /** As of `shownPicture`. */
  readonly takesDetail: boolean;
  /** Decodes a frame where the model is. */
  readonly decodeHere: (frame: DenoisedFrame) => Promise<RgbImage>;
};

/** What a model is opened with. */
export type ModelOptions = ModelSettings & {
  readonly avatar: Avatar;
  /** Checksum of the file that the avatar came from. */
  readonly sha256: string;
};

/** A model on a device, for any number of portraits. Owns sessions: hold it with `await using`. */
export type OpenModel = {
  /** Prepares a portrait: the square around its head, its lift, its reference features. */
  renderer(portrait: FittedPortrait): Promise<AvatarRenderer>;
  /** As `renderer`, for a portrait that is cut to the model's square already. */
  framedRenderer(framed: FramedPortrait): Promise<AvatarRenderer>;
  [Symbol.asyncDispose](): Promise<void>;
};

const DEFAULT_STEPS = 1;
const DEFAULT_WINDOW = 8;
const OVERLAP_SHARE = 0.25;

/** Opens a model: everything that does not depend on the portrait happens here. */
export async function openModel(options: ModelOptions): Promise<OpenModel> {
  const { avatar, device, sha256, steps = DEFAULT_STEPS, guidanceScale = 1 } = options;
  const { windowFrames = DEFAULT_WINDOW, precision, decodeFrames } = options;
  const { size, diffusion } = avatar.config;
  return assembleModel({
    ...options,
    networks: await openNetworks(avatar, { device, windowFrames, guidanceScale, precision }),
    weights: { name: avatar.name, sha256 },
    steeredBy: {
      field: avatar.field,
      kinds: new Set(avatar.config.unet.controls.map(({ kind }) => kind)),
    },
    sizePx: size,
    schedule: diffusion,
    steps,
    overlapFrames: hasTemporalLayers(avatar) ? Math.floor(windowFrames * OVERLAP_SHARE) : 0,
    ...(decodeFrames && { picturesBy: (decoding: FrameDecoding) => decodeFrames(avatar, decoding) }),
  });
}

/** What makes a model of opened networks. */
export type Assembly = Pick<ModelSettings, 'head' | 'seed' | 'drawControls'> & {
  /** The model owns them. */
  readonly networks: AvatarNetworks;
  readonly weights: WeightsName;
  readonly steeredBy: SteeredBy;
  readonly sizePx: number;
  readonly schedule: ScheduleOptions;
  readonly steps: number;
  /** Frames that a window shares with the one before it; 0 where frames know nothing of each other. */
  readonly overlapFrames: number;
  /** Where frames are decoded; by default by the networks, one after another. */
  readonly picturesBy?: (decoding: FrameDecoding) => FramePictures;
};

/** Networks of any scale as a model. */
export function assembleModel(assembly: Assembly): OpenModel {
  const { networks, weights, steeredBy, head, seed = 0, sizePx, steps, overlapFrames } = assembly;
  const { windowFrames, latentLength } = networks;
  const tools = createLiftTools(head);
  const takesDetail = steeredBy.kinds.has('lifted');
  const decodeHere = async ({ latent, controls }: DenoisedFrame): Promise<RgbImage> =>
    shownPicture(await networks.decode(latent, controls), controls, { takesDetail });
  const picturesOf = assembly.picturesBy?.({ takesDetail, decodeHere }) ?? decodedInTurn(decodeHere);
  const noise = createRandom(seed).fillNormal(new Float32Array(latentLength));
  const schedule = createSchedule(assembly.schedule);
  const sampling = { schedule, steps, windowFrames, overlapFrames, noise };

  const framedRenderer = async (framed: FramedPortrait): Promise<AvatarRenderer> => {
    const drawControls =
      assembly.drawControls?.(tools, framed, steeredBy) ??
      drawnInTurn(createFrameController(steeredBy, tools, framed));
    const picture = asBatch(planarFromImage(framed.image));
    const reference = await networks.reference(await networks.encode(picture));
    return {
      head,
      sizePx,
      width: sizePx,
      height: sizePx,
      memoryFrames: overlapFrames === 0 ? 0 : windowFrames,
      weights,
      render: (motion) => picturesOf(denoisedFrames(drawControls(motion), { networks, reference, sampling })),
    };
  };
  return {
    renderer: (portrait) => framedRenderer(framePortrait(tools.poser, portrait, sizePx)),
    framedRenderer,
    [Symbol.asyncDispose]: () => networks[Symbol.asyncDispose](),
  };
}

/** A renderer that owns its model: hold it with `await using`. */
export type ModelRenderer = AvatarRenderer & AsyncDisposable;

/** Opens a model for one portrait. */
export async function createModelRenderer(
  portrait: FittedPortrait,
  options: ModelOptions,
): Promise<ModelRenderer> {
  const model = await openModel(options);
  const renderer = await model.renderer(portrait);
  return { ...renderer, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
}

type Rendering = {
  readonly networks: AvatarNetworks;
  readonly reference: ReferenceFeatures;
  readonly sampling: WindowSamplerOptions;
};

function drawnInTurn(controlsOf: FrameController): FrameControlStream {
  return async function* (motion) {
    for await (const placed of motion) yield controlsOf(placed);
  };
}

function decodedInTurn(decode: FrameDecoding['decodeHere']): FramePictures {
  return async function* (frames) {
    for await (const frame of frames) yield await decode(frame);
  };
}

async function* denoisedFrames(
  allControls: AsyncIterable<FrameControls>,
  { networks, reference, sampling }: Rendering,
): AsyncGenerator<DenoisedFrame, void, undefined> {
  const { windowFrames, overlapFrames, noise } = sampling;
  const sampler = new WindowSampler(sampling);
  let held: PreparedFrame[] = [];
  for await (const batch of chunks(allControls, () => sampler.newFrames)) {
    const fresh: PreparedFrame[] = [];
    for (const controls of batch) {
      fresh.push({ controls, guidance: await networks.guidance(controls) });
    }
    const window = [...held, ...fresh];
    const guidance = stacked(padded(window, windowFrames).map((frame) => frame.guidance));
    const latents = await sampler.next((noisy, t) => networks.velocity(noisy, t, { reference, guidance }));
    for (const [i, { controls }] of fresh.entries()) {
      const at = (held.length + i) * noise.length;
      yield { latent: latents.slice(at, at + noise.length), controls };
    }
    held = overlapFrames === 0 ? [] : window.slice(-overlapFrames);
  }
}

type PreparedFrame = { readonly controls: FrameControls; readonly guidance: Float32Array };

/** Groups items; the size of each group is asked for when it begins. The last one may be smaller. */
async function* chunks<T>(items: AsyncIterable<T>, size: () => number): AsyncGenerator<T[], void, undefined> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size()) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** The last, shorter window repeats its last frame: sessions have a fixed number of frames. */
function padded<T>(frames: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, i) => frames[Math.min(i, frames.length - 1)]!);
}

function asBatch({ data, shape }: Tensor): Tensor {
  return tensor(data, [1, ...shape]);
}
