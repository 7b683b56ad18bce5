// The stack machine of a pickle: bytes in, one value out. It builds numbers, text and containers by itself and asks
// `pickle-globals.ts` for everything that has a name.

import type { Reject } from './numpy-array.ts';
import {
  applyState,
  findGlobal,
  isGlobal,
  type PickleExtension,
  type PythonValue,
  type Refuse,
} from './pickle-globals.ts';
import { latin1, unescapeUnicode, unquote } from './pickle-text.ts';

/** Runs a pickle to its end. @throws `reject`'s error on damage, `refuse`'s on names that are not allowed. */
export function runPickle(
  bytes: Uint8Array,
  reject: Reject,
  refuse: Refuse,
  extension?: PickleExtension,
): PythonValue {
  return new PickleMachine(bytes, reject, refuse, extension).run();
}

const MAX_LONG_BYTES = 64;

class PickleMachine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #reject: Reject;
  readonly #refuse: Refuse;
  readonly #extension: PickleExtension | undefined;
  #at = 0;
  #stack: PythonValue[] = [];
  /** The stacks that marks have set aside. */
  readonly #marked: PythonValue[][] = [];
  readonly #memo = new Map<number, PythonValue>();

  constructor(bytes: Uint8Array, reject: Reject, refuse: Refuse, extension: PickleExtension | undefined) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reject = reject;
    this.#refuse = refuse;
    this.#extension = extension;
  }

  run(): PythonValue {
    for (;;) {
      const opcode = String.fromCharCode(this.#take(1)[0]!);
      if (opcode === '.') return this.#pop();
      this.#step(opcode);
    }
  }

  #step(opcode: string): void {
    if (this.#pushScalar(opcode) || this.#pushText(opcode) || this.#pushContainer(opcode)) return;
    if (this.#useMemo(opcode) || this.#makeObject(opcode)) return;
    switch (opcode) {
      case '\x80': {
        const protocol = this.#uint(1);
        if (protocol > 5) throw this.#reject(`it is a pickle of protocol ${protocol}, expected 0 to 5`);
        return;
      }
      case '\x95':
        this.#take(8); // The length of a frame: the reader has all bytes anyway.
        return;
      case '(':
        this.#marked.push(this.#stack);
        this.#stack = [];
        return;
      case '0':
        this.#pop();
        return;
      case '1':
        this.#popMark();
        return;
      case '2':
        this.#push(this.#top());
        return;
      case 'P':
        this.#pushPersistent(() => this.#line());
        return;
      case 'Q':
        this.#pushPersistent(() => this.#pop());
        return;
      case '\x82':
      case '\x83':
      case '\x84':
        throw this.#refuse('an object outside the file');
      default: {
        const code = opcode.charCodeAt(0).toString(16).padStart(2, '0');
        throw this.#reject(`byte 0x${code} at ${this.#at - 1} is no part of a pickle`);
      }
    }
  }

  #pushScalar(opcode: string): boolean {
    switch (opcode) {
      case 'N':
        return this.#push(null);
      case '\x88':
        return this.#push(true);
      case '\x89':
        return this.#push(false);
      case 'I': {
        const line = this.#line();
        if (line === '00' || line === '01') return this.#push(line === '01');
        return this.#push(this.#number(line));
      }
      case 'L':
        return this.#push(this.#number(this.#line().replace(/L$/, '')));
      case 'F':
        return this.#push(this.#number(this.#line()));
      case 'J':
        return this.#push(this.#skip(4, (at) => this.#view.getInt32(at, true)));
      case 'K':
        return this.#push(this.#uint(1));
      case 'M':
        return this.#push(this.#uint(2));
      case 'G':
        return this.#push(this.#skip(8, (at) => this.#view.getFloat64(at)));
      case '\x8a':
        return this.#push(this.#long(this.#uint(1)));
      case '\x8b':
        return this.#push(this.#long(this.#uint(4)));
      default:
        return false;
    }
  }

  #pushText(opcode: string): boolean {
    const bytes = (width: 1 | 4 | 8): Uint8Array => this.#take(this.#uint(width));
    switch (opcode) {
      case 'S':
        return this.#push(unquote(this.#line(), this.#reject));
      case 'U':
        return this.#push(latin1(bytes(1)));
      case 'T':
        // Long texts are an array's bytes: as text they would fill the memory.
        return this.#push(bytes(4));
      case 'V':
        return this.#push(unescapeUnicode(this.#line()));
      case '\x8c':
        return this.#push(this.#utf8(bytes(1)));
      case 'X':
        return this.#push(this.#utf8(bytes(4)));
      case '\x8d':
        return this.#push(this.#utf8(bytes(8)));
      case 'C':
        return this.#push(bytes(1));
      case 'B':
        return this.#push(bytes(4));
      case '\x8e':
      case '\x96':
        return this.#push(bytes(8));
      case '\x97':
        throw this.#reject('its arrays lie outside the file');
      case '\x98':
        return true; // READONLY_BUFFER: the top stays what it is.
      default:
        return false;
    }
  }

  #pushContainer(opcode: string): boolean {
    switch (opcode) {
      case ')':
      case ']':
        return this.#push([]);
      case '}':
        return this.#push(new Map());
      case '\x8f':
        return this.#push(new Set());
      case 't':
      case 'l':
        return this.#push(this.#popMark());
      case '\x91':
        return this.#push(new Set(this.#popMark()));
      case '\x85':
      case '\x86':
      case '\x87': {
        const count = opcode.charCodeAt(0) - 0x84;
        const items = Array.from({ length: count }, () => this.#pop()).reverse();
        return this.#push(items);
      }
      case 'd':
        return this.#push(this.#fill(new Map(), this.#popMark()));
      case 'a': {
        const item = this.#pop();
        return this.#append([item]);
      }
      case 'e':
        return this.#append(this.#popMark());
      case 's': {
        const value = this.#pop();
        const key = this.#pop();
        this.#fill(this.#top(), [key, value]);
        return true;
      }
      case 'u': {
        const items = this.#popMark();
        this.#fill(this.#top(), items);
        return true;
      }
      case '\x90': {
        const items = this.#popMark();
        const set = this.#top();
        if (!(set instanceof Set)) throw this.#reject('items are added to what is no set');
        for (const item of items) (set as Set<PythonValue>).add(item);
        return true;
      }
      default:
        return false;
    }
  }

  #useMemo(opcode: string): boolean {
    const put = (key: number): boolean => {
      this.#memo.set(key, this.#top());
      return true;
    };
    const get = (key: number): boolean => {
      const known = this.#memo.get(key);
      if (known === undefined) throw this.#reject(`it refers to an object ${key} that it has not made`);
      return this.#push(known);
    };
    switch (opcode) {
      case 'p':
        return put(this.#number(this.#line()));
      case 'q':
        return put(this.#uint(1));
      case 'r':
        return put(this.#uint(4));
      case '\x94':
        return put(this.#memo.size);
      case 'g':
        return get(this.#number(this.#line()));
      case 'h':
        return get(this.#uint(1));
      case 'j':
        return get(this.#uint(4));
      default:
        return false;
    }
  }

  #makeObject(opcode: string): boolean {
    const global = (module: PythonValue, name: PythonValue): PythonValue =>
      this.#extension?.find(String(module), String(name)) ??
      findGlobal(String(module), String(name), this.#reject, this.#refuse);
    const make = (callee: PythonValue, args: PythonValue): boolean => {
      if (!isGlobal(callee) || !Array.isArray(args)) throw this.#reject('it calls what is no class');
      return this.#push(callee.make(args as PythonValue[]));
    };
    switch (opcode) {
      case 'c': {
        const module = this.#line();
        return this.#push(global(module, this.#line()));
      }
      case '\x93': {
        const name = this.#pop();
        return this.#push(global(this.#pop(), name));
      }
      case 'i': {
        const module = this.#line();
        const type = global(module, this.#line());
        return make(type, this.#popMark());
      }
      case 'o': {
        const [type, ...args] = this.#popMark();
        return make(type ?? null, args);
      }
      case 'R':
      case '\x81': {
        const args = this.#pop();
        return make(this.#pop(), args);
      }
      case '\x92': {
        this.#pop(); // Keyword arguments: none of the allowed classes has any.
        const args = this.#pop();
        return make(this.#pop(), args);
      }
      case 'b': {
        const state = this.#pop();
        applyState(this.#top(), state, this.#reject);
        return true;
      }
      default:
        return false;
    }
  }

  #pushPersistent(id: () => PythonValue): void {
    if (this.#extension === undefined) throw this.#refuse('an object outside the file');
    this.#push(this.#extension.persistent(id()));
  }

  #push(value: PythonValue): true {
    this.#stack.push(value);
    return true;
  }

  #pop(): PythonValue {
    if (this.#stack.length === 0) throw this.#reject('it takes more values than it has made');
    return this.#stack.pop()!;
  }

  #top(): PythonValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.#reject('it takes more values than it has made');
    return value;
  }

  #popMark(): PythonValue[] {
    const items = this.#stack;
    const below = this.#marked.pop();
    if (below === undefined) throw this.#reject('it ends a list that it has not begun');
    this.#stack = below;
    return items;
  }

  #append(items: readonly PythonValue[]): true {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#reject('items are added to what is no list');
    for (const item of items) (list as PythonValue[]).push(item);
    return true;
  }

  #fill(target: PythonValue, items: readonly PythonValue[]): PythonValue {
    if (!(target instanceof Map) || items.length % 2 !== 0) {
      throw this.#reject('entries are added to what is no dictionary');
    }
    const map = target as Map<PythonValue, PythonValue>;
    for (let i = 0; i < items.length; i += 2) map.set(items[i]!, items[i + 1]!);
    return target;
  }

  #take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) {
      throw this.#reject(
        `it is cut short: it ends after ${this.#bytes.length} bytes in the middle of a value`,
      );
    }
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #skip(count: number, read: (at: number) => number): number {
    this.#take(count);
    return read(this.#at - count);
  }

  #uint(width: 1 | 2 | 4 | 8): number {
    return this.#skip(width, (at) => {
      if (width === 1) return this.#view.getUint8(at);
      if (width === 2) return this.#view.getUint16(at, true);
      return width === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
    });
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    const line = latin1(this.#take((end < 0 ? this.#bytes.length : end) - this.#at));
    this.#take(1);
    return line;
  }

  #number(text: string): number {
    const value = Number(text);
    if (text.trim() === '' || Number.isNaN(value)) throw this.#reject(`"${text.slice(0, 40)}" is no number`);
    return value;
  }

  /** A little-endian integer in two's complement. */
  #long(width: number): number {
    if (width > MAX_LONG_BYTES) throw this.#reject(`it holds a number of ${width} bytes`);
    let value = 0n;
    const bytes = this.#take(width);
    for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    return Number(BigInt.asIntN(Math.max(1, 8 * width), value));
  }

  #utf8(bytes: Uint8Array): string {
    // Lone surrogates, which Python may write, come out as replacement characters: no name here has any.
    return new TextDecoder().decode(bytes);
  }
}
