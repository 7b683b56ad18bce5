// One operator in the place of several gives the same numbers, and only where it is asked for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDevice } from '../../src/node/index.ts';
import {
  type AnyTensor,
  attention,
  createRandom,
  elementCount,
  emitModel,
  encodeOnnxModel,
  input,
} from '../../src/tensor/index.ts';

const device = await createDevice('cpu');
const shapes = { query: [2, 200, 24], key: [2, 330, 24], value: [2, 330, 24] } as const;
const [query, key, value] = Object.entries(shapes).map(([name, shape]) => input(name, shape));
const outputs = { y: attention({ query: query!, key: key!, value: value!, heads: 3 }) };
const random = createRandom(4);
const feeds: Record<string, AnyTensor> = Object.fromEntries(
  Object.entries(shapes).map(([name, shape]) => [
    name,
    { dtype: 'float32', shape, data: random.fillNormal(new Float32Array(elementCount(shape))) },
  ]),
);

test('fused attention is one operator that gives what the single ones give', async () => {
  const [plain, fused] = [false, true].map((usesFusedForms) =>
    emitModel({ name: 'a', outputs, usesFusedForms }),
  );
  assert.deepEqual(
    fused!.nodes.map(({ op }) => op),
    ['MultiHeadAttention'],
  );
  assert.ok(plain!.nodes.some(({ op }) => op === 'Softmax'));
  assert.ok(plain!.nodes.every(({ domain }) => domain === undefined));
  const results: Float32Array[] = [];
  for (const model of [plain!, fused!]) {
    await using session = await device.createSession(encodeOnnxModel(model), { threads: 1 });
    results.push((await session.run(feeds)).y!.data as Float32Array);
  }
  const [expected, actual] = results;
  const difference = Math.max(...expected!.map((x, i) => Math.abs(x - actual![i]!)));
  assert.ok(difference < 1e-5, `differs by ${difference}`);
});
