// Reads every byte of a dataset and compares it with what the indices, the headers of the tar and the checksums
// promise. Holds one clip at a time.

import { AvatarError } from '../errors/index.ts';
import { type ClipEntry, type ClipMember, entryOf, parseClipInfo } from './clip-file.ts';
import { crc32 } from './crc32.ts';
import { type DatasetFolder, readHeader } from './dataset.ts';
import {
  DATASET_FILE,
  parseShardIndex,
  type ShardIndex,
  shardFile,
  shardIndexFile,
} from './dataset-index.ts';
import { isEmptyRecord, paddedLength, parseTarHeader, TAR_END, TAR_RECORD } from './tar.ts';

/** A fault of a dataset, in one line. */
export type DatasetFault = {
  readonly file: string;
  /** The clip, where one is concerned. */
  readonly key: string | null;
  readonly problem: string;
};

/** What `verifyDataset` found. */
export type Verification = {
  readonly shards: number;
  readonly clips: number;
  readonly frames: number;
  readonly bytes: number;
  /** Whether the dataset was written to its end. */
  readonly isComplete: boolean;
  readonly faults: readonly DatasetFault[];
};

/** Checks a dataset. @param onShard called after each shard @throws MissingResourceError, BadInputError of `dataset.json`. */
export async function verifyDataset(
  folder: DatasetFolder,
  onShard: (done: number, total: number | null) => void = () => {},
): Promise<Verification> {
  const { totals } = await readHeader(folder);
  const faults: DatasetFault[] = [];
  const counts = { clips: 0, frames: 0, bytes: 0, items: 0, skipped: 0 };
  const keys = new Set<string>();
  let shard = 0;
  for (; totals === null || shard < totals.shards; shard++) {
    const file = shardIndexFile(shard);
    const bytes = await folder.read(file);
    if (bytes === null && totals === null) break;
    if (bytes === null) {
      faults.push({ file, key: null, problem: 'it is not there' });
      continue;
    }
    try {
      const index = parseShardIndex(bytes, file);
      if (index.firstItem !== counts.items) {
        faults.push({
          file,
          key: null,
          problem: `its items begin at ${index.firstItem}, not at ${counts.items}`,
        });
      }
      await verifyShard(folder, shard, index, faults);
      for (const { key } of index.clips) {
        if (keys.has(key)) faults.push({ file, key, problem: 'another clip has the same key' });
        keys.add(key);
      }
      counts.items += index.items.length;
      counts.skipped += index.items.filter(({ skipped }) => skipped !== undefined).length;
      counts.clips += index.clips.length;
      counts.frames += index.clips.reduce((sum, { frames }) => sum + frames, 0);
      counts.bytes += index.bytes;
    } catch (error) {
      if (!(error instanceof AvatarError)) throw error;
      faults.push({ file, key: null, problem: error.message });
    }
    onShard(shard + 1, totals?.shards ?? null);
  }
  const { clips, frames, bytes } = counts;
  if (totals !== null && faults.length === 0) {
    for (const name of ['clips', 'frames', 'skipped'] as const) {
      if (totals[name] === counts[name]) continue;
      const problem = `it counts ${totals[name]} ${name}, the shards have ${counts[name]}`;
      faults.push({ file: DATASET_FILE, key: null, problem });
    }
  }
  return { shards: shard, clips, frames, bytes, isComplete: totals !== null, faults };
}

async function verifyShard(
  folder: DatasetFolder,
  shard: number,
  index: ShardIndex,
  faults: DatasetFault[],
): Promise<void> {
  const file = shardFile(shard);
  const report = (key: string | null, problem: string): void => void faults.push({ file, key, problem });
  let at = 0;
  for (const entry of index.clips) {
    if (entry.at !== at) report(entry.key, `the index puts it at byte ${entry.at}, expected ${at}`);
    const item = index.items[entry.item - index.firstItem];
    if (item === undefined || item.skipped !== undefined) report(entry.key, 'the index has no item for it');
    at = entry.at + entry.bytes;
    const bytes = await folder.readRange(file, entry.at, entry.bytes);
    if (bytes === null) {
      report(null, 'it is not there');
      return;
    }
    if (bytes.length < entry.bytes) {
      report(entry.key, `it is cut short at byte ${entry.at + bytes.length} of ${index.bytes}`);
      return;
    }
    const problem = clipProblem(entry, bytes, file);
    if (problem !== null) report(entry.key, problem);
  }
  if (at + TAR_END.length !== index.bytes)
    report(null, `the index gives it ${index.bytes} bytes, its clips end at ${at}`);
  // One more byte than there should be: whatever follows is found too.
  const end = await folder.readRange(file, at, TAR_END.length + 1);
  if (end === null) report(null, 'it is not there');
  else if (end.length < TAR_END.length) report(null, 'it is cut short at its end');
  else if (end.length > TAR_END.length) report(null, `it goes on after its end at byte ${index.bytes}`);
  else if (!isEmptyRecord(end)) report(null, 'the two records that end it are not empty');
}

/** What is wrong with a clip; null if nothing is. */
function clipProblem(entry: ClipEntry, bytes: Uint8Array, file: string): string | null {
  let at = 0;
  const next = (suffix: string): Uint8Array | string => {
    const header = parseTarHeader(bytes.subarray(at, at + TAR_RECORD));
    if (header === null) return `the header before ${suffix} is damaged`;
    if (header.name !== `${entry.key}.${suffix}`)
      return `it holds ${header.name} where ${suffix} is expected`;
    const start = at + TAR_RECORD;
    at = start + paddedLength(header.bytes);
    if (at > bytes.length) return `${suffix} reaches beyond the clip`;
    if (!isEmptyRecord(bytes.subarray(start + header.bytes, at)))
      return `the padding after ${suffix} is not empty`;
    return bytes.subarray(start, start + header.bytes);
  };
  const json = next('json');
  if (typeof json === 'string') return json;
  if (crc32(json) !== entry.infoCrc32) return 'the checksum of its description does not hold';
  let info: ReturnType<typeof parseClipInfo>;
  try {
    info = parseClipInfo(json, file);
  } catch (error) {
    return (error as Error).message;
  }
  for (const [suffix, length, sum] of info.members as readonly ClipMember[]) {
    const content = next(suffix);
    if (typeof content === 'string') return content;
    if (content.length !== length) return `${suffix} has ${content.length} bytes, not ${length}`;
    if (crc32(content) !== sum) return `the checksum of ${suffix} does not hold`;
  }
  if (at !== bytes.length) return `its members end at byte ${at} of ${bytes.length}`;
  const expected = { ...entryOf(entry.key, info, bytes, json), item: entry.item, at: entry.at };
  const fields = Object.keys(expected) as (keyof ClipEntry)[];
  const wrong = fields.find((field) => expected[field] !== entry[field]);
  return wrong === undefined ? null : `the index says ${wrong} ${entry[wrong]}, the shard ${expected[wrong]}`;
}
