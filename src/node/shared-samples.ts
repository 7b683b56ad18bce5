// The files of a folder of samples in memory that threads share: each thread reads samples from the same bytes.

import type { FolderReader } from '../training/index.ts';
import { openRunFolder } from './run-folder.ts';

/** The files that were read so far, by name, in shared memory. */
export type SharedFiles = ReadonlyMap<string, Uint8Array>;

/** Reads a folder into shared memory; `files` fills as files are read. */
export function shareFolder(path: string): { readonly read: FolderReader; readonly files: SharedFiles } {
  const folder = openRunFolder(path);
  const files = new Map<string, Uint8Array>();
  return {
    files,
    async read(file) {
      const known = files.get(file);
      if (known !== undefined) return known;
      const bytes = await folder.read(file);
      if (bytes === null) return null;
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      files.set(file, shared);
      return shared;
    },
  };
}
