// Files under work: they stand beside their target until they are whole, and none outlives the process.
// An interrupt or a fault removes those that are still open.

import { mkdirSync, rmSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BadInputError, FaultError } from '../errors/index.ts';

const openFiles = new Set<string>();
let counter = 0;

/** A file under work. */
export type TemporaryFile = {
  /** Where to write meanwhile: beside the target, so that the last step is a rename. */
  readonly path: string;
  /** Puts the file on the disk under its final name. */
  commit(): Promise<void>;
  /** Removes it; nothing happens after `commit`. */
  discard(): Promise<void>;
};

/**
 * Prepares to write `target`; missing folders are made.
 * @throws BadInputError if the folder cannot be written to, or `target` is a folder.
 */
export async function beginFile(target: string): Promise<TemporaryFile> {
  await expectWritable(target);
  const path = join(dirname(target), `.${basename(target)}.${process.pid}-${counter++}.tmp`);
  openFiles.add(path);
  return {
    path,
    async commit() {
      await syncToDisk(path);
      await rename(path, target);
      openFiles.delete(path);
    },
    async discard() {
      if (!openFiles.delete(path)) return;
      await rm(path, { force: true });
    },
  };
}

/**
 * Writes a file as a whole: under its final name there is the old content or the new, never a part.
 * @param content all of it, or piece by piece
 * @throws BadInputError if the folder cannot be written to; FaultError if the disk fails.
 */
export async function writeFileAtomic(
  target: string,
  content: Uint8Array | string | AsyncIterable<Uint8Array>,
): Promise<void> {
  const pieces = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
  const file = await beginFile(target);
  try {
    const handle = await open(file.path, 'w');
    try {
      for await (const chunk of pieces) await handle.writeFile(chunk);
    } finally {
      await handle.close();
    }
    await file.commit();
  } catch (cause) {
    await file.discard();
    throw diskError(target, cause);
  }
}

/** Removes what is under work, at once: for the last moment of a process. */
export function removeTemporaryFiles(): void {
  for (const path of openFiles) rmSync(path, { force: true });
  openFiles.clear();
}

/**
 * Checks, before long work, that a file can be written later; missing folders are made.
 * @throws BadInputError with the reason.
 */
export async function expectWritable(target: string): Promise<void> {
  const folder = dirname(resolve(target));
  const existing = await stat(target).catch(() => null);
  if (existing?.isDirectory()) {
    throw new BadInputError({
      code: 'output-is-folder',
      message: `Expected a file name to write to, but ${target} is a folder.`,
      hint: 'Name a file inside it.',
    });
  }
  const probe = join(folder, `.learn2control-${process.pid}-${counter++}.tmp`);
  try {
    mkdirSync(folder, { recursive: true });
    await (await open(probe, 'wx')).close();
    await rm(probe);
  } catch (cause) {
    throw new BadInputError({
      code: 'output-not-writable',
      message: `${target} cannot be written: ${reasonOf(cause)}.`,
      hint: 'Choose an output in a folder that you may write to.',
      cause,
    });
  }
}

/** What a failed write means to the user. */
export function diskError(target: string, cause: unknown): Error {
  if (cause instanceof BadInputError || cause instanceof FaultError) return cause;
  return new FaultError({
    code: 'write-failed',
    message: `${target} could not be written: ${reasonOf(cause)}.`,
    hint: 'Check the free space of the disk; nothing was left under the final name.',
    cause,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EEXIST: 'a part of its path is a file, not a folder',
  ENAMETOOLONG: 'the name is too long',
};

function reasonOf(cause: unknown): string {
  const { code, message } = cause as { code?: string; message?: string };
  return (code === undefined ? undefined : REASONS[code]) ?? message ?? String(cause);
}

async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
