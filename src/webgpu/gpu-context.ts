// A device with what every computation on it needs: compiled kernels kept for the next time, buffers that
// are checked against the limits, and failures as errors of this project.

import { FaultError, MissingResourceError } from '../errors/index.ts';
import type { GpuBuffer, GpuCommandEncoder, GpuComputePass, GpuDevice, GpuPipeline } from './gpu-device.ts';
import { GPU_MAP_READ, GpuUsage } from './gpu-device.ts';

/** How many workgroups: known here, or three numbers in a buffer that the device wrote. */
export type Dispatch =
  | readonly [x: number, y: number]
  | { readonly indirect: GpuBuffer; readonly offset: number };

/** A compiled compute shader: entry point `main`, buffers as bindings 0, 1, ... of group 0. */
export type GpuKernel = {
  /** Records one dispatch. `buffers` are the bindings in order. */
  record(pass: GpuComputePass, buffers: readonly GpuBuffer[], dispatch: Dispatch): void;
};

/** The first bytes of a buffer, to be read back. */
export type Readback = { readonly buffer: GpuBuffer; readonly bytes: number };

const ERROR_SCOPES = ['out-of-memory', 'internal', 'validation'] as const;

const contexts = new WeakMap<GpuDevice, GpuContext>();

/** A device in use. It does not own the device. */
export class GpuContext {
  readonly device: GpuDevice;
  readonly #kernels = new Map<string, Promise<GpuKernel>>();
  #lost: string | null = null;

  /** The context of a device: one for all its users, so that a kernel is compiled once. */
  static of(device: GpuDevice): GpuContext {
    const context = contexts.get(device) ?? new GpuContext(device);
    contexts.set(device, context);
    return context;
  }

  private constructor(device: GpuDevice) {
    this.device = device;
    device.lost.then(({ reason, message }) => {
      this.#lost = [reason, message].filter((part) => part !== '').join(': ');
    });
  }

  /**
   * A kernel from its WGSL; the same text is compiled once.
   * @throws FaultError if the device refuses it
   */
  kernel(label: string, code: string): Promise<GpuKernel> {
    let kernel = this.#kernels.get(code);
    if (kernel === undefined) {
      kernel = this.#compile(label, code);
      this.#kernels.set(code, kernel);
    }
    return kernel;
  }

  /**
   * Makes a buffer of at least `bytes`, usable as storage and for copies both ways.
   * @throws MissingResourceError if the device's limits are below that
   */
  createBuffer(label: string, bytes: number, usage = 0): GpuBuffer {
    const size = Math.max(16, Math.ceil(bytes / 4) * 4);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (size > limit) {
      throw new MissingResourceError({
        code: 'gpu-limits',
        message: `expected a device that takes a buffer of ${size} bytes (${label}), its limit is ${limit}`,
        hint: 'request the device with larger limits (requestGpuDevice does), or splat fewer or smaller Gaussians',
      });
    }
    const { storage, copySource, copyTarget } = GpuUsage;
    return this.device.createBuffer({ label, size, usage: usage | storage | copySource | copyTarget });
  }

  /** Makes a buffer for uniforms. */
  createUniform(label: string, bytes: number): GpuBuffer {
    const usage = GpuUsage.uniform | GpuUsage.copyTarget;
    return this.device.createBuffer({ label, size: Math.ceil(bytes / 16) * 16, usage });
  }

  /**
   * Records and submits commands, and awaits what they leave in buffers.
   * @param record returns what to read back: the first bytes of each of these buffers, in this order
   * @returns the bytes, one after the other in one array
   * @throws FaultError if the device is lost, runs out of memory or refuses a command
   */
  async run(record: (encoder: GpuCommandEncoder) => readonly Readback[]): Promise<ArrayBuffer> {
    this.expectAlive();
    const { device } = this;
    for (const scope of ERROR_SCOPES) device.pushErrorScope(scope);
    const { staging, size } = this.#submit(record);
    const errors = await Promise.all(ERROR_SCOPES.map(() => device.popErrorScope()));
    this.expectAlive();
    const [error] = errors.filter((found) => found !== null);
    if (error) {
      staging.destroy();
      throw refused(error.message);
    }
    try {
      await staging.mapAsync(GPU_MAP_READ);
      return staging.getMappedRange().slice(0, size);
    } catch (cause) {
      // The news of a lost device may come a turn later than the failed mapping.
      await Promise.race([device.lost, Promise.resolve()]);
      this.expectAlive();
      throw refused(String(cause), cause);
    } finally {
      staging.destroy();
    }
  }

  #submit(record: (encoder: GpuCommandEncoder) => readonly Readback[]): {
    readonly staging: GpuBuffer;
    readonly size: number;
  } {
    const { device } = this;
    const encoder = device.createCommandEncoder();
    const reads = record(encoder);
    const size = reads.reduce((sum, { bytes }) => sum + bytes, 0);
    const usage = GpuUsage.mapRead | GpuUsage.copyTarget;
    const staging = device.createBuffer({ label: 'read back', size: Math.max(16, size), usage });
    let offset = 0;
    for (const { buffer, bytes } of reads) {
      if (bytes > 0) encoder.copyBufferToBuffer(buffer, 0, staging, offset, bytes);
      offset += bytes;
    }
    device.queue.submit([encoder.finish()]);
    return { staging, size };
  }

  /** @throws FaultError if the device was lost */
  expectAlive(): void {
    if (this.#lost === null) return;
    throw new FaultError({
      code: 'gpu-device-lost',
      message: `expected a working GPU device, it was lost (${this.#lost})`,
      hint: 'request a new device and begin again, or stay on the CPU',
    });
  }

  async #compile(label: string, code: string): Promise<GpuKernel> {
    this.expectAlive();
    const { device } = this;
    let pipeline: GpuPipeline;
    try {
      const module = device.createShaderModule({ label, code });
      const compute = { module, entryPoint: 'main' };
      pipeline = await device.createComputePipelineAsync({ label, layout: 'auto', compute });
    } catch (cause) {
      this.expectAlive();
      throw new FaultError({
        code: 'gpu-shader',
        message: `expected the GPU to compile "${label}", it answered: ${String(cause)}`,
        hint: 'update the driver or the browser, or stay on the CPU',
        cause,
      });
    }
    const layout = pipeline.getBindGroupLayout(0);
    return {
      record(pass, buffers, dispatch) {
        if (!('indirect' in dispatch) && dispatch[0] === 0) return;
        const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, device.createBindGroup({ label, layout, entries }));
        if ('indirect' in dispatch) pass.dispatchWorkgroupsIndirect(dispatch.indirect, dispatch.offset);
        else pass.dispatchWorkgroups(dispatch[0], dispatch[1]);
      },
    };
  }
}

function refused(answer: string, cause?: unknown): FaultError {
  return new FaultError({
    code: 'gpu-refused',
    message: `expected the GPU to take the commands, it answered: ${answer}`,
    hint: 'if it ran out of memory, splat fewer Gaussians or a smaller image; else stay on the CPU',
    cause,
  });
}
