// Writes a dataset item by item, in any order, so that a run can be killed at any moment and continued: a finished
// item is a pair of files of its own in `.items` (the clips, then what says that they are all), and when all items of
// a shard are there, they become the shard. Shards follow the order of the items alone: workers and interruptions do
// not change a byte.

import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ClipEntry,
  DATASET_FILE,
  type DatasetHeader,
  type DatasetTotals,
  encodeHeader,
  encodeShardIndex,
  type ItemRecord,
  parseHeader,
  parseShardIndex,
  shardFile,
  shardIndexFile,
  TAR_END,
} from '../dataset/index.ts';
import { AvatarError, BadInputError } from '../errors/index.ts';
import {
  bodyFile,
  headFile,
  type ItemHead,
  type ItemResult,
  readPart,
  readyItems,
  writeItem,
} from './dataset-items.ts';
import { lockDataset } from './dataset-lock.ts';
import { beginFile, diskError, expectWritable, writeFileAtomic } from './temporary-files.ts';

/** What is to be written. */
export type DatasetPlan = {
  readonly path: string;
  readonly name: string;
  /** The command and options that decide the content: a run that continues must bring the same. */
  readonly request: DatasetHeader['request'];
  readonly headName: string | null;
  /** The names of all items, in their order; a run that continues may append some. */
  readonly items: readonly string[];
  /** A shard ends with the item that fills it. Default 256 MB. */
  readonly shardBytes?: number;
};

/** A dataset being written. Owns the folder's lock: dispose of it. */
export type DatasetBuilder = {
  /** Numbers of the items that are still to be made. */
  readonly missing: readonly number[];
  /**
   * Hands in what became of an item: its clips, which are written as they come, or why there are none. What fails
   * while clips come leaves nothing of the item. @throws FaultError if the disk fails, and what `clips` throws.
   */
  put(item: number, result: ItemResult): Promise<void>;
  /** Writes what is left. @throws FaultError if the disk fails. */
  finish(): Promise<DatasetTotals>;
  [Symbol.dispose](): void;
};

const SHARD_BYTES = 256e6;
const ITEM_FOLDER = '.items';

/**
 * Begins a dataset, or continues one.
 * @throws BadInputError `dataset-in-use`, `dataset-of-other-request`, `dataset-of-other-items`, `dataset-damaged`,
 *   `not-a-dataset`.
 */
