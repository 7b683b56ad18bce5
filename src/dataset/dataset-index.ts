// The small files of a dataset: `dataset.json`, which says what it is and how it was asked for, and beside each
// `shard-N.tar` a `shard-N.json` that lists its clips. A shard counts from the moment that its index is there.

import { z } from 'zod';
import { BadInputError } from '../errors/index.ts';
import type { ClipEntry } from './clip-file.ts';
import { CLIP_KINDS, CLIP_LABELS, CLIP_SPLITS } from './clip-info.ts';

export const DATASET_FILE = 'dataset.json';
const FORMAT = 'learn2control/dataset';
const VERSION = 1;

/** `dataset.json`. */
export type DatasetHeader = {
  readonly name: string;
  /** The command and options that it was made with: a run that continues must ask for the same. */
  readonly request: Readonly<Record<string, unknown>>;
  /** The head of the tracks; null where nothing is tracked. */
  readonly headName: string | null;
  /** Present once the dataset is complete. */
  readonly totals: DatasetTotals | null;
};

/** What a complete dataset holds. */
export type DatasetTotals = {
  readonly shards: number;
  readonly clips: number;
  readonly frames: number;
  readonly skipped: number;
};

/** An item of the source, e.g. a file or a seed: what became of it. */
export type ItemRecord = {
  readonly name: string;
  /** Why it has no clips; absent where it has. */
  readonly skipped?: string;
};

/** `shard-N.json`. */
export type ShardIndex = {
  /** Length of the tar. */
  readonly bytes: number;
  /** Number of the first item; items are numbered through the dataset. */
  readonly firstItem: number;
  readonly items: readonly ItemRecord[];
  readonly clips: readonly ClipEntry[];
};

/** `shard-000012.tar`. */
export function shardFile(shard: number): string {
  return `shard-${String(shard).padStart(6, '0')}.tar`;
}

/** `shard-000012.json`. */
export function shardIndexFile(shard: number): string {
  return shardFile(shard).replace(/tar$/, 'json');
}

/** The text of `dataset.json`. */
export function encodeHeader(header: DatasetHeader): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...header }, null, 2)}\n`;
}

/** The text of a shard's index: a line for each clip, so that people can read it. */
export function encodeShardIndex({ clips, items, ...rest }: ShardIndex): string {
  const lines = (list: readonly unknown[]): string => list.map((entry) => JSON.stringify(entry)).join(',\n');
  const head = JSON.stringify({ format: FORMAT, version: VERSION, ...rest }).slice(0, -1);
  return `${head},\n"items":[\n${lines(items)}\n],\n"clips":[\n${lines(clips)}\n]}\n`;
}

const natural = z.number().int().min(0);
const totalsSchema = z.object({ shards: natural, clips: natural, frames: natural, skipped: natural });
const headerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  name: z.string(),
  request: z.record(z.string(), z.unknown()),
  headName: z.string().nullable(),
  totals: totalsSchema.nullable(),
});
const entrySchema = z.object({
  key: z.string().min(1),
  item: natural,
  at: natural,
  bytes: natural,
  crc32: natural,
  infoBytes: natural,
  infoCrc32: natural,
  frames: natural,
  isTracked: z.boolean(),
  identity: z.string(),
  label: z.enum(CLIP_LABELS),
  kind: z.enum(CLIP_KINDS),
  split: z.enum(CLIP_SPLITS),
});
const shardSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  bytes: natural,
  firstItem: natural,
  items: z.array(z.object({ name: z.string(), skipped: z.string().optional() })),
  clips: z.array(entrySchema),
});

/** Reads `dataset.json`. @throws BadInputError `not-a-dataset`. */
export function parseHeader(bytes: Uint8Array, name: string): DatasetHeader {
  const { format: _, version: __, ...header } = parse(bytes, name, headerSchema);
  return header;
}

/** Reads the index of a shard. @throws BadInputError `dataset-damaged`. */
export function parseShardIndex(bytes: Uint8Array, name: string): ShardIndex {
  const { format: _, version: __, ...index } = parse(bytes, name, shardSchema);
  // What zod calls optional may be undefined; an absent key is meant.
  return index as ShardIndex;
}

function parse<T>(bytes: Uint8Array, name: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw unreadable(name, 'it is not JSON', cause);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw unreadable(name, `${issue.path.join('.') || 'it'}: ${issue.message}`, result.error);
}

function unreadable(name: string, problem: string, cause: unknown): BadInputError {
  return new BadInputError({
    code: 'dataset-damaged',
    message: `Expected ${name} to describe a dataset of version ${VERSION}, but ${problem}.`,
    hint: 'The file is damaged or of another version: restore it, or write the dataset again.',
    cause,
  });
}
