// Reads pickles, protocols 0 to 5, without ever running one: a small stack machine that knows the opcodes for data,
// and takes names from the list of `pickle-globals.ts` alone. A file that asks for any other name is refused.
// Source: PEP 307, PEP 3154, PEP 574 and the documentation of Python's `pickletools`.

import { BadInputError } from '../errors/index.ts';
import type { NumpyArray } from './numpy-array.ts';
import { rejectFile } from './numpy-array.ts';
import { finish, isGlobal, isPending, type PythonValue } from './pickle-globals.ts';
import { runPickle } from './pickle-machine.ts';

/** What a pickle comes to: plain values, containers and arrays. */
export type PickledValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | NumpyArray
  | readonly PickledValue[]
  | ReadonlyMap<string, PickledValue>;

/** Containers within containers; a head model has three. */
const MAX_DEPTH = 32;

/**
 * Reads a pickle.
 * @param name what to call the file in errors
 * @throws BadInputError `pickle-call` where it asks for anything but arrays and plain containers; `bad-numpy-file`
 *   where it is cut short or makes no sense.
 */
export function decodePickle(bytes: Uint8Array, name = 'pickle'): PickledValue {
  const reject = rejectFile(name);
  const refuse = (global: string): BadInputError =>
    new BadInputError({
      code: 'pickle-call',
      message: `${name} asks to load "${global}", which no head model needs; nothing of it was run`,
      hint: 'use the file as its makers published it; if this is the original, say what it is in a bug report',
    });
  // Each object once, however often it is referred to: a small file must not unfold into a large one.
  const known = new Map<PythonValue, PickledValue>();
  const simplify = (value: PythonValue, depth: number): PickledValue => {
    if (depth > MAX_DEPTH) throw reject('it nests too deeply');
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
    const before = known.get(value);
    if (before !== undefined) return before;
    const made = simplifyObject(value, depth);
    known.set(value, made);
    return made;
  };
  const simplifyObject = (value: PythonValue & object, depth: number): PickledValue => {
    if (isPending(value)) {
      const finished = finish(value, reject);
      if (finished === null || 'shape' in finished) return finished;
      return finished.map((item) => simplify(item, depth + 1));
    }
    if (isGlobal(value)) return value.global;
    if (value instanceof Map) {
      const entries = [...value].map(
        ([key, item]) => [String(key), simplify(item as PythonValue, depth + 1)] as const,
      );
      return new Map(entries);
    }
    return [...(value as Iterable<PythonValue>)].map((item) => simplify(item, depth + 1));
  };
  return simplify(runPickle(bytes, reject, refuse), 0);
}
