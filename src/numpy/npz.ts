// The `.npz` file: a zip archive of `.npy` files, stored or deflated.

import { unzipSync, zipSync } from 'fflate';
import { decodeNpy, encodeNpy } from './npy.ts';
import { type NumpyArray, rejectFile } from './numpy-array.ts';
import type { PickledValue } from './pickle.ts';

/** Unpacked arrays of more bytes than this are refused: a head model has some 100 megabytes. */
const MAX_BYTES = 2 ** 31;
const EARLIEST_ZIP_DATE = new Date(1980, 0, 1);

/** Whether bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}

/**
 * Reads all arrays of a `.npz` file by their names.
 * @param name what to call the file in errors
 * @throws BadInputError on anything malformed, and as `decodeNpy` does.
 */
export function decodeNpz(bytes: Uint8Array, name = 'npz file'): ReadonlyMap<string, PickledValue> {
  const reject = rejectFile(name);
  let files: Record<string, Uint8Array>;
  let total = 0;
  try {
    files = unzipSync(bytes, {
      filter({ originalSize }) {
        total += originalSize;
        if (total > MAX_BYTES) throw new Error('it unpacks to more than 2 gigabytes');
        return true;
      },
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw reject(`it is no whole zip archive (${reason})`, cause);
  }
  const arrays = Object.entries(files).filter(([entry]) => entry.endsWith('.npy'));
  return new Map(
    arrays.map(([entry, content]) => [entry.slice(0, -4), decodeNpy(content, `${name} (${entry})`)] as const),
  );
}

/** The bytes of a `.npz` file as `numpy.savez` writes them: stored, not deflated. The same arrays give the same bytes. */
export function encodeNpz(arrays: Readonly<Record<string, NumpyArray>>): Uint8Array<ArrayBuffer> {
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, encodeNpy(array)] as const);
  const packed = zipSync(Object.fromEntries(files), { level: 0, mtime: EARLIEST_ZIP_DATE });
  return new Uint8Array(packed);
}
