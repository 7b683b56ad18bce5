// Trained models from files: the one that the package ships, or any `.avatar` file.

import { createHash } from 'node:crypto';
import { type Avatar, decodeAvatar } from '../avatar/index.ts';
import { MissingResourceError } from '../errors/index.ts';
import type { HeadModel } from '../head/index.ts';
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
