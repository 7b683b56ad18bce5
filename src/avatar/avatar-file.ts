// The `.avatar` file: everything that a trained model needs besides the head, in one safetensors file with
// fp16 tensors. The header names the format, the sizes of the networks and what the weights saw.

import type { LatentStatistics, ModelConfig } from '../denoiser/index.ts';
import { LATENT_STATISTICS, modelSchema } from '../denoiser/index.ts';
import { BadInputError } from '../errors/index.ts';
import type { GaussianField } from '../gaussians/index.ts';
import { fieldMetadata, readField } from '../gaussians/index.ts';
import type { Weights } from '../nn/index.ts';
import { decodeWeights, encodeWeights } from '../nn/index.ts';
import { decodeSafetensors } from '../tensor/index.ts';

/** A trained model. */
export type Avatar = {
  /** What people call the weights, e.g. `compact`. */
  readonly name: string;
  readonly config: ModelConfig;
  /** Parameters of all networks by name. */
  readonly weights: Weights;
  readonly statistics: LatentStatistics;
  /** Null where the configuration has no `gaussian` control. */
  readonly field: GaussianField | null;
  /** The head that the field and the training data belong to. */
  readonly headName: string;
  /** Data, steps, hours, licence: for people. */
  readonly provenance: Readonly<Record<string, string>>;
};

/** `metadata.format` of the file. */
export const AVATAR_FORMAT = 'learn2control.avatar';
const VERSION = '1';

/** Serialises a model; tensors in fp16. */
export function encodeAvatar(avatar: Avatar): Uint8Array<ArrayBuffer> {
  const { name, config, weights, field, headName, provenance } = avatar;
  const metadata = {
    format: AVATAR_FORMAT,
    version: VERSION,
    name,
    headName,
    config: JSON.stringify(config),
    provenance: JSON.stringify(provenance),
    ...(field === null ? {} : fieldMetadata(field)),
  };
  return encodeWeights(weights, { dtype: 'float16', metadata });
}

/**
 * Reads a model.
 * @param name what the file is called in error messages
 * @throws BadInputError if the file is damaged, foreign or of a newer version.
 */
export function decodeAvatar(bytes: Uint8Array, name = 'avatar file'): Avatar {
  const { metadata } = decodeSafetensors(bytes, name);
  if (metadata.format !== AVATAR_FORMAT) {
    throw new BadInputError({
      code: 'foreign-weights',
      message: `expected ${name} to hold an avatar of this project, got ${metadata.format ?? 'other tensors'}`,
      hint: 'name a .avatar file, or leave the option out to use the weights of the package',
    });
  }
  if (metadata.version !== VERSION) {
    throw new BadInputError({
      code: 'avatar-version',
      message: `expected ${name} to be of version ${VERSION}, got ${metadata.version}`,
      hint: 'use the version of the program that wrote the file',
    });
  }
  const { weights } = decodeWeights(bytes, name);
  const mean = weights[LATENT_STATISTICS.mean];
  const deviation = weights[LATENT_STATISTICS.deviation];
  if (mean === undefined || deviation === undefined) {
    throw new BadInputError({
      code: 'bad-avatar',
      message: `expected ${name} to hold the statistics of its latents, but they are missing`,
      hint: 'the file is damaged: fetch or train it again',
    });
  }
  return {
    name: metadata.name ?? name,
    config: readConfig(metadata.config, name),
    weights,
    statistics: { mean, deviation },
    field: readField(weights, metadata),
    headName: metadata.headName ?? '',
    provenance: JSON.parse(metadata.provenance ?? '{}'),
  };
}

function readConfig(text: string | undefined, name: string): ModelConfig {
  try {
    return modelSchema.parse(JSON.parse(text ?? 'null'));
  } catch (cause) {
    throw new BadInputError({
      code: 'avatar-config',
      message: `Expected ${name} to say how its networks are built, but this version cannot read it.`,
      hint: 'Use the version of the program that wrote the file, or other weights.',
      cause,
    });
  }
}
