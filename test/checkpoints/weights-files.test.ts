// Files of weights as PyTorch and safetensors write them, and what is not one. The files: bench/peers/weight_layouts.py.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TensorFile } from '../../src/checkpoints/index.ts';
import {
  fromFloats,
  memorySource,
  openSafetensors,
  openWeights,
  safetensorsChunks,
  toFloats,
} from '../../src/checkpoints/index.ts';
import { AvatarError, BadInputError } from '../../src/errors/index.ts';
import { createRandom, encodeSafetensors } from '../../src/tensor/index.ts';

type Goldens = {
  readonly files: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, readonly number[]>>;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
};
const goldens: Goldens = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens', 'files.json'), 'utf8'));
const bytesOf = (name: string): Uint8Array => Buffer.from(goldens.files[name]!, 'base64');
const open = (bytes: Uint8Array, name = 'weights'): Promise<TensorFile> =>
  openWeights(memorySource(bytes, name), async () => null);
const refused = (code: string) => (error: unknown) => error instanceof AvatarError && error.code === code;

for (const name of ['plain.pth', 'lightning.ckpt', 'plain.safetensors']) {
  test(`${name}: every element type and stride comes out as the library holds it`, async () => {
    const { tensors } = await open(bytesOf(name), name);
    assert.deepEqual([...tensors.keys()].sort(), Object.keys(goldens.values).sort());
    for (const [key, tensor] of tensors) {
      assert.deepEqual([...tensor.shape], goldens.shapes[key]);
      const values = toFloats(await tensor.read(), tensor.type);
      assert.deepEqual(Array.from(values), goldens.values[key]!.map(Math.fround), key);
    }
  });
}

/**
 * An archive with its directory written again as archives beyond 4 GB have it: sizes and places in the extra field of
 * each entry, and the directory's own in a record of 64 bits. Source: APPNOTE.TXT, 4.3.14, 4.3.15 and 4.5.3.
 */
function asZip64(archive: Uint8Array): Uint8Array {
  const bytes = Buffer.from(archive);
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const [count, start] = [bytes.readUInt16LE(end + 10), bytes.readUInt32LE(end + 16)];
  const entries: Buffer[] = [];
  for (let at = start, i = 0; i < count; i++) {
    const [name, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const entry = Buffer.from(bytes.subarray(at, at + 46 + name!));
    const long = Buffer.alloc(28);
    long.writeUInt16LE(1, 0);
    long.writeUInt16LE(24, 2);
    for (const [k, field] of [24, 20, 42].entries()) {
      long.writeBigUInt64LE(BigInt(entry.readUInt32LE(field)), 4 + 8 * k);
      entry.writeUInt32LE(0xffffffff, field);
    }
    entry.writeUInt16LE(long.length, 30);
    entry.writeUInt16LE(0, 32);
    entries.push(entry, long);
    at += 46 + name! + extra! + comment!;
  }
  const directory = Buffer.concat(entries);
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(directory.length), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + directory.length), 8);
  locator.writeUInt32LE(1, 16);
  const last = Buffer.from(bytes.subarray(end, end + 22));
  last.fill(0xff, 8, 20);
  last.writeUInt16LE(0, 20);
  return Buffer.concat([bytes.subarray(0, start), directory, record, locator, last]);
}

test('an archive with places of 64 bits, as files beyond 4 GB have them, is read as any other', async () => {
  const whole = asZip64(bytesOf('plain.pth'));
  const { tensors } = await open(whole);
  assert.deepEqual([...tensors.keys()].sort(), Object.keys(goldens.values).sort());
  for (const [key, tensor] of tensors) {
    const values = toFloats(await tensor.read(), tensor.type);
    assert.deepEqual(Array.from(values), goldens.values[key]!.map(Math.fround), key);
  }
  // Places past the end, and a record that is not where the locator says.
  const view = Buffer.from(whole);
  const record = view.lastIndexOf(Buffer.from('PK\x06\x06', 'latin1'));
  const lies: [number, bigint][] = [
    [record + 48, 2n ** 40n],
    [record + 40, 2n ** 63n],
    [record + 32, 2n ** 32n],
    [whole.length - 22 - 12, 2n ** 50n],
    [whole.length - 22 - 12, 0n],
  ];
  for (const [at, value] of lies) {
    const lying = Buffer.from(whole);
    lying.writeBigUInt64LE(value, at);
    await assert.rejects(open(lying), refused('bad-weights-file'), `${value} at ${at - record}`);
  }
});

