// A dataset's folder on disk, for reading: shards stay open while they are in use, a few at a time.

import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetFolder } from '../dataset/index.ts';
import { FaultError } from '../errors/index.ts';

/** A folder on disk. Owns open files: hold it with `await using`. */
export type DiskDatasetFolder = DatasetFolder & { [Symbol.asyncDispose](): Promise<void> };

/** More shards than this are not kept open. */
const MAX_OPEN_FILES = 32;

/** Opens a folder for reading; nothing is read yet. */
export function datasetFolder(path: string): DiskDatasetFolder {
  const handles = new Map<string, Promise<FileHandle | null>>();
  const handleOf = async (file: string): Promise<FileHandle | null> => {
    let handle = handles.get(file);
    handles.delete(file);
    handle ??= open(join(path, file), 'r').catch((cause) => absent(join(path, file), cause));
    // The last in the map is the one last used.
    handles.set(file, handle);
    for (const [oldest, stale] of handles) {
      if (handles.size <= MAX_OPEN_FILES) break;
      handles.delete(oldest);
      await (await stale)?.close();
    }
    return handle;
  };
  return {
    name: path,
    read: (file) => readFile(join(path, file)).then(plainBytes, (cause) => absent(join(path, file), cause)),
    async readRange(file, from, length) {
      const handle = await handleOf(file);
      if (handle === null) return null;
      const bytes = new Uint8Array(length);
      let filled = 0;
      try {
        while (filled < length) {
          const { bytesRead } = await handle.read(bytes, filled, length - filled, from + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
      } catch (cause) {
        throw unreadable(join(path, file), cause);
      }
      return bytes.subarray(0, filled);
    },
    async [Symbol.asyncDispose]() {
      const open = [...handles.values()];
      handles.clear();
      for (const handle of open) await (await handle)?.close();
    },
  };
}

function plainBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Null where there is no such file. */
function absent(path: string, cause: unknown): null {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return null;
  throw unreadable(path, cause);
}

function unreadable(path: string, cause: unknown): FaultError {
  return new FaultError({
    code: 'read-failed',
    message: `${path} could not be read: ${(cause as Error).message}.`,
    hint: 'Check the disk and the permissions of the folder.',
    cause,
  });
}
