// The part of the WebAssembly API that the kernels use; only the DOM's types declare it.

declare namespace WebAssembly {
  function validate(bytes: ArrayBuffer | ArrayBufferView): boolean;
  class Module {
    constructor(bytes: ArrayBuffer | ArrayBufferView);
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
}
