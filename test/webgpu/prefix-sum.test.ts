// The running sum against a plain loop.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../src/tensor/index.ts';
import { createPrefixSum, createWorkSize, writeWorkSize } from '../../src/webgpu/index.ts';
import { openTestDevice } from './test-device.ts';

const { skip, context } = await openTestDevice();

async function sumOnGpu(values: Uint32Array<ArrayBuffer>): Promise<Uint32Array> {
  const bytes = (values.length + 1) * 4;
  const [from, sums] = [context().createBuffer('values', bytes), context().createBuffer('sums', bytes)];
  const work = createWorkSize(context(), 'work');
  using sum = await createPrefixSum(context(), values.length);
  writeWorkSize(context(), work, values.length);
  context().device.queue.writeBuffer(from, 0, values);
  const answer = await context().run((encoder) => {
    const pass = encoder.beginComputePass({ label: 'sum' });
    sum.record(pass, { work, values: from, sums });
    pass.end();
    return [{ buffer: sums, bytes }];
  });
  for (const buffer of [from, sums, work]) buffer.destroy();
  return new Uint32Array(answer);
}

for (const count of [0, 1, 7, 2047, 2048, 2049, 600_000]) {
  test(`the running sums of ${count} numbers are those of a loop`, { skip }, async () => {
    const random = createRandom(count);
    const values = Uint32Array.from({ length: count }, () => Math.floor(random.uniform(0, 1000)));
    let before = 0;
    const expected = Array.from(values, (value) => {
      before += value;
      return before - value;
    });
    assert.deepEqual(await sumOnGpu(values), Uint32Array.from([...expected, before]));
  });
}

test('a sum beyond 32 bits stays at the largest number', { skip }, async () => {
  const sums = await sumOnGpu(new Uint32Array(5000).fill(1_000_000));
  assert.equal(sums.at(-1), 2 ** 32 - 1);
});
