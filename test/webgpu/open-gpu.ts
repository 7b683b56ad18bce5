// The GPU that tests of WebGPU run on.

import { createDevice } from '../../src/node/index.ts';
import type { Device } from '../../src/tensor/index.ts';
import { loadSoftwareVulkan } from '../../tools/software-vulkan.ts';

/**
 * A WebGPU device, or null with the reason why there is none.
 * @param options with `mayBeOwn`, WEBGPU_TESTS=own takes the machine's driver instead of the software one
 */
export async function openGpu({
  mayBeOwn = false,
}: {
  readonly mayBeOwn?: boolean;
} = {}): Promise<[Device, null] | [null, string]> {
  const reason = mayBeOwn && process.env.WEBGPU_TESTS === 'own' ? null : loadSoftwareVulkan();
  if (reason !== null) return [null, reason];
  try {
    return [await createDevice('webgpu'), null];
  } catch (error) {
    return [null, (error as Error).message];
  }
}
