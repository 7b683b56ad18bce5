// The models that the package ships, by name, and files of bytes in general.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeHead, type HeadModel } from '../head/index.ts';
import { decodeWeights, type Weights } from '../nn/index.ts';
import { expectInputFile } from './input-file.ts';

const MODELS = join(import.meta.dirname, '..', '..', 'models');

/** Where a shipped model lies: `modelPath('perception', 'face-detector.onnx')`. */
export function modelPath(...names: readonly string[]): string {
  return join(MODELS, ...names);
}

/**
 * Reads a whole file.
 * @param what What it should be, with its article: `a head track`.
 * @throws MissingResourceError if it is not there; BadInputError if it is a folder or empty.
 */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  await expectInputFile(path, what);
  return new Uint8Array(await readFile(path));
}

/** Reads a shipped model. @throws MissingResourceError if the package is incomplete. */
export function readModel(...names: readonly string[]): Promise<Uint8Array> {
  return readBytes(modelPath(...names), 'a model of the package');
}

/**
 * The head of a file, or the one that the package ships.
 * @throws MissingResourceError if it is not there; BadInputError if it is no head.
 */
export async function loadHead(path?: string): Promise<HeadModel> {
  if (path === undefined) return loadEmbeddedHead();
  return decodeHead(await readBytes(path, 'a head model'), path);
}

/** The head that the package ships. @throws MissingResourceError if the package is incomplete. */
export async function loadEmbeddedHead(): Promise<HeadModel> {
  return decodeHead(await readModel('head', 'embedded.head'), 'embedded.head');
}

/** The weights of `faceTrunk`, the landmark network's first layers. @throws MissingResourceError if the package is incomplete. */
export async function loadFaceTrunk(): Promise<Weights> {
  const name = 'face-features.safetensors';
  return decodeWeights(await readModel('perception', name), name).weights;
}
