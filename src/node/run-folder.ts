// The files of a training run on disk.

import { appendFile, mkdir, readFile } from 'node:fs/promises';
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
    append: async (file, text) => appendFile(await prepared(file), text),
    writePicture: async (file, picture) => writeImage(await prepared(file), picture),
  };
}
