// Opens files of weights by what is in them: safetensors, PyTorch's archives, and indices of shards.

import { BadInputError, MissingResourceError } from '../errors/index.ts';
import type { ByteSource } from './byte-source.ts';
import { openSafetensors } from './safetensors-file.ts';
import type { StoredTensor, TensorFile } from './tensor-file.ts';
import { rejectWeights } from './tensor-file.ts';
import { openTorchFile } from './torch-file.ts';

/** Opens a file that lies beside another, by its name; null where there is none. */
export type OpenBeside = (name: string) => Promise<ByteSource | null>;

const ZIP = [0x50, 0x4b, 3, 4];
const MAX_INDEX_BYTES = 2 ** 26;

/**
 * Opens a file of weights.
 * @param openBeside finds the shards that an index names
 * @throws BadInputError on damaged and foreign files; MissingResourceError on a missing shard.
 */
export async function openWeights(source: ByteSource, openBeside: OpenBeside): Promise<TensorFile> {
  const first = await source.read(0, Math.min(source.size, 16));
  if (ZIP.every((byte, i) => first[i] === byte)) return openTorchFile(source);
  if (first[0] === 0x7b && source.name.endsWith('.json')) return openShards(source, openBeside);
  if (first[0] === 0x80 && first[1]! >= 2 && first[1]! <= 5 && first[2] === 0x8a) {
    throw new BadInputError({
      code: 'old-torch-file',
      message: `${source.name} is in PyTorch's form from before version 1.6, which is not read`,
      hint: 'open it with PyTorch and save it again, or get the weights as safetensors',
    });
  }
  if (/^version https:/.test(new TextDecoder().decode(first))) {
    throw new BadInputError({
      code: 'pointer-file',
      message: `${source.name} is a pointer of Git LFS, not the weights themselves`,
      hint: 'fetch the file itself, e.g. by git lfs pull',
    });
  }
  return openSafetensors(source);
}

/** An index: `weight_map` says which file holds which tensor. */
async function openShards(source: ByteSource, openBeside: OpenBeside): Promise<TensorFile> {
  const reject = rejectWeights(source.name);
  if (source.size > MAX_INDEX_BYTES) throw reject('it is too large for an index of shards');
  let index: unknown;
  try {
    index = JSON.parse(new TextDecoder().decode(await source.read(0, source.size)));
  } catch (cause) {
    throw reject('it is no JSON', cause);
  }
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null)
    throw reject('it has no "weight_map", as an index of shards has');
  const places = Object.entries(map).map(([tensor, file]) => [tensor, String(file)] as const);
  const shards = new Map<string, TensorFile>();
  for (const file of new Set(places.map(([, name]) => name))) {
    const shard = /[/\\]/.test(file) ? null : await openBeside(file);
    if (shard === null) {
      throw new MissingResourceError({
        code: 'missing-shard',
        message: `expected the shard ${file} beside ${source.name}, but it is not there`,
        hint: 'get all files that the index names',
      });
    }
    shards.set(file, await openWeights(shard, async () => null));
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [name, file] of places) {
    const tensor = shards.get(file)!.tensors.get(name);
    if (tensor === undefined) throw reject(`the shard ${file} has no "${name}"`);
    tensors.set(name, tensor);
  }
  const files = [...shards.values()];
  return {
    name: source.name,
    format: files[0]?.format ?? 'safetensors',
    metadata: files[0]?.metadata ?? {},
    tensors,
    size: files.reduce((sum, { size }) => sum + size, 0),
  };
}
