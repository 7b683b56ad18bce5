// PyTorch's files (.ckpt, .pth, .pt, .bin since version 1.6): a zip archive of one pickle that says what the tensors
// are, and one file of raw bytes for each storage. The pickle is read by a list of names; nothing is run.
// Source: PyTorch's documentation, "Serialization semantics", and torch/serialization.py for the persistent ids.

import { BadInputError } from '../errors/index.ts';
import type { Foreign, Global, PickleExtension, PythonValue } from '../numpy/index.ts';
import { runPickle } from '../numpy/index.ts';
import { elementCount } from '../tensor/index.ts';
import type { ByteSource } from './byte-source.ts';
import type { StoredType } from './stored-type.ts';
import { bytesOf } from './stored-type.ts';
import type { RejectFile, StoredTensor, TensorFile } from './tensor-file.ts';
import { rejectWeights } from './tensor-file.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

const STORAGES: Readonly<Record<string, StoredType>> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
};
/** Names that stand for nothing here: classes that training frameworks leave as keys beside the weights. */
const INERT = new Set([
  'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint',
  'lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint',
]);
const MAX_PICKLE_BYTES = 2 ** 28;

type Storage = { readonly kind: 'storage'; readonly type: StoredType; readonly key: string };
type View = {
  readonly kind: 'tensor';
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
};

/**
 * Opens a PyTorch file.
 * @throws BadInputError `pickle-call` where it asks for anything but tensors and plain containers; `bad-weights-file`
 *   where it is damaged or holds no tensors.
 */
export async function openTorchFile(source: ByteSource): Promise<TensorFile> {
  const reject = rejectWeights(source.name);
  const entries = await readZipDirectory(source, reject);
  const pickleName = [...entries.keys()].find((name) => /(^|\/)data\.pkl$/.test(name));
  if (pickleName === undefined)
    throw reject('it is a zip archive without the "data.pkl" of PyTorch\'s files');
  const folder = pickleName.slice(0, -'data.pkl'.length);
  await expectLittleEndian(source, entries.get(`${folder}byteorder`), reject);
  const { start, length } = entries.get(pickleName)!;
  if (length > MAX_PICKLE_BYTES) throw reject(`its pickle of ${length} bytes is no list of tensors`);
  const root = runPickle(await source.read(start, length), reject, refuser(source.name), extension(reject));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, view] of viewsOf(root)) {
    const storage = entries.get(`${folder}data/${view.storage.key}`);
    if (storage === undefined) throw reject(`the bytes of "${name}" are missing`);
    tensors.set(name, storedTensor(name, view, storage, source, reject));
  }
  if (tensors.size === 0) throw reject('it holds no tensors by name');
  const { name, size } = source;
  return { name, format: 'torch', metadata: {}, tensors, size };
}

function refuser(name: string): (global: string) => BadInputError {
  return (global) =>
    new BadInputError({
      code: 'pickle-call',
      message: `${name} asks to load "${global}", which no weights need; nothing of it was run`,
      hint: 'get the weights as safetensors, or from a source that you trust',
    });
}

async function expectLittleEndian(
  source: ByteSource,
  entry: ZipEntry | undefined,
  reject: RejectFile,
): Promise<void> {
  if (entry === undefined || entry.length > 16) return;
  const order = new TextDecoder().decode(await source.read(entry.start, entry.length)).trim();
  if (order !== 'little') throw reject(`its numbers are ${order}-endian`);
}

