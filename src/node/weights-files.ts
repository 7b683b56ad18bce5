// Files of weights on the disk: read in pieces, written in pieces, found in the folders that diffusers makes.

import { open, readFile, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ByteSource, openWeights, type TensorFile } from '../checkpoints/index.ts';
import { BadInputError, MissingResourceError } from '../errors/index.ts';
import { expectInputFile } from './input-file.ts';

/** Where diffusers puts a model's weights in its folder, the usual one first. */
const MODEL_FILES = ['', '.fp16'].flatMap((variant) => [
  `diffusion_pytorch_model${variant}.safetensors`,
  `diffusion_pytorch_model.safetensors.index${variant}.json`,
  `diffusion_pytorch_model${variant}.bin`,
  `diffusion_pytorch_model.bin.index${variant}.json`,
]);

/** Opened files of weights; disposing of them closes the files. */
export type OpenedWeights = AsyncDisposable & { readonly files: readonly TensorFile[] };

/**
 * Opens a file of weights, or those of a diffusers folder: its own, or of `unet` and `vae` in it.
 * @throws MissingResourceError if there is nothing; BadInputError if it is damaged or of another kind.
 */
export async function openWeightsFiles(path: string): Promise<OpenedWeights> {
  const paths = await weightsPaths(path);
  const closers: (() => PromiseLike<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers) await closer();
  };
  const openSource = async (file: string): Promise<ByteSource> => {
    await expectInputFile(file, 'a file of weights');
    const source = await fileSource(file);
    closers.push(() => source[Symbol.asyncDispose]());
    return source;
  };
  try {
    const files: TensorFile[] = [];
    for (const file of paths) {
      const openBeside = async (name: string): Promise<ByteSource | null> => {
        const beside = join(dirname(file), name);
        return (await exists(beside)) ? openSource(beside) : null;
      };
      const opened = await openWeights(await openSource(file), openBeside);
      const scalingFactor = await scalingFactorBeside(file);
      files.push(scalingFactor === undefined ? opened : { ...opened, scalingFactor });
    }
    return { files, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What diffusers writes beside an autoencoder; files of other programs, or none, say nothing. */
async function scalingFactorBeside(file: string): Promise<number | undefined> {
  try {
    const config: unknown = JSON.parse(await readFile(join(dirname(file), 'config.json'), 'utf8'));
    const factor = (config as { scaling_factor?: unknown } | null)?.scaling_factor;
    return typeof factor === 'number' ? factor : undefined;
  } catch {
    return undefined;
  }
}

/** Checks, before long work, that the disk has room. @throws BadInputError with what is needed and what is there. */
export async function expectRoomFor(
  target: string,
  bytes: number,
  hint = 'choose another disk, or a smaller --precision',
): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  if (bavail * bsize >= bytes) return;
  const gigabytes = (n: number): string => `${(n / 1e9).toFixed(1)} GB`;
  throw new BadInputError({
    code: 'disk-full',
    message: `${target} needs ${gigabytes(bytes)}, but its disk has ${gigabytes(bavail * bsize)} free`,
    hint,
  });
}

async function weightsPaths(path: string): Promise<string[]> {
  if (!(await isFolder(path))) return [path];
  const inFolder = async (folder: string): Promise<string[]> => {
    for (const name of MODEL_FILES) {
      if (await exists(join(folder, name))) return [join(folder, name)];
    }
    return [];
  };
  const own = await inFolder(path);
  if (own.length > 0) return own;
  const paths: string[] = [];
  for (const part of ['unet', 'vae'].map((name) => join(path, name))) {
    const inPart = await inFolder(part);
    // A part that is there without weights would begin fresh, and nobody would see it.
    if (inPart.length === 0 && (await isFolder(part))) throw noWeights(part);
    paths.push(...inPart);
  }
  if (paths.length === 0) throw noWeights(path);
  return paths;
}

function noWeights(folder: string): MissingResourceError {
  return new MissingResourceError({
    code: 'no-weights',
    message: `expected weights in ${folder}, as diffusers saves them, but there are none`,
    hint: 'name the folder that has unet and vae in it, or a single file',
  });
}

/** A file that is there, open until it is disposed of. */
export async function fileSource(path: string): Promise<ByteSource & AsyncDisposable> {
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  return {
    name: basename(path),
    size,
    async read(start, length) {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(bytes, filled, length - filled, start + filled);
        if (bytesRead === 0) throw shrunk(path);
        filled += bytesRead;
      }
      return bytes;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

function shrunk(path: string): BadInputError {
  return new BadInputError({
    code: 'bad-weights-file',
    message: `${path} ended early: it became shorter while it was read`,
    hint: 'wait until nothing else writes to it',
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
