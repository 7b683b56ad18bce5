// The safetensors file form: eight bytes of header length, a JSON header, then the raw tensors.
// All of the project's files (*.head, *.track, *.avatar, weights) are this, told apart by metadata.
// Source: the format description of huggingface/safetensors (README, "Format").

import { BadInputError } from '../errors/index.ts';
import type { AnyTensor, DType } from './host-tensor.ts';
import { elementCount } from './host-tensor.ts';

/** Tensors by name, with the string metadata of the file's header. */
export type SafetensorsFile = {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, AnyTensor>>;
};

const CODE_OF: Record<DType, string> = {
  float32: 'F32',
  float16: 'F16',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  bool: 'BOOL',
};
const DTYPE_OF = Object.fromEntries(Object.entries(CODE_OF).map(([dtype, code]) => [code, dtype])) as Record<
  string,
  DType
>;
const BYTES_OF: Record<DType, number> = { float32: 4, float16: 2, int32: 4, int64: 8, uint8: 1, bool: 1 };
const ALIGNMENT = 8;

type HeaderEntry = { dtype: string; shape: number[]; data_offsets: [number, number] };

/** Serialises tensors and metadata; the wider element types come first, so that all stay aligned. */
export function encodeSafetensors({ metadata, tensors }: SafetensorsFile): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors).sort(([, a], [, b]) => BYTES_OF[b.dtype] - BYTES_OF[a.dtype]);
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    header[name] = { dtype: CODE_OF[dtype], shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(8 + headerLength + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8, 8 + headerLength);
  bytes.set(json, 8);
  let position = 8 + headerLength;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

/** How a file is read. */
export type DecodingOptions = {
  /** Whether tensors look at the file's bytes, where they are aligned to their type, in place of copies. */
  readonly isView?: boolean;
};

/**
 * Reads a safetensors file. Every offset is checked against its dtype, its shape and the file's length.
 * @param name what the file is called in error messages
 * @throws BadInputError on anything malformed.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  name = 'safetensors file',
  { isView = false }: DecodingOptions = {},
): SafetensorsFile {
  const reject = (problem: string, cause?: unknown): BadInputError =>
    new BadInputError({
      code: 'bad-safetensors',
      message: `expected ${name} to be a safetensors file, but ${problem}`,
      hint: 'the file is damaged or of another kind: write or fetch it again',
      cause,
    });
  if (bytes.length < 8) throw reject(`it has only ${bytes.length} bytes`);
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  const bodyStart = 8 + headerLength;
  if (bodyStart > bytes.length) {
    throw reject(`its header claims ${headerLength} bytes of a file of ${bytes.length}`);
  }
  let header: Record<string, HeaderEntry | Record<string, string>>;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, bodyStart)));
  } catch (cause) {
    throw reject('its header is not JSON', cause);
  }
  if (typeof header !== 'object' || header === null) throw reject('its header is not a JSON object');
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors: Record<string, AnyTensor> = {};
  for (const [key, entry] of Object.entries(entries)) {
    const { dtype, shape, start, end } = checkedEntry(bytes, bodyStart, key, entry as HeaderEntry, reject);
    const isAligned = (bytes.byteOffset + start) % BYTES_OF[dtype] === 0;
    // A copy is aligned; Node's Buffer would share its memory on `slice`.
    const part =
      isView && isAligned ? bytes.subarray(start, end) : Uint8Array.prototype.slice.call(bytes, start, end);
    tensors[key] = { dtype, shape, data: viewAs(dtype, part) } as AnyTensor;
  }
  return { metadata: metadata as Record<string, string>, tensors };
}

type CheckedEntry = Pick<AnyTensor, 'dtype' | 'shape'> & { readonly start: number; readonly end: number };

/** Where a tensor lies in the file. */
function checkedEntry(
  bytes: Uint8Array,
  bodyStart: number,
  key: string,
  entry: HeaderEntry,
  reject: (problem: string) => BadInputError,
): CheckedEntry {
  const dtype = DTYPE_OF[entry?.dtype];
  if (dtype === undefined) throw reject(`"${key}" has the unknown element type ${entry?.dtype}`);
  const { shape, data_offsets: offsets } = entry;
  const areNaturals = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!areNaturals(shape) || !areNaturals(offsets) || offsets.length !== 2) {
    throw reject(`"${key}" has no valid shape and offsets`);
  }
  const [start, end] = offsets as [number, number];
  if (end - start !== elementCount(shape) * BYTES_OF[dtype] || bodyStart + end > bytes.length) {
    throw reject(`"${key}" of shape [${shape}] does not fit its bytes ${start} to ${end}`);
  }
  return { dtype, shape, start: bodyStart + start, end: bodyStart + end };
}

function viewAs(dtype: DType, { buffer, byteOffset, byteLength }: Uint8Array): AnyTensor['data'] {
  const length = byteLength / BYTES_OF[dtype];
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'float16':
      return new Uint16Array(buffer, byteOffset, length);
    case 'int32':
      return new Int32Array(buffer, byteOffset, length);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, byteOffset, length);
  }
}
