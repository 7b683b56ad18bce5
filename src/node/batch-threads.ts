// Batches made on threads of their own, a few steps ahead, while a step computes: ONNX Runtime's binding for Node
// computes on the thread that calls it, so that nothing else could happen there. Batches are functions of the step
// alone, whoever makes them.

import { availableParallelism } from 'node:os';
import { LATENT_STATISTICS } from '../denoiser/index.ts';
import type { AnyTensor, Tensor } from '../tensor/index.ts';
import type { Stage } from '../training/index.ts';
import type { BatchJob, BatchSource } from './batch-job.ts';
import { WorkerPool } from './worker-pool.ts';

type Batch = Record<string, AnyTensor>;

const MOST_THREADS = 4;

/** A stage whose batches come from threads. Owns them: hold it with `await using`. */
export type ThreadedStage = Stage & AsyncDisposable;

/**
 * The same stage, its batches made by threads that open it again from `source`.
 * @param threads how many; the default leaves a core to the step where there are more than two, and makes two where there
 *   are fewer: beside a single one, a core would rest while a step waits
 */
export function withBatchThreads(
  stage: Stage,
  source: BatchSource,
  threads: number = Math.min(MOST_THREADS, Math.max(2, availableParallelism() - 1)),
): ThreadedStage {
  const module = new URL('./batch-job.ts', import.meta.url);
  const pools = Array.from(
    { length: threads },
    () => new WorkerPool<BatchJob, Batch>({ module, functionName: 'makeBatch', size: 1 }),
  );
  const made = new Map<number, Promise<Batch>>();
  const ask = (step: number): Promise<Batch> => {
    const known = made.get(step);
    if (known !== undefined) return known;
    const batch = pools[step % threads]!.run({ source, step, statistics: statisticsOf(stage) });
    // One that is made ahead may never be waited for.
    batch.catch(() => {});
    made.set(step, batch);
    return batch;
  };
  const { restore } = stage;
  return {
    ...stage,
    batchAt(step) {
      for (const other of made.keys()) if (other < step || other > step + threads) made.delete(other);
      const batch = ask(step);
      for (let ahead = 1; ahead <= threads; ahead++) ask(step + ahead);
      return batch;
    },
    ...(restore === undefined
      ? {}
      : {
          restore(state) {
            made.clear();
            restore(state);
          },
        }),
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.map((pool) => pool[Symbol.asyncDispose]()));
    },
  };
}

/** What batches depend on besides the step, the samples and the weights. */
function statisticsOf(stage: Stage): Record<string, Tensor> {
  const names = Object.values<string>(LATENT_STATISTICS);
  return Object.fromEntries(
    Object.entries(stage.outsideState?.() ?? {}).filter(([name]) => names.includes(name)),
  );
}
