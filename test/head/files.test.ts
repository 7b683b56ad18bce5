// *.head and *.track files: what is written is read, and anything else is refused in one helpful line.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import {
  decodeHead,
  decodeHeadTrack,
  encodeHead,
  encodeHeadTrack,
  type HeadTrack,
} from '../../src/head/index.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/tensor/index.ts';
import { head, headBytes } from './embedded-head.ts';

const track: HeadTrack = {
  headName: head.name,
  width: 640,
  height: 480,
  focalPx: 912.25,
  timestampsSeconds: Float64Array.of(0, 1 / 3),
  identity: Float32Array.from({ length: head.identityCount }, (_, i) => i / 7),
  expression: new Float32Array(2 * 52).fill(0.25),
  jointRotations: new Float32Array(2 * 15).fill(0.1),
  translation: Float32Array.of(0, 0, -0.7, 0.1, 0, -0.8),
  confidence: Float32Array.of(1, 0.5),
  landmarksPx: new Float32Array(2 * 478 * 2).fill(3),
  provenance: { tool: 'test' },
};

/** The bytes with metadata or tensors replaced; undefined removes. */
function altered(
  bytes: Uint8Array,
  change: { metadata?: Record<string, string>; remove?: string },
): Uint8Array {
  const { metadata, tensors } = decodeSafetensors(bytes);
  const kept = Object.fromEntries(Object.entries(tensors).filter(([name]) => name !== change.remove));
  return encodeSafetensors({ metadata: { ...metadata, ...change.metadata }, tensors: kept });
}

function refuses(act: () => unknown, message: RegExp): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof BadInputError);
    assert.match(error.message, message);
    assert.ok(error.hint.length > 0);
    return true;
  });
}

test('a head survives its file, landmarks included', () => {
  const marked = {
    ...head,
    landmarks: { triangles: Uint32Array.of(5, 9), barycentrics: Float32Array.of(1, 0, 0, 0.5, 0.25, 0.25) },
    landmarkWeights: Float32Array.of(1.5, 0.25),
  };
  assert.deepEqual(decodeHead(encodeHead(marked)), marked);
  assert.deepEqual(decodeHead(encodeHead({ ...head, landmarks: null, landmarkWeights: null })), {
    ...head,
    landmarks: null,
    landmarkWeights: null,
  });
});

test('a track survives its file to the last bit', () => {
  assert.deepEqual(decodeHeadTrack(encodeHeadTrack(track)), track);
});

test('a truncated head or track is refused', () => {
  const bytes = encodeHeadTrack(track);
  for (const length of [0, 7, 100, bytes.length - 1]) {
    refuses(() => decodeHeadTrack(bytes.subarray(0, length), 'x.track'), /x\.track/);
  }
  refuses(() => decodeHead(headBytes.subarray(0, headBytes.length - 10), 'x.head'), /x\.head/);
});

test('a file of another kind is refused by its format', () => {
  refuses(() => decodeHead(encodeHeadTrack(track)), /a head model .* got format "learn2control\.track"/);
  refuses(() => decodeHeadTrack(headBytes), /a head track .* got format "learn2control\.head"/);
  const plain = encodeSafetensors({ metadata: {}, tensors: {} });
  refuses(() => decodeHead(plain), /a file without a format/);
});

test('a file of a newer version is refused by its version', () => {
  refuses(
    () => decodeHeadTrack(altered(encodeHeadTrack(track), { metadata: { version: '2' } })),
    /version 1 of "learn2control\.track", got 2/,
  );
});

test('missing entries, wrong shapes and nonsense values are named', () => {
  const bytes = encodeHeadTrack(track);
  refuses(() => decodeHeadTrack(altered(bytes, { remove: 'translation' })), /lacks "translation"/);
  refuses(() => decodeHeadTrack(altered(bytes, { metadata: { focalPx: '-3' } })), /focalPx/);
  refuses(() => decodeHeadTrack(altered(bytes, { metadata: { timestampsSeconds: '[]' } })), /no frames/);
  refuses(
    () => decodeHeadTrack(altered(bytes, { metadata: { timestampsSeconds: '[0]' } })),
    /should be float32/,
  );
  const broken = { ...track, translation: track.translation.map((_, i) => (i === 2 ? Number.NaN : 0)) };
  refuses(() => decodeHeadTrack(encodeHeadTrack(broken)), /"translation" holds values that are not numbers/);
  refuses(() => decodeHead(altered(headBytes, { remove: 'uvs' })), /lacks "uvs"/);
  refuses(
    () => decodeHead(altered(headBytes, { metadata: { jointParents: '[3,0,1,1,1]' } })),
    /jointParents/,
  );
  refuses(() => decodeHead(altered(headBytes, { metadata: { expressionNames: '{' } })), /not JSON/);
});
