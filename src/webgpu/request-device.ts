// From `navigator.gpu` (or Node's like) to a device with as large limits as its adapter gives.

import { MissingResourceError } from '../errors/index.ts';
import type { Gpu, GpuAdapterInfo, GpuDevice } from './gpu-device.ts';

/**
 * Requests a device with the adapter's own limits on buffers, and with timestamps where it has them.
 * @param gpu `navigator.gpu`, or `create([])` of the npm package `webgpu`; undefined where a host has none
 * @throws MissingResourceError if there is no adapter, or it gives no device
 */
export async function requestGpuDevice(
  gpu: Gpu | undefined,
): Promise<{ readonly device: GpuDevice; readonly adapter: GpuAdapterInfo }> {
  const adapter = (await gpu?.requestAdapter({ powerPreference: 'high-performance' })) ?? null;
  if (adapter === null) {
    throw new MissingResourceError({
      code: 'no-gpu-adapter',
      message: `expected a WebGPU adapter, got ${gpu ? 'none from this host' : 'a host without WebGPU'}`,
      hint: 'install a driver (in Node one for Vulkan, Metal or D3D12), or stay on the CPU',
    });
  }
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  try {
    const device = await adapter.requestDevice({
      label: 'learn2control',
      requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [],
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    });
    return { device, adapter: adapter.info };
  } catch (cause) {
    throw new MissingResourceError({
      code: 'no-gpu-device',
      message: `expected a device from ${describeAdapter(adapter.info)}, got: ${String(cause)}`,
      hint: 'end other programs that use the GPU, or stay on the CPU',
      cause,
    });
  }
}

/** An adapter's name in one line. */
export function describeAdapter({ vendor, architecture, device, description }: GpuAdapterInfo): string {
  const name = description || device;
  return [vendor, architecture, name].filter((part) => part !== '').join(' ') || 'an unnamed adapter';
}
