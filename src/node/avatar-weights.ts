// Trained models from files: the one that the package ships, a `.avatar` file, or the folder of a run.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Avatar, decodeAvatar } from '../avatar/index.ts';
import { LATENT_STATISTICS } from '../denoiser/index.ts';
import { MissingResourceError } from '../errors/index.ts';
import { bindGaussians, FIELD_PARAMETERS, type GaussianField } from '../gaussians/index.ts';
import type { HeadModel } from '../head/index.ts';
import { decodeWeights } from '../nn/index.ts';
import { parseConfiguration, type StageName, WEIGHTS_FILE } from '../training/index.ts';
import { modelPath, readBytes } from './model-files.ts';

/** A model and the checksum of its file. */
export type LoadedAvatar = { readonly avatar: Avatar; readonly sha256: string };

/** Where the package keeps its own weights. */
export const SHIPPED_AVATAR: string = modelPath('avatar', 'compact.avatar');

/**
 * Reads a `.avatar` file; by default the one of the package.
 * @throws MissingResourceError if it is not there; BadInputError if it is none, or of another head.
 */
export async function loadAvatar(head: HeadModel, path: string = SHIPPED_AVATAR): Promise<LoadedAvatar> {
  const bytes = await readBytes(path, 'trained weights');
  const avatar = decodeAvatar(bytes, path);
  if (avatar.headName !== head.name) {
    throw new MissingResourceError({
      code: 'avatar-head',
      message: `expected weights for the head ${head.name}, but ${path} was trained on ${avatar.headName}`,
      hint: 'name the head that the weights were trained on, or other weights',
    });
  }
  return { avatar, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** What a run's folder holds after a stage, as a model that can be used and shipped. */
export async function avatarOfRun(
  head: HeadModel,
  { runPath, stage, name }: { runPath: string; stage: StageName; name: string },
): Promise<Avatar> {
  const folder = join(runPath, stage);
  const configText = await readBytes(join(folder, 'config.json'), 'the configuration of a run');
  const weightsPath = join(folder, WEIGHTS_FILE);
  const { weights, metadata } = decodeWeights(await readBytes(weightsPath, 'weights of a run'), weightsPath);
  const { model } = parseConfiguration(new TextDecoder().decode(configText), folder);
  return {
    name,
    config: model,
    weights,
    statistics: {
      mean: weights[LATENT_STATISTICS.mean]!,
      deviation: weights[LATENT_STATISTICS.deviation]!,
    },
    field: fieldOf(head, weights),
    headName: head.name,
    provenance: { stage, steps: metadata.step ?? '', trainedSeconds: metadata.seconds ?? '' },
  };
}

function fieldOf(head: HeadModel, weights: Avatar['weights']): GaussianField | null {
  const features = weights[FIELD_PARAMETERS.features];
  if (features === undefined) return null;
  const { uvSize, texels } = bindGaussians(head);
  const [opacity, scale] = [weights[FIELD_PARAMETERS.opacity]!, weights[FIELD_PARAMETERS.scale]!];
  return { uvSize, texels, features, opacity, scale };
}
