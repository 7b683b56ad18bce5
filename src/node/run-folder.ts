// The files of a training run on disk.

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { RunFolder } from '../training/index.ts';
import { writeImage } from './image-file.ts';
import { diskError, writeFileAtomic } from './temporary-files.ts';
import { fileSource } from './weights-files.ts';

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
    open: async (file) => (existsSync(join(path, file)) ? fileSource(join(path, file)) : null),
    write: async (file, content) => writeFileAtomic(await prepared(file), content),
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
    async digest(file) {
      if (!existsSync(join(path, file))) return null;
      const hash = createHash('sha256');
      await pipeline(createReadStream(join(path, file), { highWaterMark: 2 ** 20 }), hash);
      return hash.digest('hex');
    },
  };
}
