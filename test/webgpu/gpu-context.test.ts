// Devices that are not there, too small or lost, and kernels that do not compile: one helpful error each.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultError, MissingResourceError } from '../../src/errors/index.ts';
import { openGpu } from '../../src/node/index.ts';
import type { Gpu } from '../../src/webgpu/index.ts';
import { describeAdapter, GpuContext, requestGpuDevice } from '../../src/webgpu/index.ts';
import { openTestDevice } from './test-device.ts';

const { skip, context } = await openTestDevice();

test('a host without WebGPU and one without an adapter are told apart', async () => {
  const none: Gpu = { requestAdapter: async () => null };
  const code = 'no-gpu-adapter';
  await assert.rejects(requestGpuDevice(undefined), { code, message: /a host without WebGPU/ });
  await assert.rejects(requestGpuDevice(none), { code, message: /none from this host/ });
});

test('an adapter is described by the parts that it tells', () => {
  const info = { vendor: 'maker', architecture: '', device: 'chip', description: '' };
  assert.equal(describeAdapter(info), 'maker chip');
  assert.equal(describeAdapter({ ...info, vendor: '', device: '' }), 'an unnamed adapter');
});

test('a buffer beyond the limits of the device is refused with both sizes', { skip }, () => {
  const { maxBufferSize, maxStorageBufferBindingSize } = context().device.limits;
  const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  assert.throws(() => context().createBuffer('means', limit + 4), {
    constructor: MissingResourceError,
    code: 'gpu-limits',
    message: `expected a device that takes a buffer of ${limit + 4} bytes (means), its limit is ${limit}`,
  });
});

test('a kernel that does not compile is a fault with its name', { skip }, async () => {
  const wrong = context().kernel('half done', '@compute @workgroup_size(1) fn main() { nothing(); }');
  await assert.rejects(wrong, { constructor: FaultError, code: 'gpu-shader', message: /"half done"/ });
});

test('commands that the device refuses are a fault, and the next ones run', { skip }, async () => {
  const [small, data] = [context().createBuffer('small', 16), Float32Array.of(1, 2, 3, 4)];
  await assert.rejects(
    context().run(() => [{ buffer: small, bytes: 64 }]),
    { constructor: FaultError, code: 'gpu-refused' },
  );
  context().device.queue.writeBuffer(small, 0, data);
  const bytes = await context().run(() => [{ buffer: small, bytes: 16 }]);
  assert.deepEqual(new Float32Array(bytes), data);
  small.destroy();
});

test('a lost device is a fault, before and during work', { skip }, async () => {
  const { device } = await openGpu();
  const lost = GpuContext.of(device);
  const buffer = lost.createBuffer('any', 16);
  const during = lost.run(() => [{ buffer, bytes: 16 }]);
  device.destroy();
  await assert.rejects(during, { constructor: FaultError, code: 'gpu-device-lost' });
  const before = lost.run(() => [{ buffer, bytes: 16 }]);
  await assert.rejects(before, { constructor: FaultError, code: 'gpu-device-lost' });
  await assert.rejects(lost.kernel('any', ''), { code: 'gpu-device-lost' });
});