export async function beginDataset(plan: DatasetPlan): Promise<DatasetBuilder> {
  const { path, name, request, headName, items, shardBytes = SHARD_BYTES } = plan;
  const itemFolder = join(path, ITEM_FOLDER);
  await expectOwnFolder(path);
  await expectWritable(join(path, DATASET_FILE));
  await mkdir(itemFolder, { recursive: true }).catch((cause) => {
    throw diskError(itemFolder, cause);
  });
  const lock = lockDataset(path);
  try {
    const known = await readKnown(path);
    if (known !== null) expectSameRequest(path, known, request);
    const sealed = await readSealed(path);
    for (const [i, record] of sealed.items.entries()) {
      if (items[i] !== record.name) throw otherItems(path, i, record.name, items[i]);
    }
    await removeLeftovers(path, itemFolder, sealed.items.length);
    // Until it ends, the dataset does not claim to be whole.
    const unfinished = encodeHeader({ name, request, headName, totals: null });
    if (known === null || sealed.items.length < items.length) {
      await writeFileAtomic(join(path, DATASET_FILE), unfinished);
    }
    const ready = await readyItems(itemFolder, items);
    const missing = items.map((_, i) => i).filter((i) => i >= sealed.items.length && !ready.has(i));
    return createBuilder({
      path,
      name,
      request,
      headName,
      items,
      shardBytes,
      itemFolder,
      sealed,
      ready,
      missing,
      lock,
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}

type Sealed = {
  shards: number;
  clips: number;
  frames: number;
  skipped: number;
  readonly items: ItemRecord[];
};

type BuilderState = Required<DatasetPlan> & {
  readonly itemFolder: string;
  readonly sealed: Sealed;
  /** Sizes of the items that are made but in no shard yet. */
  readonly ready: Map<number, number>;
  readonly missing: readonly number[];
  readonly lock: { release(): void };
};

function createBuilder(state: BuilderState): DatasetBuilder {
  const { path, name, request, headName, items, shardBytes, itemFolder, sealed, ready, lock } = state;
  /** The first item that no look for a full shard has counted yet, and what those before it take. */
  let [counted, waitingBytes] = [sealed.items.length, 0];
  let sealing: Promise<void> = Promise.resolve();

  const sealFull = async (isEnd: boolean): Promise<void> => {
    while (counted < items.length && ready.has(counted)) {
      waitingBytes += ready.get(counted++)!;
      if (waitingBytes < shardBytes) continue;
      await sealShard(path, itemFolder, sealed, counted);
      waitingBytes = 0;
    }
    if (isEnd && sealed.items.length < items.length) {
      await sealShard(path, itemFolder, sealed, counted);
    }
  };
  /** One after the other; once one failed, none begins. */
  const seal = (isEnd: boolean): Promise<void> => {
    sealing = sealing.then(() => sealFull(isEnd));
    return sealing;
  };

  return {
    missing: state.missing,
    async put(item, result) {
      ready.set(item, await writeItem(itemFolder, item, items[item]!, result));
      await seal(false);
    },
    async finish() {
      await seal(true);
      const { shards, clips, frames, skipped } = sealed;
      const totals = { shards, clips, frames, skipped };
      await writeFileAtomic(join(path, DATASET_FILE), encodeHeader({ name, request, headName, totals }));
      await rm(itemFolder, { recursive: true, force: true });
      return totals;
    },
    [Symbol.dispose]: () => lock.release(),
  };
}

/** Writes the clips of the items up to `end` as the next shard, then its index, then removes the items' files. */
async function sealShard(path: string, itemFolder: string, sealed: Sealed, end: number): Promise<void> {
  const firstItem = sealed.items.length;
  const target = join(path, shardFile(sealed.shards));
  const file = await beginFile(target);
  const records: ItemRecord[] = [];
  const clips: ClipEntry[] = [];
  let at = 0;
  try {
    const handle = await open(file.path, 'w');
    try {
      for (let item = firstItem; item < end; item++) {
        // Written, or read and checked, by this very run.
        const head = JSON.parse(await readFile(headFile(itemFolder, item), 'utf8')) as ItemHead;
        records.push(head.record);
        for (const clip of head.clips) {
          await handle.writeFile(await readPart(bodyFile(itemFolder, item), clip.at, clip.bytes));
          clips.push({ ...clip, item, at: at + clip.at });
        }
        at += head.bytes;
      }
      await handle.writeFile(TAR_END);
    } finally {
      await handle.close();
    }
    await file.commit();
  } catch (cause) {
    await file.discard();
    throw cause instanceof AvatarError ? cause : diskError(target, cause);
  }
  const index = encodeShardIndex({ bytes: at + TAR_END.length, firstItem, items: records, clips });
  await writeFileAtomic(join(path, shardIndexFile(sealed.shards)), index);
  sealed.shards++;
  sealed.clips += clips.length;
  sealed.frames += clips.reduce((sum, { frames }) => sum + frames, 0);
  sealed.skipped += records.filter(({ skipped }) => skipped !== undefined).length;
  sealed.items.push(...records);
  for (let item = firstItem; item < end; item++) {
    await rm(headFile(itemFolder, item), { force: true });
    await rm(bodyFile(itemFolder, item), { force: true });
  }
}

async function readKnown(path: string): Promise<DatasetHeader | null> {
  const bytes = await readFile(join(path, DATASET_FILE)).catch(() => null);
  return bytes === null ? null : parseHeader(bytes, join(path, DATASET_FILE));
}

async function readSealed(path: string): Promise<Sealed> {
  const sealed: Sealed = { shards: 0, clips: 0, frames: 0, skipped: 0, items: [] };
  for (; ; sealed.shards++) {
    const file = join(path, shardIndexFile(sealed.shards));
    const bytes = await readFile(file).catch(() => null);
    if (bytes === null) return sealed;
    const index = parseShardIndex(bytes, file);
    await expectWholeShard(join(path, shardFile(sealed.shards)), file, index.bytes);
    sealed.clips += index.clips.length;
    sealed.frames += index.clips.reduce((sum, { frames }) => sum + frames, 0);
    sealed.skipped += index.items.filter(({ skipped }) => skipped !== undefined).length;
    sealed.items.push(...index.items);
  }
}

/** By its length alone: what else is wrong with it, `verifyDataset` finds. @throws BadInputError `dataset-damaged` */
async function expectWholeShard(shard: string, index: string, bytes: number): Promise<void> {
  const length = await stat(shard).then(
    ({ size }) => size,
    () => null,
  );
  if (length === bytes) return;
  throw new BadInputError({
    code: 'dataset-damaged',
    message: `Expected ${shard} to have ${bytes} bytes, as its index says, but it ${length === null ? 'is not there' : `has ${length}`}.`,
    hint: `Restore it, or remove ${index}: then the same command writes that shard and those after it again.`,
  });
}

/** What a killed run leaves: temporary files, and items that are in a shard already. */
async function removeLeftovers(path: string, itemFolder: string, sealedItems: number): Promise<void> {
  for (const folder of [path, itemFolder]) {
    for (const file of await readdir(folder)) {
      const isDone = folder === itemFolder && Number.parseInt(file, 10) < sealedItems;
      if (isDone || /^\..*\.tmp$/.test(file)) await rm(join(folder, file), { force: true });
    }
  }
}

/** A folder with other things in it is somebody else's. @throws BadInputError `not-a-dataset` */
async function expectOwnFolder(path: string): Promise<void> {
  const files = await readdir(path).catch((cause: NodeJS.ErrnoException): string[] => {
    // What is no folder at all is told by the look whether it can be written to.
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return [];
    throw diskError(path, cause);
  });
  if (files.length === 0 || files.includes(DATASET_FILE) || files.includes(ITEM_FOLDER)) return;
  throw new BadInputError({
    code: 'not-a-dataset',
    message: `Expected ${path} to be empty or a dataset, but it holds ${files[0]} and no ${DATASET_FILE}.`,
    hint: 'Name a folder of its own for the dataset.',
  });
}

function expectSameRequest(path: string, known: DatasetHeader, request: DatasetHeader['request']): void {
  const names = new Set([...Object.keys(known.request), ...Object.keys(request)]);
  for (const name of names) {
    const [was, is] = [known.request[name] ?? null, request[name] ?? null];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    throw new BadInputError({
      code: 'dataset-of-other-request',
      message: `Expected ${path} to be of ${name} ${shown(is)}, but it was begun with ${shown(was)}.`,
      hint: 'Give the options that the folder was begun with, or another folder.',
    });
  }
}

function shown(value: unknown): string {
  return value === null ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
}

function otherItems(path: string, item: number, was: string, is: string | undefined): BadInputError {
  return new BadInputError({
    code: 'dataset-of-other-items',
    message: `Expected item ${item} of the source to be ${was}, as when ${path} was begun, but it is ${is ?? 'missing'}.`,
    hint: 'Bring the source back to what it was, or write to another folder; new items may only follow the old ones.',
  });
}
