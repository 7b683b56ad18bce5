// The part of WebGPU that this folder uses, as structural types: a browser's GPUDevice and that of the npm
// package `webgpu` both fit, and portable code needs neither the DOM's types nor another package's.
// Source: W3C, "WebGPU", Candidate Recommendation.

/** A buffer on the device. */
export type GpuBuffer = {
  readonly size: number;
  mapAsync(mode: number): Promise<unknown>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
};

/** Fixed bits of buffer usage, from the specification. */
export const GpuUsage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
  indirect: 0x100,
  queryResolve: 0x200,
} as const;

/** The mode of `mapAsync` for reading. */
export const GPU_MAP_READ = 1;

/** An opaque object of the device. */
export type GpuObject = { readonly label: string };

/** A set of timestamps. */
export type GpuQuerySet = GpuObject & { destroy(): void };

/** A compiled compute shader. */
export type GpuPipeline = GpuObject & { getBindGroupLayout(index: number): GpuObject };

/** Records dispatches. */
export type GpuComputePass = {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: GpuObject | null | undefined): void;
  dispatchWorkgroups(x: number, y?: number, z?: number): void;
  dispatchWorkgroupsIndirect(buffer: GpuBuffer, offset: number): void;
  end(): void;
};

/** Where a pass writes its first and last moment. */
export type GpuTimestampWrites = {
  querySet: GpuQuerySet;
  beginningOfPassWriteIndex?: number;
  endOfPassWriteIndex?: number;
};

/** Records passes and copies. */
export type GpuCommandEncoder = {
  beginComputePass(descriptor?: { label?: string; timestampWrites?: GpuTimestampWrites }): GpuComputePass;
  copyBufferToBuffer(
    source: GpuBuffer,
    sourceOffset: number,
    target: GpuBuffer,
    targetOffset: number,
    size: number,
  ): void;
  clearBuffer(buffer: GpuBuffer, offset?: number, size?: number): void;
  resolveQuerySet(set: GpuQuerySet, first: number, count: number, target: GpuBuffer, offset: number): void;
  finish(): GpuObject;
};

/** The limits that decide what fits. */
export type GpuLimits = {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
};

/** A device: the browser's `GPUDevice`, or that of the npm package `webgpu`. */
export type GpuDevice = {
  readonly features: { has(name: string): boolean };
  readonly limits: GpuLimits;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly queue: {
    submit(commands: Iterable<GpuObject>): void;
    writeBuffer(
      buffer: GpuBuffer,
      offset: number,
      data: ArrayBuffer | ArrayBufferView<ArrayBuffer>,
      dataOffset?: number,
      size?: number,
    ): void;
  };
  createBuffer(descriptor: { label: string; size: number; usage: number }): GpuBuffer;
  createShaderModule(descriptor: { label: string; code: string }): GpuObject;
  createComputePipelineAsync(descriptor: {
    label?: string;
    layout: GpuObject | 'auto';
    compute: { module: GpuObject; entryPoint?: string };
  }): Promise<GpuPipeline>;
  createBindGroup(descriptor: {
    label?: string;
    layout: GpuObject;
    // A `{ buffer }`; the full union of resources would need every type of WebGPU.
    entries: Iterable<{ binding: number; resource: object }>;
  }): GpuObject;
  createCommandEncoder(): GpuCommandEncoder;
  createQuerySet(descriptor: { label: string; type: 'timestamp'; count: number }): GpuQuerySet;
  pushErrorScope(filter: 'validation' | 'out-of-memory' | 'internal'): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  destroy(): void;
};

/** What an adapter says of itself. */
export type GpuAdapterInfo = {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
};

/** An adapter: the browser's `GPUAdapter`, or that of the npm package `webgpu`. */
export type GpuAdapter = {
  readonly info: GpuAdapterInfo;
  readonly features: { has(name: string): boolean };
  readonly limits: GpuLimits;
  requestDevice(descriptor: {
    label: string;
    requiredFeatures: 'timestamp-query'[];
    requiredLimits: Record<string, number>;
  }): Promise<GpuDevice>;
};

/** The entry point: `navigator.gpu`, or what the npm package's `create` gives. */
export type Gpu = {
  requestAdapter(options?: { powerPreference: 'high-performance' }): Promise<GpuAdapter | null>;
};
