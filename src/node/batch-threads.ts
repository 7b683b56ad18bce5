// Batches made on threads of their own, some steps ahead, while a step computes: ONNX Runtime's binding for Node
// computes on the thread that calls it, so that nothing else could happen there. Batches are functions of the step
// alone, whoever makes them: until the first thread has started, the stage makes its own.

import { LATENT_STATISTICS } from '../denoiser/index.ts';
import type { AnyTensor, Tensor } from '../tensor/index.ts';
import type { Stage } from '../training/index.ts';
import type { BatchJob, BatchSource } from './batch-job.ts';
import { WorkerPool } from './worker-pool.ts';

type Batch = Record<string, AnyTensor>;

/** A batch that a thread makes: `isReady` once it is here. */
type Made = { readonly batch: Promise<Batch>; isReady: boolean };

/** One thread, and how many jobs it has yet to do. */
type Maker = { readonly pool: WorkerPool<BatchJob, Batch[]>; isOpen: boolean; owed: number };

/** How many threads a stage has. */
export type BatchThreadsOptions = {
  /** At the beginning. Beside a single one, a core would rest while a step waits. */
  readonly threads?: number;
  /** At most, where batches keep being late. */
  readonly most?: number;
};

const FIRST_THREADS = 2;
const MOST_THREADS = 4;
/** What batches that are made ahead may hold: there are as many as fit, one a thread at least, `MOST_AHEAD` at most. */
const AHEAD_BYTES = 64e6;
const MOST_AHEAD = 32;
/** Jobs that a thread is given at once: the next one is there when it has done one. */
const OWED_AT_ONCE = 2;
/** Of so many batches, so many may be late before a thread is added. */
const WATCHED = 12;
const MOST_LATE = 3;

/** A stage whose batches come from threads. Owns them: hold it with `await using`. */
export type ThreadedStage = Stage &
  AsyncDisposable & {
    /** Settles once a thread has started; rejects with what keeps one from it. */
    readonly started: Promise<void>;
    /** How many threads there are. */
    threadCount(): number;
  };

/** The same stage, its batches made by threads that open its source again; they start at once. */
export function withBatchThreads(
  stage: Stage,
  source: BatchSource,
  options: BatchThreadsOptions = {},
): ThreadedStage {
  const threads = new BatchThreads(stage, source, options);
  const { restore } = stage;
  return {
    ...stage,
    started: threads.started,
    threadCount: () => threads.count,
    batchAt: (step) => threads.batchAt(step),
    ...(restore === undefined
      ? {}
      : {
          restore(state) {
            threads.forget();
            restore(state);
          },
        }),
    [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose](),
  };
}

class BatchThreads implements AsyncDisposable {
  readonly started: Promise<void>;
  readonly #stage: Stage;
  readonly #source: BatchSource;
  readonly #most: number;
  readonly #makers: Maker[] = [];
  readonly #made = new Map<number, Made>();
  #fault: { readonly error: unknown } | null = null;
  #step = -1;
  #ahead = 1;
  /** Batches of a job: small ones come several at a time, since each message costs the step time. */
  #together = 1;
  #watched = 0;
  #late = 0;

  constructor(stage: Stage, source: BatchSource, options: BatchThreadsOptions) {
    const { threads = FIRST_THREADS, most = Math.max(threads, MOST_THREADS) } = options;
    this.#stage = stage;
    this.#source = source;
    this.#most = most;
    this.started = Promise.race(Array.from({ length: threads }, () => this.#addThread()));
    // Faults are told with the next batch.
    this.started.catch(() => {});
  }

  get count(): number {
    return this.#makers.length;
  }

  async batchAt(step: number): Promise<Batch> {
    if (this.#fault !== null) throw this.#fault.error;
    this.#step = step;
    for (const other of this.#made.keys())
      if (other < step || other > step + this.#ahead) this.#made.delete(other);
    const isStarted = this.#makers.some(({ isOpen }) => isOpen);
    if (!isStarted) return this.#stage.batchAt(step);
    this.#watch(this.#made.get(step)?.isReady === true);
    if (!this.#made.has(step)) this.#ask([step], this.#leastOwing());
    const { batch } = this.#made.get(step)!;
    this.#askAhead();
    return batch;
  }

  /** What was made ahead no longer counts. */
  forget(): void {
    this.#made.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#makers.map(({ pool }) => pool[Symbol.asyncDispose]()));
  }

  async #addThread(): Promise<void> {
    const module = new URL('./batch-job.ts', import.meta.url);
    const pool = new WorkerPool<BatchJob, Batch[]>({ module, functionName: 'makeBatches', size: 1 });
    const maker: Maker = { pool, isOpen: false, owed: 0 };
    this.#makers.push(maker);
    try {
      await pool.run({ source: this.#source });
    } catch (error) {
      this.#fault ??= { error };
      throw error;
    }
    maker.isOpen = true;
    this.#askAhead();
  }

  #askAhead(): void {
    const ahead = Array.from({ length: this.#ahead }, (_, i) => this.#step + 1 + i);
    const missing = ahead.filter((step) => !this.#made.has(step));
    while (missing.length >= this.#together) {
      const maker = this.#leastOwing();
      if (maker.owed >= OWED_AT_ONCE) return;
      this.#ask(missing.splice(0, this.#together), maker);
    }
  }

  #leastOwing(): Maker {
    const open = this.#makers.filter(({ isOpen }) => isOpen);
    return open.reduce((least, maker) => (maker.owed < least.owed ? maker : least));
  }

  #ask(steps: readonly number[], maker: Maker): void {
    maker.owed++;
    const batches = maker.pool.run({ steps, statistics: statisticsOf(this.#stage) });
    const asked = steps.map((step, i) => {
      const made: Made = { batch: batches.then((held) => held[i]!), isReady: false };
      // One that is made ahead may never be waited for.
      made.batch.catch(() => {});
      this.#made.set(step, made);
      return made;
    });
    batches.then(
      ([first]) => {
        maker.owed--;
        for (const made of asked) made.isReady = true;
        const fitting = Math.floor(AHEAD_BYTES / bytesOf(first!));
        this.#ahead = Math.min(MOST_AHEAD, Math.max(fitting, this.#makers.length));
        this.#together = Math.max(1, Math.floor(this.#ahead / (OWED_AT_ONCE * this.#makers.length)));
        this.#askAhead();
      },
      // Whoever waits for one is told.
      () => {
        maker.owed--;
      },
    );
  }

  /** Adds a thread where batches keep being late; each is asked for a step before it is needed. */
  #watch(isReady: boolean): void {
    this.#watched++;
    if (!isReady) this.#late++;
    if (this.#watched < WATCHED) return;
    const areLate = this.#late > MOST_LATE;
    [this.#watched, this.#late] = [0, 0];
    if (areLate && this.#makers.length < this.#most && this.#makers.every(({ isOpen }) => isOpen)) {
      this.#addThread().catch(() => {});
    }
  }
}

/** What batches depend on besides the step, the samples and the weights. */
function statisticsOf(stage: Stage): Record<string, Tensor> {
  const names = Object.values<string>(LATENT_STATISTICS);
  return Object.fromEntries(
    Object.entries(stage.outsideState?.() ?? {}).filter(([name]) => names.includes(name)),
  );
}

function bytesOf(batch: Batch): number {
  return Object.values(batch).reduce((sum, { data }) => sum + data.byteLength, 1);
}
