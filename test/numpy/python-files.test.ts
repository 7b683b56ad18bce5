// Pickles and NumPy files that Python itself wrote (bench/peers/pickles.py), and files that are damaged or hostile.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import { decodeNpy, decodeNpz, decodePickle, encodeNpy, encodeNpz } from '../../src/numpy/index.ts';

type Entry = { readonly name: string; readonly base64: string };
type Goldens = {
  readonly expected: Record<string, unknown>;
  readonly pickles: readonly Entry[];
  readonly npz: readonly Entry[];
  readonly npyOfDictionary: Entry;
  readonly calls: readonly Entry[];
};

const goldens: Goldens = JSON.parse(
  readFileSync(join(import.meta.dirname, 'goldens', 'pickles.json'), 'utf8'),
);
const bytesOf = ({ base64 }: Entry): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** Maps as objects and arrays' data as lists, for comparison with JSON. */
function asJson(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, asJson(item)]));
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value === 'object' && value !== null && 'data' in value) {
    const { shape, data } = value as { shape: number[]; data: Float64Array };
    return { shape: [...shape], data: [...data] };
  }
  return value;
}

function refused(act: () => unknown, code: string, pattern: RegExp): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof BadInputError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    return true;
  });
}

for (const entry of goldens.pickles) {
  test(`a pickle of ${entry.name} holds the numbers that Python put in`, () => {
    assert.deepEqual(asJson(decodePickle(bytesOf(entry))), goldens.expected);
  });
}

for (const entry of goldens.npz) {
  test(`an npz with ${entry.name} entries holds the numbers that Python put in`, () => {
    const read = decodeNpz(bytesOf(entry));
    assert.ok(read.size >= 10);
    for (const [key, array] of read) assert.deepEqual(asJson(array), goldens.expected[key], key);
  });
}

test('an npy of a dictionary is that dictionary', () => {
  const read = asJson(decodeNpy(bytesOf(goldens.npyOfDictionary)));
  assert.deepEqual(read, { lmk_face_idx: { shape: [4], data: [0, 1, 2, 3] } });
});

test('pickles that try to call anything are refused by name, in every protocol', () => {
  assert.ok(goldens.calls.length >= 20);
  for (const entry of goldens.calls) {
    refused(() => decodePickle(bytesOf(entry), 'model.pkl'), 'pickle-call', /^model\.pkl asks to load "/);
  }
});

test('a pickle cut short anywhere is refused, never half read', () => {
  for (const entry of [goldens.pickles[0]!, goldens.pickles[2]!, goldens.pickles[5]!]) {
    const whole = bytesOf(entry);
    for (let length = 0; length < whole.length; length += 1 + (length >> 4)) {
      refused(() => decodePickle(whole.subarray(0, length)), 'bad-numpy-file', /cannot be read/);
    }
  }
});

test('a pickle with any byte changed is read or refused, and throws nothing else', () => {
  const whole = bytesOf(goldens.pickles[2]!);
  for (let at = 0; at < Math.min(whole.length, 1500); at++) {
    const changed = whole.slice();
    changed[at] = changed[at]! ^ 0x55;
    try {
      decodePickle(changed);
    } catch (error) {
      assert.ok(error instanceof BadInputError, `byte ${at}: ${error}`);
    }
  }
});

test('a small pickle that unfolds into a huge list stays small, one that holds itself is refused', () => {
  // Each level is a list of ten times the one below.
  const level = (memo: number): string => `(${`g${memo - 1}\n`.repeat(10)}lp${memo}\n`;
  const bomb = `(lp0\n${Array.from({ length: 25 }, (_, i) => level(i + 1)).join('')}.`;
  const start = performance.now();
  assert.ok(Array.isArray(decodePickle(text(bomb))));
  assert.ok(performance.now() - start < 500);
  refused(() => decodePickle(text('(lp0\ng0\na.')), 'bad-numpy-file', /nests too deeply/);
});

test('what is no pickle, npy or zip is said to be none', () => {
  refused(() => decodePickle(text('PNG picture'), 'a.pkl'), 'pickle-call', /a\.pkl/);
  refused(() => decodePickle(text('\u0001')), 'bad-numpy-file', /0x01 at 0 is no part of a pickle/);
  refused(() => decodeNpy(text('hello there, all'), 'l.npy'), 'bad-numpy-file', /l\.npy.*does not begin/);
  refused(() => decodeNpz(text('hello')), 'bad-numpy-file', /no whole zip archive/);
  const npz = bytesOf(goldens.npz[1]!);
  refused(() => decodeNpz(npz.subarray(0, npz.length - 40)), 'bad-numpy-file', /no whole zip archive/);
});

test('an npy with fewer bytes than its shape needs, or with text in it, is refused', () => {
  const npy = encodeNpy({ shape: [2, 3], data: new Float32Array(6) });
  refused(
    () => decodeNpy(npy.subarray(0, npy.length - 4)),
    'bad-numpy-file',
    /\(2, 3\) needs 24 bytes, has 20/,
  );
  const strings = Uint8Array.from(npy);
  strings.set(text("'<U4'"), strings.indexOf(0x3c) - 1);
  refused(() => decodeNpy(strings), 'bad-numpy-file', /type "<U4"/);
});

test('what is written is read back, and the same arrays give the same bytes', () => {
  const arrays = {
    expr: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    time: { shape: [3], data: Float64Array.of(0.1, 0.2, 0.3) },
    index: { shape: [], data: Int32Array.of(7) },
  };
  const bytes = encodeNpz(arrays);
  assert.deepEqual(asJson(decodeNpz(bytes)), asJson(new Map(Object.entries(arrays))));
  assert.deepEqual(encodeNpz(arrays), bytes);
});
