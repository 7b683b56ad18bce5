// The files of a training run on disk.

import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunFolder } from '../training/index.ts';
import { writeImage } from './image-file.ts';
import { diskError, writeFileAtomic } from './temporary-files.ts';

/** A folder for a run; it and its parents are made when the first file is written. */
export function openRunFolder(path: string): RunFolder {
  const prepared = async (file: string): Promise<string> => {
    const target = join(path, file);
    try {
      await mkdir(dirname(target), { recursive: true });
    } catch (cause) {
      throw diskError(target, cause);
    }
    return target;
  };
  return {
    async read(file) {
      try {
        return new Uint8Array(await readFile(join(path, file)));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw diskError(join(path, file), cause);
      }
    },
    write: async (file, bytes) => writeFileAtomic(await prepared(file), bytes),
    async append(file, text) {
      const target = await prepared(file);
      try {
        await appendFile(target, text);
      } catch (cause) {
        throw diskError(target, cause);
      }
    },
    writePicture: async (file, picture) => writeImage(await prepared(file), picture),
    remove: (file) => rm(join(path, file), { force: true }),
    digest: async (bytes) => createHash('sha256').update(bytes).digest('hex'),
  };
}
