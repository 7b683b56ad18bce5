// Files of weights as lists of tensors that can be read one at a time, whatever the format on the disk.

import { BadInputError } from '../errors/index.ts';
import type { StoredType } from './stored-type.ts';

/** One tensor of a file. */
export type StoredTensor = {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Where its elements stand in the file, where they stand there as `read` gives them. */
  readonly place?: { readonly offset: number; readonly length: number };
  /** Its elements in row-major order, little-endian. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
};

/** A file of weights, or several that belong together. */
export type TensorFile = {
  readonly name: string;
  readonly format: 'safetensors' | 'torch';
  /** The text entries of the header; torch files have none. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The factor by which an autoencoder's latents are scaled, where a `config.json` beside the file states it. */
  readonly scalingFactor?: number;
  /** Bytes on the disk. */
  readonly size: number;
};

/** Makes the errors of a file that cannot be read. */
export type RejectFile = (problem: string, cause?: unknown) => BadInputError;

/** The `RejectFile` of a file. */
export function rejectWeights(name: string): RejectFile {
  return (problem, cause) =>
    new BadInputError({
      code: 'bad-weights-file',
      message: `${name} cannot be read: ${problem}`,
      hint: 'the file is damaged, incomplete or of another kind: get it again from its source',
      cause,
    });
}
