// A device for the tests: the machine's own GPU if WEBGPU_TESTS=own, else software. One a process.

import { after } from 'node:test';
import { openGpu } from '../../src/node/index.ts';
import { GpuContext } from '../../src/webgpu/index.ts';
import { loadSoftwareVulkan, SOFTWARE_VULKAN_OPTIONS } from '../../tools/software-vulkan.ts';

/** A device, or why there is none. Every test that takes it passes `skip` on. */
export type TestDevice = {
  readonly skip: string | false;
  readonly context: () => GpuContext;
};

/** Opens the device and has it destroyed after the file's tests. */
export async function openTestDevice(): Promise<TestDevice> {
  const isOwn = process.env.WEBGPU_TESTS === 'own';
  const missing = isOwn ? null : loadSoftwareVulkan();
  if (missing !== null) return without(missing);
  try {
    const { device } = await openGpu(isOwn ? [] : SOFTWARE_VULKAN_OPTIONS);
    after(() => device.destroy());
    const context = GpuContext.of(device);
    return { skip: false, context: () => context };
  } catch (error) {
    return without(String(error));
  }
}

function without(reason: string): TestDevice {
  return {
    skip: `no WebGPU device: ${reason}`,
    context: () => {
      throw new Error(reason);
    },
  };
}
