// A pool of worker threads that call one exported function of one module, job by job.
// The module is TypeScript: each worker registers tsx before it imports it. Jobs and results are plain data.

import { Worker } from 'node:worker_threads';
import { BadInputError, FaultError, MissingResourceError } from '../errors/index.ts';
import { allowFusedKernels } from './fused-kernels.ts';

/** What the workers run. */
export type WorkerPoolOptions = {
  /** The module, e.g. `new URL('../gaussians/index.ts', import.meta.url)`. */
  readonly module: URL;
  /** The name of its function: one job in, a result (or a promise of one) out. */
  readonly functionName: string;
  /** Number of threads, at least 1. */
  readonly size: number;
};

type Reply = { readonly id: number } & ({ readonly result: unknown } | { readonly error: ThrownError });
// Cloning between threads loses an error's class and own fields, and all of what a module loader throws.
type ThrownError = {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
  readonly hint?: string;
};
type Pending<Result> = { resolve(result: Result): void; reject(error: unknown): void };

/** Jobs make much that lives shortly: cleaning up less often took 8 % off a rendered picture. */
const YOUNG = { maxYoungGenerationSizeMb: 192 };

/**
 * Runs jobs on worker threads. Owns the threads: call `dispose`, or hold it with `await using`.
 * The buffers of a result's arrays are moved to the caller, not copied; the function must not keep them.
 */
export class WorkerPool<Job, Result> {
  readonly #workers: readonly Worker[];
  readonly #pending: readonly Map<number, Pending<Result>>[];
  readonly #dead = new Set<number>();
  readonly #ends: readonly Promise<unknown>[];
  #isDisposed = false;
  #jobCount = 0;

  constructor({ module, functionName, size }: WorkerPoolOptions) {
    allowFusedKernels();
    const source = { module: module.href, functionName, tsx: import.meta.resolve('tsx/esm/api') };
    this.#workers = Array.from(
      { length: size },
      () => new Worker(BOOTSTRAP, { eval: true, execArgv: [], workerData: source, resourceLimits: YOUNG }),
    );
    this.#pending = this.#workers.map(() => new Map());
    this.#ends = this.#workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const [i, worker] of this.#workers.entries()) {
      worker.unref();
      worker.on('message', (reply: Reply) => this.#settle(i, reply));
      worker.on('error', (cause) => this.#fail(i, cause));
      // One that is ended from outside, or ends itself, reports no error.
      worker.on('exit', (status) => this.#fail(i, `exit status ${status}`));
    }
  }

  /** Runs one job on the thread with the fewest. Rejects with what the function threw. */
  run(job: Job): Promise<Result> {
    const loads = this.#pending.map((jobs, i) => (this.#dead.has(i) ? Infinity : jobs.size));
    const i = loads.indexOf(Math.min(...loads));
    if (this.#dead.has(i)) return Promise.reject(workerDied('all threads ended before'));
    const id = this.#jobCount++;
    const worker = this.#workers[i]!;
    // A pool holds the process only while it has work.
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#pending[i]!.set(id, { resolve, reject });
      worker.postMessage({ id, job });
    });
  }

  /** Runs all jobs; results in the jobs' order. */
  map(jobs: readonly Job[]): Promise<Result[]> {
    return Promise.all(jobs.map((job) => this.run(job)));
  }

  /** Ends the threads; what they have begun is left unfinished. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    // Each ends itself between two pieces of work: ended from outside within native code, it takes the process along.
    for (const [i, worker] of this.#workers.entries()) {
      if (this.#dead.has(i)) continue;
      worker.ref();
      worker.postMessage('end');
    }
    await Promise.all(this.#ends);
  }

  #settle(i: number, reply: Reply): void {
    const jobs = this.#pending[i]!;
    const job = jobs.get(reply.id);
    jobs.delete(reply.id);
    // While its end is awaited the process must not end before it.
    if (jobs.size === 0 && !this.#isDisposed) this.#workers[i]!.unref();
    if ('error' in reply) job?.reject(errorOf(reply.error));
    else job?.resolve(reply.result as Result);
  }

  #fail(i: number, cause: unknown): void {
    if (this.#isDisposed) return;
    this.#dead.add(i);
    const error = workerDied(cause);
    for (const job of this.#pending[i]!.values()) job.reject(error);
    this.#pending[i]!.clear();
  }
}

function workerDied(cause: unknown): FaultError {
  return new FaultError({
    code: 'worker-died',
    message: `expected a worker thread to finish its job, but it ended: ${cause}`,
    hint: 'the memory may be full: run the same command again, after closing other programs',
    cause,
  });
}

/** The error as the function threw it: of the project's family where it was. */
function errorOf({ name, message, stack, code, hint }: ThrownError): Error {
  const cause = Object.assign(new Error(message), { name, stack });
  const kind = [BadInputError, MissingResourceError, FaultError].find((type) => type.name === name);
  if (kind === undefined || code === undefined || hint === undefined) return cause;
  return new kind({ code, message, hint, cause });
}

// Plain JavaScript, since it runs before tsx does.
const BOOTSTRAP = `
const { parentPort, workerData } = require('node:worker_threads');
const buffersOf = (value, found = new Set()) => {
  if (ArrayBuffer.isView(value)) found.add(value.buffer);
  else if (value && typeof value === 'object') Object.values(value).forEach((item) => buffersOf(item, found));
  return found;
};
const loaded = import(workerData.tsx)
  .then(({ register }) => register())
  .then(() => import(workerData.module));
parentPort.on('message', async (message) => {
  if (message === 'end') process.exit();
  const { id, job } = message;
  try {
    const result = await (await loaded)[workerData.functionName](job);
    parentPort.postMessage({ id, result }, [...buffersOf(result)]);
  } catch (error) {
    const { name = 'Error', code, hint } = error ?? {};
    const message = String(error?.message ?? error);
    parentPort.postMessage({ id, error: { name, message, stack: String(error?.stack ?? message), code, hint } });
  }
});
`;
