// The sizes of Stable Diffusion's networks and of what the paper adds to them: what `configs/paper.json` holds.
// Source of the two presets: the config.json files published with Stable Diffusion 1.5 and 2.1, and METHOD's
// "SD 1.5 shape"; the motion module's: AnimateDiff v2's configuration.

import { z } from 'zod';

/** The variational autoencoder, `AutoencoderKL`. */
export type AutoencoderSizes = {
  readonly latentChannels: number;
  /** Channels of each level, finest first; each level but the last halves the size. */
  readonly widths: readonly number[];
  /** Resnet blocks a level of the encoder; the decoder has one more. */
  readonly blocks: number;
  readonly groups: number;
  /** What latents are multiplied by, so that they have about unit variance. */
  readonly scale: number;
};

/** The temporal layers, AnimateDiff's. */
export type MotionSizes = {
  readonly heads: number;
  /** Positions in the table: the most frames of a window. */
  readonly maxFrames: number;
  /** Whether the middle block has one (v2) or not (v1, v3). */
  readonly hasMiddle: boolean;
  /**
   * What the first norm takes its statistics over: each frame alone (AnimateDiff, Moore, Champ: what published weights
   * were trained with), or all frames of the clip (diffusers).
   */
  readonly normalises: 'frame' | 'clip';
};

/** The U-Net, `UNet2DConditionModel`, with its motion modules where it has any. */
export type UnetSizes = {
  readonly latentChannels: number;
  /** Channels of each level, finest first. */
  readonly widths: readonly number[];
  /** Attention heads at each level; transformers stand in all levels but the last, and in the middle. */
  readonly heads: readonly number[];
  /** Resnet blocks a level on the way down; one more on the way up. */
  readonly blocks: number;
  readonly groups: number;
  /** Features of the tokens of cross-attention. */
  readonly contextWidth: number;
  /** Whether the transformers' projections are linear layers (2.x) or 1 x 1 convolutions (1.x). */
  readonly hasLinearProjections: boolean;
  readonly motion: MotionSizes | null;
};

/** Champ's guidance encoder. */
export type GuidanceSizes = {
  readonly channels: number;
  /** Channels at each size, full size first; each but the first halves it. */
  readonly widths: readonly number[];
  readonly heads: number;
  readonly groups: number;
};

/** From noise to a clip. */
export type SamplingDefaults = {
  /** DDIM steps. */
  readonly steps: number;
  /** Classifier-free guidance; 1 goes without the unconditional branch. */
  readonly guidanceScale: number;
  /** Frames that a window shares with the one before it. */
  readonly overlapFrames: number;
};

/** Everything that the paper's configuration runs. */
export type PaperModelConfig = {
  readonly family: 'stable-diffusion';
  /** Side of the pictures, pixels. */
  readonly size: number;
  /** Side of the Gaussians' texture, texels. */
  readonly uvSize: number;
  /** Features of the Gaussian field. */
  readonly gaussianChannels: number;
  /** Frames of a window. */
  readonly frames: number;
  readonly autoencoder: AutoencoderSizes;
  readonly unet: UnetSizes;
  readonly guidance: GuidanceSizes;
  /** How `reenact` samples where nothing else is asked for. */
  readonly sampling: SamplingDefaults;
  /** See `createSchedule`. */
  readonly diffusion: { readonly steps: number; readonly betaStart: number; readonly betaEnd: number };
};

/** Stable Diffusion's autoencoder, the same in 1.x and 2.x (`sd-vae-ft-mse` too). */
export const SD_AUTOENCODER: AutoencoderSizes = {
  latentChannels: 4,
  widths: [128, 256, 512, 512],
  blocks: 2,
  groups: 32,
  scale: 0.18215,
};

/** AnimateDiff v2's motion modules; v3's have no middle. */
export const ANIMATEDIFF_V2: MotionSizes = { heads: 8, maxFrames: 32, hasMiddle: true, normalises: 'frame' };

