// Models of either scale by their file: the compact `.avatar`, read whole, and weights of the paper's scale, which stay
// in their file and are mapped when a network is opened.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import {
  AVATAR_FORMAT,
  type ModelSettings,
  type OpenModel,
  openModel,
  openPaperModel,
  paperMemoryBytes,
} from '../avatar/index.ts';
import {
  configOf,
  layoutOf,
  type TensorFile,
  toFloats,
  WEIGHTS_FORMAT,
  weightPlaces,
} from '../checkpoints/index.ts';
import { AvatarError, BadInputError, MissingResourceError } from '../errors/index.ts';
import { FIELD_PARAMETERS, type GaussianField, readField } from '../gaussians/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { PaperModelConfig } from '../stable-diffusion/index.ts';
import { type Device, type Tensor, tensor } from '../tensor/index.ts';
import { loadAvatar } from './avatar-weights.ts';
import { expectInputFile } from './input-file.ts';
import { expectMemoryFor } from './memory.ts';
import { readPaperConfig } from './paper-config.ts';
import { DECODING_THREADS, threadedControls, threadedDecoding } from './threaded-frames.ts';
import { openWeightsFiles } from './weights-files.ts';

/** A model that can be opened. */
export type ModelSource = {
  readonly name: string;
  /** Of the file. */
  readonly sha256: string;
  /** Tells apart what the same file makes with other settings of its configuration. */
  readonly fingerprint: string;
  /** What people should know of it. */
  readonly notes: readonly string[];
  open(settings: ModelSettings): Promise<OpenModel>;
};

/** Which model. */
export type ModelChoice = {
  /** The file; the default is the package's own. */
  readonly weights?: string | undefined;
  /** A configuration of the paper's scale, by name or path: what the weights must fit, and how they are sampled. */
  readonly config?: string | undefined;
};

/**
 * Finds a model and reads as much of it as tells that it can be used.
 * @throws MissingResourceError if it is not there; BadInputError if it is none, or of another head or configuration.
 */
export async function findModel(head: HeadModel, { weights, config }: ModelChoice): Promise<ModelSource> {
  const wanted = config === undefined ? null : await readPaperConfig(config);
  if (wanted !== null && weights === undefined) {
    throw new MissingResourceError({
      code: 'no-weights',
      message: `No weights of the configuration ${config} come with the package.`,
      hint: 'Make them with weights import, and name them with --weights.',
    });
  }
  const found = weights === undefined ? null : await paperModel(head, weights, wanted);
  if (found !== null) return found;
  if (wanted !== null) {
    throw otherConfiguration(weights!, config!, "it holds a model of this project's own sizes");
  }
  const { avatar, sha256 } = await loadAvatar(head, weights);
  return {
    ...{ name: avatar.name, sha256, fingerprint: sha256, notes: [] },
    open: (settings) => openModel({ ...onThreads(settings.device), ...settings, avatar, sha256 }),
  };
}

/** On a processor half of the cores decode frames while the others compute what comes before. */
function onThreads(device: Device): Pick<ModelSettings, 'drawControls' | 'decodeFrames'> {
  if (device.name !== 'cpu' || DECODING_THREADS === 0) return { drawControls: threadedControls };
  return { drawControls: threadedControls, decodeFrames: threadedDecoding(DECODING_THREADS) };
}

/** A file of weights of the paper's scale; null where it may be an `.avatar`. */
async function paperModel(
  head: HeadModel,
  path: string,
  wanted: PaperModelConfig | null,
): Promise<ModelSource | null> {
  await expectInputFile(path, 'trained weights');
  await using opened = await openWeightsFiles(path).catch((error) => {
    if (error instanceof AvatarError) return null; // Whoever reads avatars says what is wrong with it.
    throw error;
  });
  const file = opened?.files[0];
  if (file === undefined) return null;
  if (file.metadata.format !== WEIGHTS_FORMAT) {
    if (file.metadata.format !== AVATAR_FORMAT) expectNoPublishedWeights(file);
    return null;
  }
  const own = configOf(file);
  if (wanted !== null && sizesOf(own) !== sizesOf(wanted)) {
    throw otherConfiguration(path, 'asked for', 'its networks have other sizes');
  }
  const config = { ...own, sampling: (wanted ?? own).sampling };
  expectHead(head, file, path);
  const location = basename(path);
  const weights = { folder: dirname(resolve(path)), location, places: weightPlaces(file, config) };
  const field = await fieldIn(file);
  const sha256 = await checksumOf(path);
  const name = basename(path, extname(path));
  return {
    ...{ name, sha256, fingerprint: `${sha256} ${JSON.stringify(config.sampling)}` },
    notes:
      field === null
        ? [`${path} holds no trained Gaussians: a fresh field steers, which means nothing to the networks.`]
        : [],
    async open(settings) {
      const { guidanceScale = config.sampling.guidanceScale, windowFrames = config.frames } = settings;
      if (settings.device.name === 'cpu') {
        expectMemoryFor(path, paperMemoryBytes({ config, weights }, { guidanceScale, windowFrames }), {
          hint: 'use fewer frames a window (model.frames of the configuration)',
        });
      }
      return openPaperModel({ ...settings, avatar: { name, config, weights, field }, sha256 });
    },
  };
}

/** The sizes alone: how a model is sampled may change after it was made. */
function sizesOf({ sampling: _, ...sizes }: PaperModelConfig): string {
  return JSON.stringify(sizes);
}

function otherConfiguration(path: string, config: string, reason: string): BadInputError {
  return new BadInputError({
    code: 'other-configuration',
    message: `expected ${path} to fit the configuration ${config}, but ${reason}`,
    hint: 'leave --config out to take the sizes that the weights have',
  });
}

function expectNoPublishedWeights(file: TensorFile): void {
  let description: string;
  try {
    ({ description } = layoutOf(file));
  } catch (error) {
    if (error instanceof AvatarError && error.code === 'unknown-layout') return;
    throw error;
  }
  throw new BadInputError({
    code: 'weights-not-imported',
    message: `expected ${file.name} to be weights of this program, got ${description}`,
    hint: 'make them usable with weights import',
  });
}

function expectHead(head: HeadModel, { metadata }: TensorFile, path: string): void {
  if (metadata.headName === undefined || metadata.headName === head.name) return;
  throw new MissingResourceError({
    code: 'avatar-head',
    message: `expected weights for the head ${head.name}, but ${path} was trained on ${metadata.headName}`,
    hint: 'name the head that the weights were trained on, or other weights',
  });
}

async function fieldIn({ tensors, metadata }: TensorFile): Promise<GaussianField | null> {
  const parameters: Record<string, Tensor> = {};
  for (const name of Object.values(FIELD_PARAMETERS)) {
    const stored = tensors.get(name);
    if (stored !== undefined) {
      parameters[name] = tensor(toFloats(await stored.read(), stored.type), stored.shape);
    }
  }
  return readField(parameters, metadata);
}

async function checksumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
  return hash.digest('hex');
}
