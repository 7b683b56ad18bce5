// The sizes of every network, as one JSON object holds them: `configs/compact.json` is what ships,
// `configs/tiny.json` what tests train. The types document, the schemas validate; the compiler holds
// them together.

import { z } from 'zod';
import { modelContradictions } from './config-contradictions.ts';

/** The autoencoder between pictures and latents. */
export type AutoencoderConfig = {
  /** Channels of a latent. */
  readonly latentChannels: number;
  readonly encoder: {
    /** Side of the pixel block that the first layer sees as channels. */
    readonly fold: number;
    /** Channels of each level, finest first; each level halves the size. */
    readonly widths: readonly number[];
    /** Resnet blocks a level. */
    readonly blocks: number;
    /** Groups of the norms. */
    readonly groups: number;
  };
  readonly decoder: {
    /** Side of the pixel block that the last layer makes of channels. */
    readonly fold: number;
    /** Channels of each level, finest first. */
    readonly widths: readonly number[];
    /** Channels of the lifted picture's features beside each level, finest first. */
    readonly sideWidths: readonly number[];
    /** Resnet blocks a level. */
    readonly blocks: number;
  };
};

/**
 * What may steer the denoiser, each a picture in the target's pose. `gaussian`: the splatted features (the paper's);
 * `landmarks+normals+depth`: the posed head as plain maps (its baseline); `painted`: the splatted features, and the
 * reference's colours on the same Gaussians; `lifted`: the latent of the lifted picture, and its visibility.
 */
export const CONTROL_KINDS = ['gaussian', 'landmarks+normals+depth', 'painted', 'lifted'] as const;
export type ControlKind = (typeof CONTROL_KINDS)[number];

/** One control and the network that brings it in. */
export type ControlConfig = {
  readonly kind: ControlKind;
  /** Side of the block that the first layer sees as channels. */
  readonly fold: number;
  /** Channels at each size; each but the first halves it. */
  readonly widths: readonly number[];
  /** Heads of the self-attention at the end; 0 leaves it out. */
  readonly heads: number;
};

/** The U-Net with its reference network and controls. */
export type UnetConfig = {
  /** Channels of each level, finest first. */
  readonly widths: readonly number[];
  /** Attention heads of the transformers at each level; 0 leaves them out. */
  readonly heads: readonly number[];
  /** Resnet blocks a level on the way down; one more on the way up. */
  readonly blocks: number;
  /** Groups of the norms. */
  readonly groups: number;
  /** Features of the label vectors. */
  readonly labelWidth: number;
  /** Inner features of the feed-forwards, in widths. */
  readonly feedForwardMultiplier: number;
  /** True: the reference passes through the denoiser itself at t = 0; false: through a twin (the paper). */
  readonly sharesReference: boolean;
  /** The temporal layers after each transformer. */
  readonly temporal: { readonly heads: number; readonly maxFrames: number };
  /** What steers the denoiser; their features are added. */
  readonly controls: readonly ControlConfig[];
  /** Variance of visible lifted latents about the truth (see lift-prior.ts); null: no prior (the paper). */
  readonly liftPriorVariance: number | null;
};

/** Every size of the model. */
export type ModelConfig = {
  /** Side of the pictures, pixels. */
  readonly size: number;
  /** Features of the Gaussian field. */
  readonly gaussianChannels: number;
  /** Texels a side of the Gaussian field; default 128. */
  readonly uvSize?: number | undefined;
  readonly autoencoder: AutoencoderConfig;
  readonly unet: UnetConfig;
  /** See `createSchedule`. */
  readonly diffusion: { readonly steps: number; readonly betaStart: number; readonly betaEnd: number };
};

const count = z.int().positive();
const countOrNone = z.int().nonnegative();
const widths = z.array(count).min(1);

const autoencoderSchema: z.ZodType<AutoencoderConfig> = z
  .strictObject({
    latentChannels: count,
    encoder: z.strictObject({ fold: count, widths, blocks: count, groups: count }),
    decoder: z.strictObject({ fold: count, widths, sideWidths: widths, blocks: count }),
  })
  .refine(({ encoder, decoder }) => factorOf(encoder) === factorOf(decoder), {
    message: 'encoder and decoder must change the size by the same factor, fold x 2^(levels - 1)',
  })
  .refine(({ decoder }) => decoder.widths.length === decoder.sideWidths.length, {
    message: 'decoder.sideWidths needs one width for each of decoder.widths',
  });

const unetSchema: z.ZodType<UnetConfig> = z
  .strictObject({
    widths,
    heads: z.array(countOrNone),
    blocks: count,
    groups: count,
    labelWidth: count,
    feedForwardMultiplier: count,
    sharesReference: z.boolean(),
    temporal: z.strictObject({ heads: count, maxFrames: count }),
    controls: z
      .array(z.strictObject({ kind: z.enum(CONTROL_KINDS), fold: count, widths, heads: countOrNone }))
      .min(1),
    liftPriorVariance: z.number().positive().max(1).nullable(),
  })
  .refine((unet) => unet.widths.length === unet.heads.length, {
    message: 'heads needs one number for each of widths',
  })
  .refine(({ controls }) => new Set(controls.map(({ kind }) => kind)).size === controls.length, {
    message: 'controls names one kind twice',
  })
  .refine(
    ({ controls }) => !['gaussian', 'painted'].every((one) => controls.some(({ kind }) => kind === one)),
    {
      message: 'the control "painted" holds the features of "gaussian": leave one of them out',
    },
  )
  .refine((unet) => unet.liftPriorVariance === null || unet.controls.some(({ kind }) => kind === 'lifted'), {
    message: 'liftPriorVariance needs the control "lifted"',
  });

/** Validates the sizes of a model. */
export const modelSchema: z.ZodType<ModelConfig> = z
  .strictObject({
    size: count,
    gaussianChannels: count,
    uvSize: count.exactOptional(),
    autoencoder: autoencoderSchema,
    unet: unetSchema,
    diffusion: z.strictObject({ steps: count, betaStart: z.number(), betaEnd: z.number() }),
  })
  .refine(
    ({ autoencoder, size, unet }) =>
      Number.isInteger(size / latentFactor(autoencoder) / 2 ** (unet.widths.length - 1)),
    {
      message: 'size must divide by the latent factor and by 2 for each further level of the U-Net',
    },
  )
  .superRefine((model, context) => {
    for (const { path, message } of modelContradictions(model, latentFactor(model.autoencoder)))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

/** Whether one of some controls steers a model. */
export function isSteeredBy({ unet }: Pick<ModelConfig, 'unet'>, ...kinds: readonly ControlKind[]): boolean {
  return unet.controls.some(({ kind }) => kinds.includes(kind));
}

/** How many pixels a latent's pixel is wide. */
export function latentFactor({ encoder }: AutoencoderConfig): number {
  return factorOf(encoder);
}

function factorOf({ fold, widths }: { fold: number; widths: readonly number[] }): number {
  return fold * 2 ** (widths.length - 1);
}
