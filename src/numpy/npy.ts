// The `.npy` file: a short header in Python's notation, then one array. An array of objects holds a pickle, which
// is read as one. Source: the NumPy reference, "numpy.lib.format".

import { arrayFromBytes, type NumpyArray, parseElementType, rejectFile } from './numpy-array.ts';
import { decodePickle, type PickledValue } from './pickle.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Whether bytes begin as a `.npy` file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads a `.npy` file: an array, or what the one object of an array of objects is.
 * @param name what to call the file in errors
 * @throws BadInputError on anything malformed, and as `decodePickle` does.
 */
export function decodeNpy(bytes: Uint8Array, name = 'npy file'): PickledValue {
  const reject = rejectFile(name);
  if (!isNpy(bytes)) throw reject('it does not begin as a .npy file does');
  if (bytes.length < 12) throw reject('it is cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFirstVersion = bytes[6] === 1;
  const headerStart = isFirstVersion ? 10 : 12;
  const bodyStart = headerStart + (isFirstVersion ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bodyStart > bytes.length) throw reject('it is cut short in its header');
  const header = new TextDecoder().decode(bytes.subarray(headerStart, bodyStart));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const extents = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || extents === undefined) {
    throw reject(`its header says neither element type nor shape: ${header.trim().slice(0, 80)}`);
  }
  const shape = extents.match(/\d+/g)?.map(Number) ?? [];
  const type = parseElementType(descr, reject);
  const body = bytes.subarray(bodyStart);
  if (type.kind !== 'O') return arrayFromBytes(body, type, shape, order === 'True', reject);
  const objects = decodePickle(body, name);
  return shape.length === 0 && Array.isArray(objects) ? (objects as PickledValue[])[0]! : objects;
}

/** The bytes of a `.npy` file, version 1. */
export function encodeNpy({ shape, data }: NumpyArray): Uint8Array<ArrayBuffer> {
  const descr = data instanceof Float32Array ? '<f4' : data instanceof Float64Array ? '<f8' : '<i4';
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${extents}), }`;
  // Magic, version and length are 10 bytes; the body begins at a multiple of 64.
  const headerLength = Math.ceil((text.length + 11) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + headerLength + data.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, headerLength, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(headerLength - 1)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + headerLength);
  return bytes;
}
