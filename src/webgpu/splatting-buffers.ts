// The memory of the splatting on a GPU: buffers by name, which grow when more is asked for and stay.

import type { GpuContext } from './gpu-context.ts';
import type { GpuBuffer } from './gpu-device.ts';

/** Buffers by name. */
export class GrowingBuffers {
  readonly #context: GpuContext;
  readonly #buffers = new Map<string, GpuBuffer>();

  constructor(context: GpuContext) {
    this.#context = context;
  }

  /**
   * A buffer of at least `bytes`; what it held is lost when it grows.
   * @throws MissingResourceError if the device's limits are below that
   */
  reserve(name: string, bytes: number): GpuBuffer {
    const held = this.#buffers.get(name);
    if (held && held.size >= bytes) return held;
    held?.destroy();
    // Without its name first: if the new one is refused, the old one must not be found again.
    this.#buffers.delete(name);
    const buffer = this.#context.createBuffer(name, bytes);
    this.#buffers.set(name, buffer);
    return buffer;
  }

  /** A buffer with these numbers. */
  upload(name: string, data: Float32Array): GpuBuffer {
    const buffer = this.reserve(name, data.byteLength);
    // Shared memory cannot be given to the queue by type, but its numbers can.
    this.#context.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}
