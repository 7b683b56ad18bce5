// A model of the paper's scale as `openModel` opens a compact one: the same road from portrait to frames, with Stable
// Diffusion's networks and the sampling that the configuration names.

import { createSchedule, trailingTimesteps } from '../diffusion/index.ts';
import { bindGaussians, type GaussianField, initialiseField } from '../gaussians/index.ts';
import { createHeadPoser, type HeadModel, neutralParameters } from '../head/index.ts';
import type { PaperModelConfig } from '../stable-diffusion/index.ts';
import { assembleModel, type ModelSettings, type OpenModel } from './model-renderer.ts';
import { openPaperNetworks, type WeightsInFile } from './paper-networks.ts';

/** A model of the paper's scale, its weights in their file. */
export type PaperAvatar = {
  readonly name: string;
  readonly config: PaperModelConfig;
  readonly weights: WeightsInFile;
  /** Null where none was trained: a fresh one steers. */
  readonly field: GaussianField | null;
};

/** What a model of the paper's scale is opened with; the defaults are those of its configuration. */
export type PaperModelOptions = ModelSettings & {
  readonly avatar: PaperAvatar;
  /** Checksum of the file of weights. */
  readonly sha256: string;
};

/** Opens a model. */
export async function openPaperModel(options: PaperModelOptions): Promise<OpenModel> {
  const { avatar, sha256, head, device, precision, seed = 0 } = options;
  const { config, name } = avatar;
  const { sampling, diffusion } = config;
  const { steps = sampling.steps, guidanceScale = sampling.guidanceScale } = options;
  const { windowFrames = config.frames } = options;
  const timesteps = trailingTimesteps(createSchedule(diffusion), steps);
  return assembleModel({
    ...{ head, seed, steps },
    networks: await openPaperNetworks(avatar, { device, windowFrames, guidanceScale, timesteps, precision }),
    weights: { name, sha256 },
    steeredBy: { field: avatar.field ?? freshField(head, config, seed), kinds: new Set(['gaussian']) },
    sizePx: config.size,
    schedule: diffusion,
    overlapFrames: config.unet.motion === null ? 0 : Math.min(sampling.overlapFrames, windowFrames - 1),
  });
}

function freshField(
  head: HeadModel,
  { uvSize, gaussianChannels }: PaperModelConfig,
  seed: number,
): GaussianField {
  const rest = createHeadPoser(head).pose(neutralParameters(head));
  return initialiseField(bindGaussians(head, { uvSize }), rest, seed, { channels: gaussianChannels });
}
