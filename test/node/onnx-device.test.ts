// Devices and sessions on onnxruntime-node.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDevice } from '../../src/node/onnx-device.ts';
import {
  add,
  emitModel,
  encodeOnnxModel,
  input,
  reshape,
  tensor,
  toFloat,
  zeros,
} from '../../src/tensor/index.ts';

const x = input('x', [2]);
const increment = encodeOnnxModel(emitModel({ name: 'increment', outputs: { y: add(x, 1) } }));
const pair = (a: number, b: number) => tensor(Float32Array.of(a, b), [2]);

test('a session writes into tensors that it is given', async () => {
  const device = await createDevice('cpu');
  await using session = await device.createSession(increment);
  assert.deepEqual([session.inputNames, session.outputNames], [['x'], ['y']]);
  const states = [pair(0, 5), zeros([2])] as const;
  await session.run({ x: states[0] }, { y: states[1] });
  const { y } = await session.run({ x: states[1] }, { y: states[0] });
  assert.equal(y, states[0]);
  assert.deepEqual([...states[0].data], [2, 7]);
});

test('halves, integers and truth values pass in and out as they are held', async () => {
  const device = await createDevice('cpu');
  const half = input('half', [2], 'float16');
  const whole = input('whole', [2], 'int64');
  const truth = input('truth', [2], 'bool');
  const outputs = { h: reshape(half, [2, 1]), w: reshape(whole, [2, 1]), t: toFloat(truth) };
  await using session = await device.createSession(encodeOnnxModel(emitModel({ name: 'types', outputs })));
  const { h, w, t } = await session.run({
    half: { dtype: 'float16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) },
    whole: { dtype: 'int64', shape: [2], data: BigInt64Array.of(7n, -7n) },
    truth: { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) },
  });
  assert.deepEqual(h, { dtype: 'float16', shape: [2, 1], data: Uint16Array.of(0x3c00, 0xc000) });
  assert.deepEqual(w, { dtype: 'int64', shape: [2, 1], data: BigInt64Array.of(7n, -7n) });
  assert.deepEqual(t, { dtype: 'float32', shape: [2], data: Float32Array.of(1, 0) });
});

test('a damaged model, a missing feed and a closed session are faults with one line', async () => {
  const device = await createDevice('cpu');
  const refused = { name: 'FaultError', code: 'model-refused' };
  await assert.rejects(device.createSession(increment.slice(0, 40)), refused);
  const session = await device.createSession(increment);
  await assert.rejects(session.run({}), {
    name: 'FaultError',
    code: 'run-failed',
    message: /'x' is missing/,
  });
  await session[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
  await assert.rejects(session.run({ x: pair(1, 2) }), /it was closed before/);
});

test('auto gives a device that runs', async () => {
  const device = await createDevice('auto');
  await using session = await device.createSession(increment);
  assert.deepEqual([...(await session.run({ x: pair(1, 2) })).y!.data], [2, 3]);
});

for (const name of ['webgpu', 'cuda'] as const) {
  test(`${name} either runs or is said to be missing, with what to do`, async () => {
    try {
      const device = await createDevice(name);
      await using session = await device.createSession(increment);
      assert.deepEqual([...(await session.run({ x: pair(1, 2) })).y!.data], [2, 3]);
    } catch (error) {
      const { name: kind, message, hint } = error as { name: string; message: string; hint: string };
      assert.equal(kind, 'MissingResourceError');
      assert.match(message, new RegExp(`^expected a ${name} device, but .+`));
      assert.match(hint, /--device/);
      assert.ok(!message.includes('\n'));
    }
  });
}