test('a pickle that calls is refused by the name it asks for, and nothing is run', async () => {
  await assert.rejects(open(bytesOf('calls.ckpt')), (error: unknown) => {
    assert.ok(error instanceof BadInputError);
    return error.code === 'pickle-call' && error.message.includes('eval');
  });
});

test('opcodes that reach outside the file are refused in every form, and unknown ones too', async () => {
  const whole = bytesOf('plain.pth');
  const start = Buffer.from(whole).indexOf(Buffer.from('\x80\x02}', 'latin1')) + 2;
  /** The file with its pickle begun anew; `.` ends it. */
  const withPickle = (pickle: string): Uint8Array => {
    const bytes = Uint8Array.from(whole);
    bytes.set(Buffer.from(pickle, 'latin1'), start);
    return bytes;
  };
  const outside = [
    ...['cos\nsystem\n.', "(S'x'\nios\nsystem\n.", "(cos\nsystem\nS'x'\no.", "cposix\nsystem\n(S'x'\ntR."],
    ...['\x8c\x02os\x8c\x06system\x93.', 'cbuiltins\nexec\n)\x81.', 'cruntime\nrun\n)}\x92.'],
    ...['\x82\x01.', '\x83\x01\x00.', '\x84\x01\x00\x00\x00.', 'ctorch.serialization\nload\n.'],
  ];
  for (const pickle of outside)
    await assert.rejects(open(withPickle(pickle)), refused('pickle-call'), pickle);
  for (const pickle of ['\x97.', '\xff.', '\x80\x09.', "S'x'\n)R.", 'ctorch\nFloatStorage\n)R.']) {
    await assert.rejects(open(withPickle(pickle)), refused('bad-weights-file'), pickle);
  }
  for (let opcode = 0; opcode < 256; opcode++) {
    await open(withPickle(String.fromCharCode(opcode))).catch((error: unknown) =>
      assert.ok(error instanceof AvatarError, `opcode ${opcode}: ${String(error)}`),
    );
  }
});

test('what is no file of weights says so in one line', async () => {
  await assert.rejects(open(bytesOf('old.pth')), refused('old-torch-file'));
  await assert.rejects(open(bytesOf('no-tensors.bin')), refused('bad-weights-file'));
  await assert.rejects(open(bytesOf('compressed.pth')), refused('bad-weights-file'));
  await assert.rejects(open(bytesOf('plain.pth').subarray(0, 2000)), refused('bad-weights-file'));
  await assert.rejects(open(new TextEncoder().encode('version https://git-lfs')), refused('pointer-file'));
  await assert.rejects(open(Uint8Array.of(1, 2, 3)), refused('bad-weights-file'));
});

const plain = (): Uint8Array =>
  encodeSafetensors({
    metadata: {},
    tensors: {
      a: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) },
      b: { dtype: 'float32', shape: [1], data: Float32Array.of(3) },
    },
  });
/** The file with its header edited, and the header's length set right unless `length` says otherwise. */
function withHeader(edit: (header: string) => string, length?: number): Uint8Array {
  const bytes = plain();
  const old = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = new TextEncoder().encode(edit(new TextDecoder().decode(bytes.subarray(8, 8 + old))));
  const edited = new Uint8Array(8 + header.length + bytes.length - 8 - old);
  new DataView(edited.buffer).setBigUint64(0, BigInt(length ?? header.length), true);
  edited.set(header, 8);
  edited.set(bytes.subarray(8 + old), 8 + header.length);
  return edited;
}

