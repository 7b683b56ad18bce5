// safetensors files of any size: the header is read and checked whole, the tensors one at a time.
// Source: the format description of huggingface/safetensors (README, "Format"): a header of at most 100 MB, tensors
// that neither overlap nor leave holes.

import { elementCount } from '../tensor/index.ts';
import type { ByteSource } from './byte-source.ts';
import type { StoredType } from './stored-type.ts';
import { bytesOf } from './stored-type.ts';
import type { RejectFile, StoredTensor, TensorFile } from './tensor-file.ts';
import { rejectWeights } from './tensor-file.ts';

/** The element types' names in a header. */
export const SAFETENSORS_TYPES: Readonly<Record<string, StoredType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};
const MAX_HEADER_BYTES = 100_000_000;

type Entry = {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
};

/** Opens a safetensors file. @throws BadInputError on anything malformed. */
export async function openSafetensors(source: ByteSource): Promise<TensorFile> {
  const reject = rejectWeights(source.name);
  if (source.size < 8) throw reject(`it has only ${source.size} bytes`);
  const headerLength = headerLengthOf(await source.read(0, 8), source.size, reject);
  const header = await source.read(8, headerLength);
  const { metadata, entries } = readHeader(header, source.size - 8 - headerLength, reject);
  const tensors = entries.map(({ start, end, ...entry }): [string, StoredTensor] => {
    const place = { offset: 8 + headerLength + start, length: end - start };
    return [entry.name, { ...entry, place, read: () => source.read(place.offset, place.length) }];
  });
  const { name, size } = source;
  return { name, format: 'safetensors', metadata, tensors: new Map(tensors), size };
}

function headerLengthOf(first: Uint8Array, size: number, reject: RejectFile): number {
  const length = Number(new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true));
  if (length > size - 8) throw reject(`its header claims ${length} bytes of a file of ${size}`);
  if (length > MAX_HEADER_BYTES) throw reject(`its header claims ${length} bytes, more than any file needs`);
  return length;
}

function readHeader(
  bytes: Uint8Array,
  bodySize: number,
  reject: RejectFile,
): { metadata: Record<string, string>; entries: readonly Entry[] } {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw reject('its header is not JSON', cause);
  }
  if (!isRecord(header)) throw reject('its header is not a JSON object');
  const { __metadata__: texts = {}, ...rest } = header;
  if (!isRecord(texts)) throw reject('its metadata is not a JSON object');
  const metadata = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, String(text)]));
  const entries = Object.entries(rest).map(([name, entry]) => readEntry(name, entry, reject));
  expectTiled(entries, bodySize, reject);
  return { metadata, entries };
}

function readEntry(name: string, entry: unknown, reject: RejectFile): Entry {
  if (!isRecord(entry)) throw reject(`"${name}" is no description of a tensor`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const type = Object.hasOwn(SAFETENSORS_TYPES, String(dtype)) ? SAFETENSORS_TYPES[String(dtype)] : undefined;
  if (type === undefined) throw reject(`"${name}" has the unknown element type ${JSON.stringify(dtype)}`);
  if (!areNaturals(shape) || !areNaturals(offsets) || offsets.length !== 2) {
    throw reject(`"${name}" has no valid shape and offsets`);
  }
  const [start, end] = offsets as [number, number];
  if (end - start !== elementCount(shape) * bytesOf(type)) {
    throw reject(`"${name}" of shape [${shape}] does not fit its bytes ${start} to ${end}`);
  }
  return { name, type, shape, start, end };
}

/** Tensors must cover the body exactly: what overlaps or is left out hides something. */
function expectTiled(entries: readonly Entry[], bodySize: number, reject: RejectFile): void {
  let end = 0;
  for (const entry of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (entry.start < end) throw reject(`"${entry.name}" overlaps the tensor before it`);
    if (entry.start > end)
      throw reject(`there is a hole of ${entry.start - end} bytes before "${entry.name}"`);
    end = entry.end;
  }
  if (end > bodySize) throw reject(`its tensors need ${end} bytes, but it has ${bodySize}: it is cut short`);
  if (end < bodySize) throw reject(`${bodySize - end} bytes at its end belong to no tensor`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areNaturals(list: unknown): list is number[] {
  return Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
}
