// What runs ONNX models: a device makes sessions, a session runs one model.
// Portable code sees only these types; `node` implements them on onnxruntime-node, the studio on
// onnxruntime-web.

import type { AnyTensor } from './host-tensor.ts';

/** The back ends that sessions run on. */
export type DeviceName = 'cpu' | 'webgpu' | 'cuda' | 'wasm';

/** How a session is made. */
export type SessionOptions = {
  /** Threads inside one operator; the default is all cores. */
  readonly threads?: number;
  /** How far the back end rewrites the graph; the default is `all`. */
  readonly optimisation?: 'none' | 'basic' | 'extended' | 'all';
  /** Whether the back end keeps the memory of a run for the next one; the default is true. */
  readonly keepsMemory?: boolean;
  /**
   * Whether the back end lays out a run's values in one block once it has seen the first run. That block stands beside
   * the memory of the first run, which stays too: twice the memory where a graph holds much. The default is true.
   */
  readonly plansRuns?: boolean;
  /**
   * Whether threads wait busily for the next operator while the model runs: quicker for many small operators, where nothing
   * else is to be done meanwhile. The default is false.
   */
  readonly spins?: boolean;
  /**
   * Whether what weights alone make is made once, when the model is opened, and held from then on. Without it weights
   * stay mapped in their file, halves too, and every run makes anew what it takes of them. The default is true.
   */
  readonly foldsWeights?: boolean;
  /** Where the files of a model's external weights lie; for back ends with a file system. */
  readonly weightsFolder?: string;
  /** Writes a profile of all runs to a file that starts with this path; `dispose` completes it. */
  readonly profilePrefix?: string;
};

/** Makes sessions on one back end. */
export type Device = {
  readonly name: DeviceName;
  /** Channels in a block of the CPU's convolutions; absent where there are none. For `emitModel`. */
  readonly convolutionBlock?: number;
  /** Whether attention may be one operator of ONNX Runtime's own: `usesFusedForms` of `emitModel`. */
  readonly fusesAttention: boolean;
  /** Whether its kernels compute in 16-bit floats: for `withHalves`. Default false. */
  readonly computesHalves?: boolean;
  /** Loads an encoded ONNX model. @throws FaultError if the back end refuses it. */
  createSession(model: Uint8Array, options?: SessionOptions): Promise<Session>;
};

/** One loaded model. Owns memory outside JavaScript: call `dispose`, or hold it with `await using`. */
export type Session = {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs the model; outputs come back by name. What is fed is read in place, without a copy.
   * @param into tensors whose data some or all outputs are written to, in place; they must not overlap what is
   *   fed (two sets of state that change places avoid that)
   * @throws FaultError if the run fails.
   */
  run(
    feeds: Readonly<Record<string, AnyTensor>>,
    into?: Readonly<Record<string, AnyTensor>>,
  ): Promise<Record<string, AnyTensor>>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Whether a device gains by `usesWinograd` of `emitModel`. */
export function gainsByWinograd({ convolutionBlock }: Device): boolean {
  return convolutionBlock !== undefined;
}

/** The same device, whose sessions take one thread each: for work beside others. */
export function onOneThread(device: Device): Device {
  return {
    ...device,
    createSession: (model, options) => device.createSession(model, { ...options, threads: 1 }),
  };
}
