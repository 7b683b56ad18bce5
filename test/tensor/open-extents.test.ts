import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDevice } from '../../src/node/index.ts';
import {
  add,
  createRandom,
  emitModel,
  encodeOnnxModel,
  input,
  matmul,
  parameter,
  planMemory,
  relu,
  reshape,
  type Tensor,
  tensor,
  withOpenExtents,
} from '../../src/tensor/index.ts';

const device = await createDevice('cpu');
const [x, w] = [input('x', [6, 8]), parameter('w', [4, 4])];
const isWeight = (name: string): boolean => name === 'w';
const folded = reshape(x, [2, 6, 4]);
const model = emitModel({
  name: 'folding',
  outputs: { y: reshape(add(relu(matmul(folded, w)), folded), [6, 8]), flat: reshape(folded, [48]) },
});
const random = createRandom(1);
const noise = (shape: readonly number[]): Tensor =>
  tensor(random.fillNormal(new Float32Array(shape.reduce((a, b) => a * b))), shape);

test('a model with open extents gives the same numbers', async () => {
  const opened = withOpenExtents(model, isWeight);
  assert.deepEqual(
    opened.inputs.map(({ shape }) => shape),
    [
      ['x.extent', 8],
      [4, 4],
    ],
  );
  const feeds = { x: noise([6, 8]), w: noise([4, 4]) };
  const outputs = [];
  for (const one of [model, opened]) {
    await using session = await device.createSession(encodeOnnxModel(one));
    outputs.push(await session.run(feeds));
  }
  assert.deepEqual(outputs[1], outputs[0]);
});

test('a buffer that serves once is not held while others are larger', () => {
  const through = (value: typeof x, width: number): typeof x =>
    matmul(matmul(value, parameter(`in${width}`, [8, width])), parameter(`out${width}`, [width, 8]));
  const hourglass = emitModel({
    name: 'hourglass',
    outputs: { y: through(through(through(x, 64), 60), 64) },
  });
  const planned = (reuses: boolean): number =>
    planMemory(hourglass, (name) => /^(in|out)/.test(name), { reuses }).activationBytes;
  const ROW_BYTES = 6 * 4;
  // Reused, the buffer of 64 columns waits while that of 60 and a narrow one are in use.
  assert.equal(planned(true), (64 + 60 + 8) * ROW_BYTES);
  assert.equal(planned(false), (64 + 8) * ROW_BYTES);
});
