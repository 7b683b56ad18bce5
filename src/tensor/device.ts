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
};

/** Makes sessions on one back end. */
export type Device = {
  readonly name: DeviceName;
  /** Loads an encoded ONNX model. @throws FaultError if the back end refuses it. */
  createSession(model: Uint8Array, options?: SessionOptions): Promise<Session>;
};

/** One loaded model. Owns memory outside JavaScript: call `dispose`, or hold it with `await using`. */
export type Session = {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs the model; outputs come back by name. @throws FaultError if the run fails. */
  run(feeds: Readonly<Record<string, AnyTensor>>): Promise<Record<string, AnyTensor>>;
  [Symbol.asyncDispose](): Promise<void>;
};
