// The preview on worker threads: its frames depend on nothing but their placement of the head, so that two cores draw
// nearly twice as many. The first frames are drawn here, and all until the threads have started.

import { availableParallelism } from 'node:os';
import {
  type AvatarRenderer,
  createPreviewLifter,
  type FittedPortrait,
  previewProperties,
} from '../avatar/index.ts';
import type { HeadModel } from '../head/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { LiftJob } from './lift-job.ts';
import { WorkerPool } from './worker-pool.ts';

const MOST_THREADS = 4;
/** Fewer frames are drawn sooner than threads start. */
const FRAMES_BEFORE_THREADS = 24;
/** Frames that each thread is given ahead. */
const FRAMES_AHEAD = 2;

/** The renderer of `createPreviewRenderer` and its very pictures, drawn by threads that live as long as a motion. */
export function createThreadedPreview(
  head: HeadModel,
  portrait: FittedPortrait,
  {
    sizePx,
    threads = Math.min(MOST_THREADS, availableParallelism()),
  }: { readonly sizePx: number; readonly threads?: number },
): AvatarRenderer {
  const lift = createPreviewLifter(head, portrait, { sizePx });
  return {
    ...previewProperties(head, { sizePx }),
    async *render(motion) {
      const pools: LiftThread[] = [];
      let haveStarted = false;
      const start = async (): Promise<void> => {
        for (let i = 0; i < threads; i++)
          pools.push(new WorkerPool({ module: LIFT_JOB, functionName: 'liftPortrait', size: 1 }));
        await Promise.all(pools.map((pool) => pool.run({ head, portrait, sizePx })));
        haveStarted = true;
      };
      const drawn: Promise<RgbImage>[] = [];
      let frame = 0;
      try {
        for await (const placed of motion) {
          frame++;
          if (haveStarted) {
            const picture = pools[frame % threads]!.run({ placed }) as Promise<RgbImage>;
            // Whoever stops early never waits for it.
            picture.catch(() => {});
            drawn.push(picture);
            if (drawn.length > threads * FRAMES_AHEAD) yield drawn.shift()!;
          } else {
            // Threads that do not start are not missed.
            if (frame === FRAMES_BEFORE_THREADS) start().catch(() => {});
            yield lift(placed);
            // Lets the threads answer.
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
        yield* drawn;
      } finally {
        await Promise.all(pools.map((pool) => pool[Symbol.asyncDispose]()));
      }
    },
  };
}

const LIFT_JOB = new URL('./lift-job.ts', import.meta.url);
type LiftThread = WorkerPool<LiftJob, RgbImage | null>;
