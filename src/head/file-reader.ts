// What reading a *.head and a *.track has in common: format and version first, then typed entries of
// known shapes, every problem told in one line.

import { BadInputError } from '../errors/index.ts';
import { type DataOf, type DType, decodeSafetensors, type SafetensorsFile } from '../tensor/index.ts';

/** Reads entries of one file; every method throws `BadInputError` where the file does not hold. */
export type FileReader = {
  text(key: string): string;
  json(key: string): unknown;
  has(name: string): boolean;
  /** Whether the header has an entry of text. */
  hasText(key: string): boolean;
  /** The element type of an entry, if there is one. */
  dtypeOf(name: string): DType | undefined;
  /** The data of an entry; `null` extents match anything. */
  data<D extends DType>(name: string, dtype: D, shape: readonly (number | null)[]): DataOf<D>;
  /** An error that names the file. */
  reject(problem: string, cause?: unknown): BadInputError;
};

/** What a file must say about itself. */
export type FileKind = {
  /** Metadata `format`, e.g. `learn2control.head`. */
  readonly format: string;
  readonly version: number;
  /** What people call it, e.g. `a head model`. */
  readonly noun: string;
};

/**
 * Opens bytes as a file of one kind.
 * @throws BadInputError on a damaged or foreign file, and on one of a newer version.
 */
export function openFile(bytes: Uint8Array, kind: FileKind, name: string): FileReader {
  // A plain view: the slices of Node's Buffer share memory instead of copying.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const file = decodeSafetensors(plain, name);
  const { format, version } = file.metadata;
  if (format !== kind.format) {
    throw new BadInputError({
      code: 'foreign-file',
      message: `expected ${name} to be ${kind.noun} (format "${kind.format}"), got ${format ? `format "${format}"` : 'a file without a format'}`,
      hint: 'pass the file that this project wrote for this purpose',
    });
  }
  if (version !== String(kind.version)) {
    throw new BadInputError({
      code: 'file-version',
      message: `expected ${name} to have version ${kind.version} of "${format}", got ${version}`,
      hint: 'update learn2control, or write the file again with this version',
    });
  }
  return createReader(file, name);
}

function createReader(file: SafetensorsFile, name: string): FileReader {
  const reject = (problem: string, cause?: unknown): BadInputError =>
    new BadInputError({
      code: 'damaged-file',
      message: `${name} cannot be used: ${problem}`,
      hint: 'the file is damaged or incomplete: write or fetch it again',
      cause,
    });
  const text = (key: string): string => {
    const value = file.metadata[key];
    if (typeof value !== 'string') throw reject(`its header lacks "${key}"`);
    return value;
  };
  return {
    text,
    json(key) {
      try {
        return JSON.parse(text(key));
      } catch (cause) {
        if (cause instanceof BadInputError) throw cause;
        throw reject(`"${key}" in its header is not JSON`, cause);
      }
    },
    hasText: (key) => typeof file.metadata[key] === 'string',
    has: (entry) => entry in file.tensors,
    dtypeOf: (entry) => file.tensors[entry]?.dtype,
    data(entry, dtype, shape) {
      const found = file.tensors[entry];
      if (!found) throw reject(`it lacks "${entry}"`);
      const fits =
        found.dtype === dtype &&
        found.shape.length === shape.length &&
        shape.every((extent, i) => extent === null || extent === found.shape[i]);
      if (!fits) {
        const wanted = shape.map((extent) => extent ?? '?').join(', ');
        throw reject(
          `"${entry}" should be ${dtype} [${wanted}], is ${found.dtype} [${found.shape.join(', ')}]`,
        );
      }
      return found.data as DataOf<typeof dtype>;
    },
    reject,
  };
}
