// The items of a dataset that are finished but in no shard yet: each a pair of files of its own, the clips, then what says
// that they are all.

import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ClipEntry, crc32, type EncodedClip, type ItemRecord } from '../dataset/index.ts';
import { diskError } from './temporary-files.ts';

/** What became of an item. */
export type ItemResult =
  | { readonly clips: Iterable<EncodedClip> | AsyncIterable<EncodedClip> }
  | { readonly skipped: string };

/** What says that an item is complete; the clips are in the tar beside it, `at` counted from its beginning. */
export type ItemHead = {
  readonly record: ItemRecord;
  readonly clips: readonly ClipEntry[];
  readonly bytes: number;
};

/** The file that says what an item has. */
export function headFile(folder: string, item: number): string {
  return join(folder, `${String(item).padStart(8, '0')}.json`);
}

/** The file with its clips. */
export function bodyFile(folder: string, item: number): string {
  return join(folder, `${String(item).padStart(8, '0')}.tar`);
}

/**
 * Writes the clips of an item as they come, then its head. Returns what it takes in a shard. Without waiting for the
 * disk, which would cost more than many an item: what a failing power leaves is found by its checksums and made anew.
 */
export async function writeItem(
  folder: string,
  item: number,
  name: string,
  result: ItemResult,
): Promise<number> {
  const record: ItemRecord = { name, ...('skipped' in result ? { skipped: result.skipped } : {}) };
  const clips: ClipEntry[] = [];
  const body = bodyFile(folder, item);
  let at = 0;
  if ('clips' in result) {
    await writeAside(body, async (handle) => {
      for await (const { entry, bytes } of result.clips) {
        await handle.writeFile(bytes).catch((cause) => {
          throw diskError(body, cause);
        });
        clips.push({ ...entry, at });
        at += bytes.length;
      }
    });
  }
  const head: ItemHead = { record, clips, bytes: at };
  await writeAside(headFile(folder, item), async (handle) => {
    await handle.writeFile(JSON.stringify(head));
  }).catch((cause) => {
    throw diskError(body, cause);
  });
  return at;
}

/** Writes a file beside its name and renames it; a killed run leaves what `removeLeftovers` knows. */
async function writeAside(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.tmp`);
  try {
    const handle = await open(aside, 'w').catch((cause) => {
      throw diskError(path, cause);
    });
    try {
      await write(handle);
    } finally {
      await handle.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** What a finished item takes in a shard, once all of it is read and checked; null where it is not whole. */
async function checkItem(folder: string, item: number, name: string): Promise<number | null> {
  try {
    const head = JSON.parse(await readFile(headFile(folder, item), 'utf8')) as ItemHead;
    if (head.record.name !== name) return null;
    for (const clip of head.clips) {
      const bytes = await readPart(bodyFile(folder, item), clip.at, clip.bytes);
      if (crc32(bytes) !== clip.crc32) return null;
    }
    return head.bytes;
  } catch {
    // Not there, or cut short: it is made anew.
    return null;
  }
}

/** Some bytes of a file. @throws Error where it ends before. */
export async function readPart(path: string, at: number, length: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, at + filled);
      if (bytesRead === 0) throw new Error(`${path} is cut short`);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

/** The items of earlier runs that are in no shard yet, by number, with their sizes; what is not whole is removed. */
export async function readyItems(folder: string, items: readonly string[]): Promise<Map<number, number>> {
  const ready = new Map<number, number>();
  const found = new Set((await readdir(folder)).map((file) => Number.parseInt(file, 10)));
  for (const item of found) {
    const name = items[item];
    const bytes = name === undefined ? null : await checkItem(folder, item, name);
    if (bytes !== null) {
      ready.set(item, bytes);
      continue;
    }
    await rm(headFile(folder, item), { force: true });
    await rm(bodyFile(folder, item), { force: true });
  }
  return ready;
}
