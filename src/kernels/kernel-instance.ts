// One instance of a compiled kernel: its exports, and a heap that the host lays data out on.
// Kernels are plain functions over pointers; they never allocate. A call reserves what it needs,
// takes views, runs, copies the results out.

/** A loaded kernel module with its typed exports. */
export type KernelInstance<Exports> = {
  readonly exports: Exports;
  readonly heap: KernelHeap;
};

// Instances are many (one a worker, one a sample in flight); their code is compiled once.
const compiled = new Map<string, WebAssembly.Module>();

/**
 * Compiles and instantiates the base64 form that `tools/build-kernels.ts` writes.
 * Every kernel source exports `heapBase(): usize { return __heap_base; }`.
 */
export function instantiateKernel<Exports>(wasmBase64: string): KernelInstance<Exports> {
  let module = compiled.get(wasmBase64);
  if (module === undefined) {
    module = new WebAssembly.Module(decode(wasmBase64));
    compiled.set(wasmBase64, module);
  }
  const { exports } = new WebAssembly.Instance(module, {});
  const { memory, heapBase } = exports as { memory: WebAssembly.Memory; heapBase(): number };
  return { exports: exports as Exports, heap: new KernelHeap(memory, heapBase()) };
}

/** Can this host run the kernel? Not if it lacks an instruction set that the kernel was compiled for. */
export function canRunKernel(wasmBase64: string): boolean {
  return compiled.has(wasmBase64) || WebAssembly.validate(decode(wasmBase64));
}

function decode(wasmBase64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(wasmBase64.replaceAll('\n', '')), (char) => char.charCodeAt(0));
}

const PAGE_BYTES = 65536;
const ALIGNMENT = 16;

/** A stack of reservations in a kernel's memory. Views are valid until the next reservation. */
export class KernelHeap {
  readonly #memory: WebAssembly.Memory;
  readonly #base: number;
  #top: number;

  constructor(memory: WebAssembly.Memory, base: number) {
    this.#memory = memory;
    this.#base = Math.ceil(base / ALIGNMENT) * ALIGNMENT;
    this.#top = this.#base;
  }

  /** Forgets all reservations. The memory stays; its content does too. */
  reset(): void {
    this.#top = this.#base;
  }

  /** Reserves bytes, 16-byte aligned, growing the memory where needed; returns the pointer. */
  reserve(byteLength: number): number {
    const pointer = this.#top;
    this.#top = pointer + Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
    const missing = this.#top - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    return pointer;
  }

  /** Reserves room for the values and copies them in; returns the pointer. */
  put(values: Float64Array | Float32Array | Uint32Array | Int32Array | Uint8Array): number {
    const pointer = this.reserve(values.byteLength);
    const source = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.bytes(pointer, values.byteLength).set(source);
    return pointer;
  }

  bytes(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer, pointer, length);
  }

  floats(pointer: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer, pointer, length);
  }

  doubles(pointer: number, length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#memory.buffer, pointer, length);
  }

  uints(pointer: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#memory.buffer, pointer, length);
  }
}
