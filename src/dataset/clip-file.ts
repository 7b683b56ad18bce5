// A clip <-> its members in a shard. WebDataset's convention: the members of a sample share the name up to the first
// dot, so `a.json`, `a.track`, `a.0000.jpg` and `a.0000.head.png` are one clip there too.
// Source of the convention: the README of webdataset/webdataset, "The WebDataset Format".

import { BadInputError, FaultError } from '../errors/index.ts';
import { encodeHeadTrack, frameCount } from '../head/index.ts';
import { type ClipInfo, type DatasetClip, MAP_NAMES } from './clip-info.ts';
import { crc32 } from './crc32.ts';
import { MAX_TAR_NAME, paddedLength, TAR_RECORD, tarHeader } from './tar.ts';

/** A member after the info: what follows the key and its dot, length and CRC-32 of its content. */
export type ClipMember = readonly [suffix: string, bytes: number, crc32: number];

/** What the `.json` of a clip holds. */
export type ClipFileInfo = ClipInfo & { readonly members: readonly ClipMember[] };

/** Where a clip lies, as the index of a shard lists it, with what choosing among clips needs. */
export type ClipEntry = {
  readonly key: string;
  /** The item of the source that it is of. */
  readonly item: number;
  /** Offset of its first header in the shard. */
  readonly at: number;
  /** All of it, headers and padding included. */
  readonly bytes: number;
  /** CRC-32 of all of it. */
  readonly crc32: number;
  /** Length and CRC-32 of the content of its first member, the info. */
  readonly infoBytes: number;
  readonly infoCrc32: number;
  readonly frames: number;
  readonly isTracked: boolean;
} & Pick<ClipInfo, 'identity' | 'label' | 'kind' | 'split'>;

/** The bytes of a clip, with its entry; `at` and `item` are those of a clip by itself. */
export type EncodedClip = { readonly bytes: Uint8Array<ArrayBuffer>; readonly entry: ClipEntry };

/** Longest key: the longest suffix must still fit into a name. */
const MAX_KEY = MAX_TAR_NAME - '.00000..png'.length - Math.max(...MAP_NAMES.map(({ length }) => length));

/** A key from any text: other letters become `_`; long ones are cut and keep a checksum of the whole. */
export function clipKey(text: string): string {
  const plain = text.replace(/[^\w+-]/g, '_');
  if (plain.length <= MAX_KEY && plain === text) return plain;
  // Two texts must not become one key.
  const sum = crc32(new TextEncoder().encode(text)).toString(16).padStart(8, '0');
  return `${plain.slice(0, MAX_KEY - 9)}-${sum}`;
}

/** Serialises a clip. @throws FaultError where the parts do not fit together. */
export function encodeClip({ key, info, track, frames, maps }: DatasetClip): EncodedClip {
  if (clipKey(key) !== key) throw unfit(`the key "${key}" is not made by clipKey`);
  if (frames.length === 0) throw unfit(`${key} has no frames`);
  if (track !== null && frameCount(track) !== frames.length) {
    throw unfit(`${key} has ${frames.length} frames and a track of ${frameCount(track)}`);
  }
  const contents: [suffix: string, content: Uint8Array][] = [];
  if (track !== null) contents.push(['track', encodeHeadTrack(track)]);
  for (const [i, { bytes, ending }] of frames.entries()) {
    contents.push([`${frameName(i)}.${ending}`, bytes]);
    for (const name of MAP_NAMES) {
      const list = maps[name];
      if (list === undefined) continue;
      if (list.length !== frames.length) throw unfit(`${key} has ${list.length} maps of ${name}`);
      contents.push([`${frameName(i)}.${name}.png`, list[i]!]);
    }
  }
  const members = contents.map(([suffix, content]): ClipMember => [suffix, content.length, crc32(content)]);
  const fileInfo: ClipFileInfo = { ...info, members };
  const json = new TextEncoder().encode(JSON.stringify(fileInfo));
  const all: (readonly [string, Uint8Array])[] = [['json', json], ...contents];
  const length = all.reduce((sum, [, content]) => sum + TAR_RECORD + paddedLength(content.length), 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const [suffix, content] of all) {
    bytes.set(tarHeader({ name: `${key}.${suffix}`, bytes: content.length }), at);
    bytes.set(content, at + TAR_RECORD);
    at += TAR_RECORD + paddedLength(content.length);
  }
  return { bytes, entry: entryOf(key, fileInfo, bytes, json) };
}

/** Reads the `.json` of a clip. @param name what to call it in errors @throws BadInputError `dataset-damaged`. */
export function parseClipInfo(json: Uint8Array, name: string): ClipFileInfo {
  try {
    const info = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)) as ClipFileInfo;
    if (typeof info.identity === 'string' && Array.isArray(info.members)) return info;
  } catch {
    // Not JSON: the same answer as for JSON of another kind.
  }
  throw new BadInputError({
    code: 'dataset-damaged',
    message: `Expected the description of a clip in ${name}, but it cannot be read.`,
    hint: 'Run dataset verify, and write the shard again.',
  });
}

/** How many pictures a clip has. */
export function frameCountOf({ members }: ClipFileInfo): number {
  return members.filter(([suffix]) => /^\d+\.[a-z]+$/.test(suffix)).length;
}

/** The name of a frame: `0000`, in tar order also its place. */
export function frameName(frame: number): string {
  return String(frame).padStart(4, '0');
}

/** The entry that the index must have for a clip with this content, `at` 0 and `item` 0. */
export function entryOf(key: string, info: ClipFileInfo, bytes: Uint8Array, json: Uint8Array): ClipEntry {
  const { identity, label, kind, split } = info;
  return {
    key,
    item: 0,
    at: 0,
    bytes: bytes.length,
    crc32: crc32(bytes),
    infoBytes: json.length,
    infoCrc32: crc32(json),
    frames: frameCountOf(info),
    isTracked: info.members.some(([suffix]) => suffix === 'track'),
    ...{ identity, label, kind, split },
  };
}

function unfit(problem: string): FaultError {
  return new FaultError({
    code: 'clip-parts',
    message: `Expected the parts of a clip to fit together, but ${problem}.`,
    hint: 'This is a bug: please report it.',
  });
}
