// A dataset opened for reading: the indices are in memory (some 200 bytes a clip), everything else is read where it
// lies, checked as it comes in, and not kept.

import { BadInputError, MissingResourceError } from '../errors/index.ts';
import { decodeHeadTrack, type HeadTrack } from '../head/index.ts';
import { type ClipEntry, type ClipFileInfo, frameCountOf, frameName, parseClipInfo } from './clip-file.ts';
import { type EncodedPicture, MAP_NAMES, type MapName, PICTURE_ENDINGS } from './clip-info.ts';
import { crc32 } from './crc32.ts';
import {
  DATASET_FILE,
  type DatasetHeader,
  type ItemRecord,
  parseHeader,
  parseShardIndex,
  shardFile,
  shardIndexFile,
} from './dataset-index.ts';
import { paddedLength, TAR_RECORD } from './tar.ts';

/** Where the files of a dataset come from: a folder on disk, or a server that answers ranges. */
export type DatasetFolder = {
  /** How people know it, for messages. */
  readonly name: string;
  /** A whole small file; null where there is none of the name. */
  read(file: string): Promise<Uint8Array | null>;
  /** A part of a file, shorter where the file ends; null where there is none of the name. */
  readRange(file: string, from: number, length: number): Promise<Uint8Array | null>;
};

/** A clip as the index knows it, with the shard that it lies in. */
export type ClipPlace = ClipEntry & { readonly shard: number };

/** Decoded from the beginning of a clip. */
export type OpenClip = {
  readonly place: ClipPlace;
  readonly info: ClipFileInfo;
  /** Its head track; null where nobody tracked it. @throws BadInputError `dataset-damaged`. */
  track(): Promise<HeadTrack | null>;
  /** A picture as it is stored. @throws BadInputError `dataset-damaged`. */
  frame(frame: number): Promise<EncodedPicture>;
  /** A map as PNG; null where the clip has none of the name. @throws BadInputError `dataset-damaged`. */
  map(name: MapName, frame: number): Promise<Uint8Array | null>;
};

/** An open dataset. */
export type Dataset = {
  readonly folder: DatasetFolder;
  readonly header: DatasetHeader;
  readonly shards: number;
  /** In the order of the shards. */
  readonly clips: readonly ClipPlace[];
  /** The items of the source, by number, with what was skipped and why. */
  readonly items: readonly ItemRecord[];
  /** Reads the beginning of a clip. @throws BadInputError `dataset-damaged`; MissingResourceError `no-shard`. */
  open(place: ClipPlace): Promise<OpenClip>;
};

/**
 * Opens a dataset. One that is still being written gives the shards that are whole.
 * @throws MissingResourceError `no-dataset`, `no-shard`; BadInputError `dataset-damaged`.
 */
export async function openDataset(folder: DatasetFolder): Promise<Dataset> {
  const header = await readHeader(folder);
  const clips: ClipPlace[] = [];
  const items: ItemRecord[] = [];
  let shard = 0;
  for (; header.totals === null || shard < header.totals.shards; shard++) {
    const file = shardIndexFile(shard);
    const index = await folder.read(file);
    if (index === null && header.totals === null) break;
    if (index === null) throw noShard(fileName(folder, file), header.totals!.shards);
    const { clips: own, items: ownItems } = parseShardIndex(index, fileName(folder, file));
    for (const entry of own) clips.push({ ...entry, shard });
    for (const item of ownItems) items.push(item);
  }
  return { folder, header, shards: shard, clips, items, open: (place) => openClip(folder, place) };
}

/** Reads `dataset.json`. @throws MissingResourceError `no-dataset`; BadInputError `dataset-damaged`. */
export async function readHeader(folder: DatasetFolder): Promise<DatasetHeader> {
  const bytes = await folder.read(DATASET_FILE);
  if (bytes === null) throw noDataset(folder.name);
  return parseHeader(bytes, fileName(folder, DATASET_FILE));
}

async function openClip(folder: DatasetFolder, place: ClipPlace): Promise<OpenClip> {
  const file = shardFile(place.shard);
  const name = `${place.key} in ${fileName(folder, file)}`;
  const read = async (at: number, length: number, sum: number, what: string): Promise<Uint8Array> => {
    const bytes = await folder.readRange(file, place.at + at, length);
    if (bytes === null) throw noShard(fileName(folder, file), place.shard + 1);
    if (bytes.length < length) throw damaged(name, `it ends within ${what}`);
    if (crc32(bytes) !== sum) throw damaged(name, `the checksum of ${what} does not hold`);
    return bytes;
  };
  const json = await read(TAR_RECORD, place.infoBytes, place.infoCrc32, 'its description');
  const info = parseClipInfo(json, name);
  if (frameCountOf(info) !== place.frames) throw damaged(name, 'the index counts other frames');
  const places = new Map<string, readonly [at: number, bytes: number, sum: number]>();
  let at = TAR_RECORD + paddedLength(place.infoBytes) + TAR_RECORD;
  for (const [suffix, bytes, sum] of info.members) {
    places.set(suffix, [at, bytes, sum]);
    at += paddedLength(bytes) + TAR_RECORD;
  }
  const member = async (suffix: string): Promise<Uint8Array | null> => {
    const found = places.get(suffix);
    return found === undefined ? null : read(...found, suffix);
  };
  return {
    place,
    info,
    async track() {
      const bytes = await member('track');
      return bytes === null ? null : decodeHeadTrack(bytes, name);
    },
    async frame(frame) {
      for (const ending of PICTURE_ENDINGS) {
        const bytes = await member(`${frameName(frame)}.${ending}`);
        if (bytes !== null) return { bytes, ending };
      }
      throw damaged(name, `it has no frame ${frame}`);
    },
    map: (name, frame) => member(mapSuffix(name, frame)),
  };
}

/** The maps that a clip has. */
export function mapsOf({ members }: ClipFileInfo): MapName[] {
  const suffixes = new Set(members.map(([suffix]) => suffix));
  return MAP_NAMES.filter((name) => suffixes.has(mapSuffix(name, 0)));
}

function mapSuffix(name: MapName, frame: number): string {
  return `${frameName(frame)}.${name}.png`;
}

function fileName({ name }: DatasetFolder, file: string): string {
  return `${name}/${file}`;
}

function damaged(name: string, problem: string): BadInputError {
  return new BadInputError({
    code: 'dataset-damaged',
    message: `${name} is damaged: ${problem}.`,
    hint: 'Run dataset verify for all faults, and restore the shard or write it again.',
  });
}

function noDataset(name: string): MissingResourceError {
  return new MissingResourceError({
    code: 'no-dataset',
    message: `Expected a dataset in ${name}, but it has no ${DATASET_FILE}.`,
    hint: 'Name a folder that synthesize or dataset import wrote.',
  });
}

function noShard(file: string, shards: number): MissingResourceError {
  return new MissingResourceError({
    code: 'no-shard',
    message: `Expected ${file}, one of ${shards} shards, but it is not there.`,
    hint: 'Restore it, or write the dataset again.',
  });
}