/** Stable Diffusion 1.5's U-Net. */
export const SD15_UNET: UnetSizes = {
  latentChannels: 4,
  widths: [320, 640, 1280, 1280],
  heads: [8, 8, 8, 8],
  blocks: 2,
  groups: 32,
  contextWidth: 768,
  hasLinearProjections: false,
  motion: null,
};

/** Stable Diffusion 2.1's U-Net. */
export const SD21_UNET: UnetSizes = {
  ...SD15_UNET,
  heads: [5, 10, 20, 20],
  contextWidth: 1024,
  hasLinearProjections: true,
};

/** Champ's guidance encoder, with the 8 channels of the Gaussian map. */
export const CHAMP_GUIDANCE: GuidanceSizes = { channels: 8, widths: [16, 32, 96, 256], heads: 8, groups: 32 };

const count = z.int().positive();
const widths = z.array(count).min(1);

const unetSchema: z.ZodType<UnetSizes> = z
  .strictObject({
    latentChannels: count,
    widths: widths.min(2),
    heads: z.array(count),
    blocks: count,
    groups: count,
    contextWidth: count,
    hasLinearProjections: z.boolean(),
    motion: z
      .strictObject({
        heads: count,
        maxFrames: count,
        hasMiddle: z.boolean(),
        normalises: z.enum(['frame', 'clip']),
      })
      .nullable(),
  })
  .refine((unet) => unet.widths.length === unet.heads.length, {
    message: 'heads needs one number for each of widths',
  })
  .refine((unet) => unet.widths.every((width, i) => width % unet.heads[i]! === 0), {
    message: 'each of widths must divide by its heads',
  })
  .refine((unet) => unet.widths.every((width) => width % unet.groups === 0), {
    message: 'each of widths must divide by groups',
  });

/** Validates the model of a paper-scale configuration. */
export const paperModelSchema: z.ZodType<PaperModelConfig> = z
  .strictObject({
    family: z.literal('stable-diffusion'),
    size: count,
    uvSize: count,
    gaussianChannels: count,
    frames: count,
    autoencoder: z.strictObject({
      latentChannels: count,
      widths,
      blocks: count,
      groups: count,
      scale: z.number().positive(),
    }),
    unet: unetSchema,
    guidance: z.strictObject({ channels: count, widths: widths.min(2), heads: count, groups: count }),
    sampling: z.strictObject({
      steps: count,
      guidanceScale: z.number().nonnegative(),
      overlapFrames: z.int().nonnegative(),
    }),
    diffusion: z.strictObject({ steps: count, betaStart: z.number(), betaEnd: z.number() }),
  })
  .refine(({ unet, autoencoder }) => unet.latentChannels === autoencoder.latentChannels, {
    message: 'the U-Net and the autoencoder need the same latentChannels',
  })
  .refine(({ guidance, gaussianChannels }) => guidance.channels === gaussianChannels, {
    message: 'guidance.channels must be gaussianChannels',
  })
  .refine(({ guidance, autoencoder }) => guidance.widths.length === autoencoder.widths.length, {
    message: 'the guidance encoder must halve the size as often as the autoencoder',
  })
  .refine(({ unet, frames }) => unet.motion === null || frames <= unet.motion.maxFrames, {
    message: 'frames must not exceed unet.motion.maxFrames',
  })
  .refine(({ frames, sampling }) => sampling.overlapFrames < frames, {
    message: 'sampling.overlapFrames must be below frames',
  })
  .refine(
    ({ size, autoencoder, unet }) =>
      Number.isInteger(size / latentFactor(autoencoder) / 2 ** (unet.widths.length - 1)),
    { message: 'size must divide by the latent factor and by 2 for each further level of the U-Net' },
  );

/** How many pixels a latent's pixel is wide. */
export function latentFactor({ widths: levels }: { readonly widths: readonly number[] }): number {
  return 2 ** (levels.length - 1);
}