function extension(reject: RejectFile): PickleExtension {
  const foreign = (value: Storage | View | StoredType): Foreign => ({ foreign: value });
  const uncallable = (global: string): Global => ({
    global,
    make: () => {
      throw reject(`it calls ${global}, which is only a name`);
    },
  });
  return {
    find(module, name) {
      const full = `${module}.${name}`;
      if (full === 'torch._utils._rebuild_tensor_v2' || full === 'torch._utils._rebuild_tensor') {
        return { global: full, make: (args) => foreign(viewOf(args, undefined, reject)) };
      }
      if (full === 'torch._utils._rebuild_tensor_v3') {
        return { global: full, make: (args) => foreign(viewOf(args, typeOf(args[6]), reject)) };
      }
      if (full === 'torch._utils._rebuild_parameter') return { global: full, make: ([data]) => data ?? null };
      if (full === 'torch.Size') return { global: full, make: ([extents]) => extents ?? [] };
      const isStorage = module === 'torch' && Object.hasOwn(STORAGES, name);
      const isType = module === 'torch' && TYPE_NAMES.has(name);
      if (isStorage || isType || full === 'torch.storage.UntypedStorage' || INERT.has(full)) {
        return uncallable(full);
      }
      return null;
    },
    persistent(id) {
      const [kind, type, key] = Array.isArray(id) ? (id as PythonValue[]) : [];
      if (kind !== 'storage' || typeof key !== 'string') throw reject('a tensor has no storage');
      const name = isGlobal(type) ? type.global.replace(/^torch\./, '') : '';
      const stored = name === 'storage.UntypedStorage' ? 'uint8' : STORAGES[name];
      if (stored === undefined) throw reject(`a storage is of the unknown type ${name}`);
      return foreign({ kind: 'storage', type: stored, key });
    },
  };
}

/** `torch.float16` and so on, as the third form of tensors names them. */
const TYPE_NAMES = new Set<string>([
  ...new Set(Object.values(STORAGES)),
  'half',
  'float',
  'double',
  'long',
  'int',
]);

function typeOf(value: PythonValue | undefined): StoredType | undefined {
  const name = isGlobal(value) ? value.global.replace(/^torch\./, '') : '';
  return Object.values(STORAGES).find((type) => type === name);
}

/** A tensor from (storage, offset, shape, strides, ...), in elements. */
function viewOf(args: readonly PythonValue[], type: StoredType | undefined, reject: RejectFile): View {
  const [storage, offset, shape, strides] = args;
  const made = foreignOf(storage);
  if (made?.kind !== 'storage') throw reject('a tensor has no storage');
  const isNatural = (n: unknown): n is number => Number.isSafeInteger(n) && Number(n) >= 0;
  const areNaturals = (list: unknown): list is number[] => Array.isArray(list) && list.every(isNatural);
  if (!isNatural(offset) || !areNaturals(shape) || !areNaturals(strides) || shape.length !== strides.length) {
    throw reject('a tensor has no valid shape');
  }
  return { kind: 'tensor', storage: { ...made, type: type ?? made.type }, offset, shape, strides };
}

/** All tensors by name: at the root, or under `state_dict`, where training frameworks put them. */
function viewsOf(root: PythonValue): [string, View][] {
  if (!(root instanceof Map)) return [];
  const inner = root.get('state_dict');
  const map: ReadonlyMap<PythonValue, PythonValue> = inner instanceof Map ? inner : root;
  return [...map].flatMap(([key, value]): [string, View][] => {
    const made = foreignOf(value);
    return typeof key === 'string' && made?.kind === 'tensor' ? [[key, made]] : [];
  });
}

function storedTensor(
  name: string,
  { storage, offset, shape, strides }: View,
  { start, length }: ZipEntry,
  source: ByteSource,
  reject: RejectFile,
): StoredTensor {
  const width = bytesOf(storage.type);
  const count = elementCount(shape);
  const span = count === 0 ? 0 : shape.reduce((sum, extent, i) => sum + (extent - 1) * strides[i]!, 1);
  if ((offset + span) * width > length) throw reject(`"${name}" of shape [${shape}] goes past its storage`);
  return {
    name,
    type: storage.type,
    shape,
    async read() {
      const bytes = await source.read(start + offset * width, span * width);
      return isRowMajor(shape, strides) ? bytes : gather(bytes, { shape, strides, width });
    },
  };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false;
    expected *= shape[i]!;
  }
  return true;
}

function gather(
  bytes: Uint8Array,
  { shape, strides, width }: { shape: readonly number[]; strides: readonly number[]; width: number },
): Uint8Array<ArrayBuffer> {
  const count = elementCount(shape);
  const out = new Uint8Array(count * width);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < count; to++) {
    for (let b = 0; b < width; b++) out[to * width + b] = bytes[from * width + b]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function foreignOf(value: PythonValue | undefined): Storage | View | undefined {
  const isForeign = typeof value === 'object' && value !== null && 'foreign' in value;
  return isForeign ? ((value as Foreign).foreign as Storage | View) : undefined;
}

function isGlobal(value: PythonValue | undefined): value is Global {
  return typeof value === 'object' && value !== null && 'global' in value;
}
