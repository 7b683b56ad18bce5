// The only names that a pickle may ask for: NumPy's arrays, SciPy's sparse matrices, chumpy's arrays and plain
// containers. Nothing is imported or called: each name stands for a few lines here that put numbers together, and
// every other name is refused. Source: the pickled forms that these packages write, seen in their own output.

import type { BadInputError } from '../errors/index.ts';
import {
  arrayFromBytes,
  countOf,
  type ElementType,
  type NumpyArray,
  parseElementType,
  type Reject,
} from './numpy-array.ts';

/** What a pickle may hold, as this reader sees it. */
export type PythonValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly PythonValue[]
  | ReadonlyMap<PythonValue, PythonValue>
  | ReadonlySet<PythonValue>
  | Pending
  | Global
  | Foreign;

/** What an extension has made: the machine carries it about and never looks inside. */
export type Foreign = { readonly foreign: unknown };

/** An object under construction: made by a name, then filled by its state. */
export type Pending = {
  readonly kind: 'array' | 'dtype' | 'csc' | 'csr' | 'chumpy' | 'select' | 'plain';
  /** The finished numbers; for a list of objects, the list. */
  value: NumpyArray | readonly PythonValue[] | null;
  element: ElementType | null;
  state: ReadonlyMap<PythonValue, PythonValue> | null;
};

/** A name from the list: a class, or a function that is one of ours. */
export type Global = {
  readonly global: string;
  readonly make: (args: readonly PythonValue[]) => PythonValue;
};

/** More than the list: names of another package's files, and objects that a file keeps outside its pickle. */
export type PickleExtension = {
  /** What a name stands for; null where the list decides. */
  find(module: string, name: string): Global | null;
  /** The object that a persistent id stands for. */
  persistent(id: PythonValue): PythonValue;
};

/** Sparse matrices are made dense; a joint regressor has some ten thousand elements. */
const MAX_DENSE = 2 ** 26;

/** A pending object of a kind. */
function pending(kind: Pending['kind']): Pending {
  return { kind, value: null, element: null, state: null };
}

export function isPending(value: PythonValue): value is Pending {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

export function isGlobal(value: PythonValue): value is Global {
  return typeof value === 'object' && value !== null && 'global' in value;
}

/** Stands in for `encode(text, 'latin1')`: how Python 3 writes bytes into old protocols. */
function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Raw bytes, which Python 2 wrote as text with one character a byte. */
export function rawBytes(value: PythonValue | undefined, reject: Reject): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return latin1Bytes(value);
  throw reject('an array has no bytes');
}

/** Finds a name. @throws the reader's error for all that is not on the list. */
export function findGlobal(module: string, name: string, reject: Reject, refuse: Refuse): Global {
  const make = makerOf(module, name, reject);
  if (make === null) throw refuse(`${module}.${name}`);
  return { global: `${module}.${name}`, make };
}

/** The error for a name that is not on the list. */
export type Refuse = (name: string) => BadInputError;

function makerOf(module: string, name: string, reject: Reject): Global['make'] | null {
  const key = `${module.replace(/^numpy\._core\b/, 'numpy.core').replace(/^scipy\.sparse\._/, 'scipy.sparse.')}.${name}`;
  switch (key) {
    case 'numpy.core.multiarray._reconstruct':
      return () => pending('array');
    case 'numpy.ndarray':
    case 'numpy.matrixlib.defmatrix.matrix':
      return () => pending('array');
    case 'numpy.dtype':
      return ([descr]) => dtype(descr, reject);
    case 'numpy.core.multiarray.scalar':
      return ([type, bytes]) => {
        const array = arrayFromBytes(rawBytes(bytes, reject), elementOf(type, reject), [], false, reject);
        return array.data[0]!;
      };
    case 'numpy.core.numeric._frombuffer':
      return ([bytes, type, shape, order]) => {
        const array = pending('array');
        const element = elementOf(type, reject);
        array.value = arrayFromBytes(
          rawBytes(bytes, reject),
          element,
          shapeOf(shape, reject),
          order === 'F',
          reject,
        );
        return array;
      };
    case 'scipy.sparse.csc.csc_matrix':
    case 'scipy.sparse.csc.csc_array':
      return () => pending('csc');
    case 'scipy.sparse.csr.csr_matrix':
    case 'scipy.sparse.csr.csr_array':
      return () => pending('csr');
    case 'chumpy.ch.Ch':
      return () => pending('chumpy');
    case 'chumpy.reordering.Select':
      return () => pending('select');
    case 'copy_reg._reconstructor':
    case 'copyreg._reconstructor':
      return ([type]) => {
        if (type === undefined || !isGlobal(type)) throw reject('an object has no class');
        return type.make([]);
      };
    case 'copyreg.__newobj__':
      return ([type, ...args]) => {
        if (type === undefined || !isGlobal(type)) throw reject('an object has no class');
        return type.make(args);
      };
    case '__builtin__.object':
    case 'builtins.object':
      return () => pending('plain');
    case '_codecs.encode':
      return ([text]) => latin1Bytes(String(text));
    case '__builtin__.bytearray':
    case 'builtins.bytearray':
      return ([text]) => (text === undefined ? new Uint8Array(0) : rawBytes(text, reject));
    case '__builtin__.set':
    case 'builtins.set':
    case '__builtin__.frozenset':
    case 'builtins.frozenset':
      return ([items]) => new Set(Array.isArray(items) ? (items as PythonValue[]) : []);
    case 'collections.OrderedDict':
      return ([pairs]) => new Map(Array.isArray(pairs) ? (pairs as [PythonValue, PythonValue][]) : []);
    default:
      return null;
  }
}

