// The directory of a zip archive, read without the archive: where each stored file begins. PyTorch's files are such
// archives, with nothing compressed. Source: PKWARE's APPNOTE.TXT, 4.3 and 4.5.3 (zip64).

import type { ByteSource } from './byte-source.ts';
import type { RejectFile } from './tensor-file.ts';

/** A file in an archive. */
export type ZipEntry = { readonly start: number; readonly length: number };

const END = 0x06054b50;
const END_LENGTH = 22;
const LONGEST_COMMENT = 65_535;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_DIRECTORY_BYTES = 2 ** 28;
const ABSENT = 0xffffffff;

/** All files of an archive by name. @throws the reader's error where it is damaged or compressed. */
export async function readZipDirectory(
  source: ByteSource,
  reject: RejectFile,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const tailLength = Math.min(source.size, END_LENGTH + LONGEST_COMMENT + 20);
  const tailStart = source.size - tailLength;
  const tail = viewOf(await source.read(tailStart, tailLength));
  const end = lastSignature(tail);
  if (end < 0) throw reject('its zip directory is missing: it is cut short');
  let [count, length, start] = [
    tail.getUint16(end + 10, true),
    tail.getUint32(end + 12, true),
    tail.getUint32(end + 16, true),
  ];
  if (end >= 20 && tail.getUint32(end - 20, true) === LOCATOR64) {
    const at = Number(tail.getBigUint64(end - 12, true));
    if (at + 56 > source.size) throw reject('its zip directory points past its end');
    const end64 = viewOf(await source.read(at, 56));
    if (end64.getUint32(0, true) !== END64) throw reject('its zip directory is damaged');
    count = Number(end64.getBigUint64(32, true));
    length = Number(end64.getBigUint64(40, true));
    start = Number(end64.getBigUint64(48, true));
  }
  if (start + length > source.size || length > MAX_DIRECTORY_BYTES) {
    throw reject('its zip directory points past its end');
  }
  return readEntries(source, viewOf(await source.read(start, length)), count, reject);
}

async function readEntries(
  source: ByteSource,
  view: DataView,
  count: number,
  reject: RejectFile,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== ENTRY)
      throw reject('its zip directory is damaged');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      view.getUint16(at + offset, true),
    ) as [number, number, number];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > view.byteLength) throw reject('its zip directory is damaged');
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
    const method = view.getUint16(at + 10, true);
    if (method !== 0) throw reject(`"${name}" in it is compressed, which PyTorch's files never are`);
    const { length, header } = sizesOf(view, at, at + 46 + nameLength, extraLength);
    if (header + 30 > source.size) throw reject(`"${name}" in it lies past its end`);
    const local = viewOf(await source.read(header, 30));
    if (local.getUint32(0, true) !== LOCAL) throw reject(`"${name}" in it is not where the directory says`);
    const start = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    if (start + length > source.size) throw reject(`"${name}" in it is cut short`);
    entries.set(name, { start, length });
    at = next;
  }
  return entries;
}

/** Length and place of an entry; zip64 keeps large ones in an extra field, in this order. */
function sizesOf(
  view: DataView,
  at: number,
  extraStart: number,
  extraLength: number,
): { length: number; header: number } {
  let [length, header] = [view.getUint32(at + 24, true), view.getUint32(at + 42, true)];
  const isPackedLong = view.getUint32(at + 20, true) === ABSENT;
  for (let e = extraStart; e + 4 <= extraStart + extraLength; e += 4 + view.getUint16(e + 2, true)) {
    if (view.getUint16(e, true) !== 1) continue;
    const last = Math.min(e + 4 + view.getUint16(e + 2, true), extraStart + extraLength);
    let field = e + 4;
    const take = (): number => {
      if (field + 8 > last) return Number.MAX_SAFE_INTEGER; // Refused as lying past the end.
      field += 8;
      return Number(view.getBigUint64(field - 8, true));
    };
    if (length === ABSENT) length = take();
    if (isPackedLong) take();
    if (header === ABSENT) header = take();
  }
  return { length, header };
}

function lastSignature(tail: DataView): number {
  for (let at = tail.byteLength - END_LENGTH; at >= 0; at--) {
    if (tail.getUint32(at, true) === END) return at;
  }
  return -1;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
