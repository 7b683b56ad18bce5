// Shards of samples: what is written is read, and damage is named.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { encodeSafetensors } from '../../src/tensor/index.ts';
import type { TrainingSample } from '../../src/training/index.ts';
import { decodeSampleShard, encodeSampleShard } from '../../src/training/index.ts';

const SIZE = 4;
const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 37 + seed * 101) % 256);

function sample(seed: number): TrainingSample {
  return {
    reference: bytes(SIZE * SIZE * 3, seed),
    target: bytes(SIZE * SIZE * 3, seed + 1),
    lifted: bytes(SIZE * SIZE * 3, seed + 2),
    visibility: bytes(SIZE * SIZE, seed + 3),
    headMask: bytes(SIZE * SIZE, seed + 4),
    head: {
      identity: Float32Array.of(seed, 2, 3),
      expression: Float32Array.of(0.5, seed),
      jointRotations: new Float32Array(15).fill(seed / 8),
      translation: Float32Array.of(0, 0.25, -seed),
    },
    camera: frontCamera(SIZE, SIZE, 8 + seed),
    referencePlacement: {
      parameters: {
        identity: Float32Array.of(1, seed, 3),
        expression: Float32Array.of(seed, 0.25),
        jointRotations: new Float32Array(15).fill(seed / 4),
        translation: Float32Array.of(0, -0.25, -seed),
      },
      camera: frontCamera(SIZE, SIZE, 9 + seed),
    },
    label: seed % 2 === 0 ? 'real' : 'synthetic',
    kind: seed % 2 === 0 ? 'roundTrip' : 'singleLift',
    subject: 7 * seed,
  };
}

test('a shard reads back as it was written', () => {
  const samples = [sample(0), sample(1), sample(2)];
  const shard = decodeSampleShard(encodeSampleShard({ size: SIZE, headName: 'head', samples }));
  assert.equal(shard.size, SIZE);
  assert.equal(shard.headName, 'head');
  const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_, v) => (ArrayBuffer.isView(v) ? Array.from(v as Uint8Array) : v)));
  assert.deepEqual(plain(shard.samples), plain(samples));
});

test('samples of different picture sizes do not make a shard', () => {
  const small = { ...sample(1), visibility: new Uint8Array(4) };
  assert.throws(
    () => encodeSampleShard({ size: SIZE, headName: 'head', samples: [sample(0), small] }),
    (error: unknown) => error instanceof BadInputError && error.code === 'sample-length',
  );
});

test('a safetensors file of another kind is no shard', () => {
  const other = encodeSafetensors({ metadata: { format: 'learn2control/head' }, tensors: {} });
  assert.throws(
    () => decodeSampleShard(other),
    (error: unknown) => error instanceof BadInputError && error.code === 'bad-sample-shard',
  );
});