function dtype(descr: PythonValue | undefined, reject: Reject): Pending {
  const made = pending('dtype');
  if (typeof descr !== 'string' && !(descr instanceof Uint8Array))
    throw reject('an array has no element type');
  const text = typeof descr === 'string' ? descr : String.fromCharCode(...descr);
  made.element = parseElementType(text, reject);
  return made;
}

function elementOf(value: PythonValue | undefined, reject: Reject): ElementType {
  if (value !== undefined && isPending(value) && value.element !== null) return value.element;
  throw reject('an array has no element type');
}

function shapeOf(value: PythonValue | undefined, reject: Reject): readonly number[] {
  const isExtent = (n: PythonValue): boolean => Number.isSafeInteger(n) && Number(n) >= 0;
  if (Array.isArray(value) && value.every(isExtent)) return value as number[];
  throw reject('an array has no shape');
}

/** Fills a pending object with its state, as `BUILD` asks. @throws the reader's error where they do not fit. */
export function applyState(target: PythonValue, state: PythonValue, reject: Reject): void {
  if (!isPending(target)) return;
  if (target.kind === 'array') {
    const [, shape, type, isFortran, content] = Array.isArray(state) ? (state as PythonValue[]) : [];
    const element = elementOf(type, reject);
    if (element.kind === 'O') {
      if (!Array.isArray(content)) throw reject('a list of objects has no items');
      target.value = content as readonly PythonValue[];
      return;
    }
    const bytes = rawBytes(content, reject);
    target.value = arrayFromBytes(bytes, element, shapeOf(shape, reject), isFortran === true, reject);
  } else if (target.kind === 'dtype') {
    const order = Array.isArray(state) ? state[1] : undefined;
    if (target.element !== null) target.element = { ...target.element, isBigEndian: order === '>' };
  } else if (state instanceof Map) {
    target.state = state as ReadonlyMap<PythonValue, PythonValue>;
  }
}

/** The numbers of a finished object; null where it holds none. */
export function finish(object: Pending, reject: Reject): NumpyArray | readonly PythonValue[] | null {
  switch (object.kind) {
    case 'array':
      if (object.value === null) throw reject('an array was begun and never filled');
      return object.value;
    case 'csc':
    case 'csr':
      return densify(object, reject);
    case 'chumpy': {
      const value = object.state?.get('x');
      if (value === undefined || value === null) return null;
      if (isPending(value)) return finish(value, reject);
      if (typeof value === 'number') return { shape: [], data: Float64Array.of(value) };
      throw reject('a chumpy array holds no numbers');
    }
    case 'select':
      return select(object, reject);
    default:
      return null;
  }
}

function numbersOf(object: Pending, key: string, reject: Reject): NumpyArray {
  const value = object.state?.get(key);
  const array = value !== undefined && isPending(value) ? finish(value, reject) : null;
  if (array === null || !('shape' in array)) throw reject(`a ${object.kind} array has no "${key}"`);
  return array;
}

function densify(object: Pending, reject: Reject): NumpyArray {
  const given = object.state?.get('_shape') ?? object.state?.get('shape');
  const shape = shapeOf(given, reject);
  const [rows, columns] = [shape[0] ?? 0, shape[1] ?? 0];
  if (shape.length !== 2 || countOf(shape) > MAX_DENSE) {
    throw reject(`a sparse matrix of shape (${shape.join(', ')}) is not part of a head model`);
  }
  const [data, indices, starts] = ['data', 'indices', 'indptr'].map(
    (key) => numbersOf(object, key, reject).data,
  );
  const outer = object.kind === 'csc' ? columns : rows;
  const inner = object.kind === 'csc' ? rows : columns;
  const dense = new Float64Array(rows * columns);
  if (starts!.length !== outer + 1 || indices!.length !== data!.length)
    throw reject('a sparse matrix is incomplete');
  for (let o = 0; o < outer; o++) {
    for (let k = starts![o]!; k < starts![o + 1]!; k++) {
      const i = indices![k];
      if (i === undefined || i < 0 || i >= inner) throw reject('a sparse matrix points past its edge');
      const at = object.kind === 'csc' ? i * columns + o : o * columns + i;
      dense[at]! += data![k]!;
    }
  }
  return { shape, data: dense };
}

/** chumpy's view of another array: elements `idxs` of its flattened form. */
function select(object: Pending, reject: Reject): NumpyArray {
  const [source, indices] = [numbersOf(object, 'a', reject), numbersOf(object, 'idxs', reject)];
  const preferred = object.state?.get('preferred_shape');
  const shape = Array.isArray(preferred) ? shapeOf(preferred as PythonValue[], reject) : indices.shape;
  if (countOf(shape) !== indices.data.length) throw reject('a chumpy selection does not fit its shape');
  const data = Float64Array.from(indices.data, (index) => {
    const value = source.data[index];
    if (value === undefined) throw reject('a chumpy selection points past its source');
    return value;
  });
  return { shape, data };
}