test('a header that lies about its size, its offsets or its shapes is refused', async () => {
  const lies: [Uint8Array, RegExp][] = [
    [withHeader((h) => h, 10 ** 9), /claims 1000000000 bytes/],
    [withHeader((h) => h, 12), /not JSON/],
    [withHeader((h) => h.replace('[8,12]', '[4,8]')), /overlaps/],
    [withHeader((h) => h.replace('[8,12]', '[12,16]')), /hole of 4 bytes/],
    [withHeader((h) => h.replace('"shape":[1]', '"shape":[2]')), /does not fit its bytes/],
    [withHeader((h) => h.replace('"F32"', '"F33"')), /unknown element type/],
    [withHeader((h) => h.replace('"shape":[1]', '"shape":[-1]')), /no valid shape/],
    [withHeader(() => '[]      '), /not a JSON object/],
    [plain().subarray(0, -2), /cut short/],
    [Uint8Array.from([...plain(), 0, 0]), /belong to no tensor/],
  ];
  for (const [bytes, expected] of lies) {
    await assert.rejects(openSafetensors(memorySource(bytes, 'lie')), (error: unknown) => {
      assert.ok(error instanceof BadInputError);
      assert.match(error.message, expected);
      return true;
    });
  }
});

test('10,000 mutated headers are read or refused, and nothing else happens', async () => {
  const whole = [plain(), bytesOf('plain.safetensors')];
  const random = createRandom(7);
  let refusals = 0;
  for (let i = 0; i < 10_000; i++) {
    const bytes = Uint8Array.from(i % 20 === 0 ? bytesOf('plain.pth') : random.choose(whole));
    const reach = random.uniform() < 0.8 ? Math.min(400, bytes.length) : bytes.length;
    for (let n = 1 + random.integer(4); n > 0; n--) bytes[random.integer(reach)] = random.integer(256);
    const cut = random.uniform() < 0.1 ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
    try {
      const { tensors } = await open(cut);
      for (const tensor of tensors.values()) await tensor.read();
    } catch (error) {
      assert.ok(error instanceof AvatarError, `seed 7, file ${i}: ${String(error)}`);
      refusals++;
    }
  }
  assert.ok(refusals > 5000, `${refusals} of 10,000 were refused`);
});

test('shards are read as one file; one that is missing is named', async () => {
  const index = new TextEncoder().encode('{"weight_map": {"a": "1.safetensors", "b": "1.safetensors"}}');
  const source = memorySource(index, 'model.safetensors.index.json');
  const file = await openWeights(source, async (name) =>
    name === '1.safetensors' ? memorySource(plain(), name) : null,
  );
  assert.deepEqual([...file.tensors.keys()], ['a', 'b']);
  await assert.rejects(
    openWeights(source, async () => null),
    (error: unknown) => error instanceof AvatarError && /1\.safetensors/.test(error.message),
  );
  const outside = new TextEncoder().encode('{"weight_map": {"a": "../1.safetensors"}}');
  await assert.rejects(
    openWeights(memorySource(outside, 'x.index.json'), async () => memorySource(plain(), 'x')),
    refused('missing-shard'),
  );
});

test('bf16 rounds to nearest and even, and keeps infinities and NaN', () => {
  const values = Float32Array.of(1, -1.00390625, 1.01171875, 3.4e38, Infinity, Number.NaN, 1e-40);
  const back = toFloats(fromFloats(values, 'bfloat16'), 'bfloat16');
  assert.deepEqual(Array.from(back).slice(0, 5), [1, -1, 1.015625, Infinity, Infinity]);
  assert.ok(Number.isNaN(back[5]));
  assert.ok(Math.abs(back[6]! - 1e-40) < 5e-41);
});

test('what is written in pieces is read back in any precision', async () => {
  for (const precision of ['float32', 'float16', 'bfloat16'] as const) {
    const { tensors } = await open(bytesOf('plain.pth'));
    const wanted = ['float32', 'float16', 'bfloat16', 'float64', 'transposed'];
    const written = wanted.map((name) => ({ ...tensors.get(name)!, writtenType: precision }));
    const chunks: Uint8Array[] = [];
    for await (const chunk of safetensorsChunks(written, { license: 'none' })) chunks.push(chunk);
    const file = await open(Buffer.concat(chunks));
    assert.equal(file.metadata.license, 'none');
    for (const name of wanted) {
      const values = toFloats(await file.tensors.get(name)!.read(), precision);
      for (const [i, value] of values.entries()) {
        assert.ok(Math.abs(value - goldens.values[name]![i]!) <= 2 ** -7 * 2.5, `${name} in ${precision}`);
      }
    }
  }
});
