// safetensors written piece by piece: the header first, since shapes and types are known, then one tensor at a time.

import type { AnyTensor, Tensor } from '../tensor/index.ts';
import {
  byteLengthOf,
  bytesOf,
  fromFloats,
  type StoredType,
  toFloats,
  type WeightType,
} from './stored-type.ts';
import type { StoredTensor } from './tensor-file.ts';

/** A tensor to write under a name: another's content, perhaps in another shape of as many elements. */
export type TensorToWrite = Omit<StoredTensor, 'type'> &
  (
    | { readonly type: StoredType; readonly writtenType: WeightType }
    /** Codes stay what they are. */
    | { readonly type: 'uint8'; readonly writtenType: 'uint8' }
  );

/** Tensors in memory as those of a file; the memory is shared. */
export function storedTensors(tensors: Readonly<Record<string, AnyTensor>>): readonly StoredTensor[] {
  return Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    return { name, shape, type: dtype, read: async () => bytes };
  });
}

/** The numbers of a tensor of a file. */
export async function readTensor({ shape, type, read }: StoredTensor): Promise<Tensor> {
  return { dtype: 'float32', shape, data: toFloats(await read(), type) };
}

const CODES = { float32: 'F32', float16: 'F16', bfloat16: 'BF16', uint8: 'U8' } as const;
const ALIGNMENT = 8;

/** The chunks of a file, in order; the wider types come first, so that all stay aligned. */
export async function* safetensorsChunks(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const ordered = tensors.toSorted((a, b) => bytesOf(b.writtenType) - bytesOf(a.writtenType));
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const tensor of ordered) {
    const length = byteLengthOf({ type: tensor.writtenType, shape: tensor.shape });
    header[tensor.name] = {
      dtype: CODES[tensor.writtenType],
      shape: tensor.shape,
      data_offsets: [offset, offset + length],
    };
    offset += length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const start = new Uint8Array(8 + headerLength).fill(0x20, 8);
  new DataView(start.buffer).setBigUint64(0, BigInt(headerLength), true);
  start.set(json, 8);
  yield start;
  for (const tensor of ordered) {
    const bytes = await tensor.read();
    const { type, writtenType } = tensor;
    const isWritten = writtenType === 'uint8' || type === writtenType;
    yield isWritten ? bytes : fromFloats(toFloats(bytes, type), writtenType);
  }
}
