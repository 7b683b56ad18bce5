// WebGPU in Node: the npm package `webgpu` (Dawn), which is optional, on the machine's own graphics driver.

import { MissingResourceError } from '../errors/index.ts';
import type { Gpu, GpuAdapterInfo, GpuDevice } from '../webgpu/index.ts';
import { requestGpuDevice } from '../webgpu/index.ts';

// Dawn's instance must outlive its devices, and nothing else holds it.
let instance: Gpu | null = null;

/**
 * Opens this machine's GPU. The caller destroys the device; until then Node's process does not end.
 * @param options Dawn's own, such as `adapter=NAME` or `backend=vulkan`
 * @throws MissingResourceError without the package `webgpu`, without an adapter or a device
 */
export async function openGpu(
  options: readonly string[] = [],
): Promise<{ readonly device: GpuDevice; readonly adapter: GpuAdapterInfo }> {
  instance ??= (await loadDawn())([...options]);
  return requestGpuDevice(instance);
}

async function loadDawn(): Promise<(options: string[]) => Gpu> {
  try {
    const { create } = await import('webgpu');
    return create;
  } catch (cause) {
    throw new MissingResourceError({
      code: 'no-webgpu-package',
      message: `expected the npm package "webgpu" for this platform, got: ${String(cause)}`,
      hint: 'npm install webgpu, or stay on the CPU',
      cause,
    });
  }
}
