// Frames of a motion on worker threads, where each depends on nothing but the head's placement: the preview's pictures,
// and the controls of a model, which are drawn while its networks compute. The first frames are drawn here, and all
// until the threads have started.

import { availableParallelism } from 'node:os';
import {
  type AvatarRenderer,
  createFrameController,
  type FittedPortrait,
  type FrameControlStream,
  type FrameControls,
  type FramedPortrait,
  previewProperties,
  type SteeredBy,
} from '../avatar/index.ts';
import type { HeadModel, HeadParameters } from '../head/index.ts';
import type { LiftTools } from '../lift/index.ts';
import { type ControlsStill, type FrameJob, previewDrawer } from './frame-job.ts';
import { WorkerPool } from './worker-pool.ts';

const MOST_THREADS = 4;
/** Fewer frames are drawn sooner than threads start. */
const FRAMES_BEFORE_THREADS = 24;
/** Pictures that each thread of a preview is given ahead. */
const PICTURES_AHEAD = 2;
/** Frames whose controls are drawn while networks compute: more than a window. */
const CONTROLS_AHEAD = 12;

/** The renderer of `createPreviewRenderer` and its very pictures, drawn by threads that live as long as a motion. */
export function createThreadedPreview(
  head: HeadModel,
  portrait: FittedPortrait,
  {
    sizePx,
    threads = Math.min(MOST_THREADS, availableParallelism()),
  }: { readonly sizePx: number; readonly threads?: number },
): AvatarRenderer {
  const still = { head, portrait, sizePx };
  return {
    ...previewProperties(head, { sizePx }),
    render: drawnByThreads(still, {
      ...{ drawHere: previewDrawer(still), functionName: 'drawPreview' },
      ...{ threads, ahead: threads * PICTURES_AHEAD },
    }),
  };
}

/** The controls of `createFrameController`, drawn by a thread that lives as long as a motion. */
export function threadedControls(
  tools: LiftTools,
  framed: FramedPortrait,
  steeredBy: SteeredBy,
): FrameControlStream {
  return drawnByThreads<ControlsStill, FrameControls>(
    { head: tools.head, framed, steeredBy },
    {
      ...{ drawHere: createFrameController(steeredBy, tools, framed), functionName: 'drawControls' },
      ...{ threads: 1, ahead: CONTROLS_AHEAD },
    },
  );
}

type Drawing<Frame> = {
  readonly drawHere: (placed: HeadParameters) => Frame;
  /** Of the module `frame-job.ts`. */
  readonly functionName: string;
  readonly threads: number;
  /** How many frames may be under way. */
  readonly ahead: number;
};

function drawnByThreads<Still, Frame>(
  still: Still,
  { drawHere, functionName, threads, ahead }: Drawing<Frame>,
) {
  return async function* (
    motion: Iterable<HeadParameters> | AsyncIterable<HeadParameters>,
  ): AsyncGenerator<Frame, void, undefined> {
    const pools: WorkerPool<FrameJob<Still>, Frame | null>[] = [];
    let haveStarted = false;
    const start = async (): Promise<void> => {
      for (let i = 0; i < threads; i++)
        pools.push(new WorkerPool({ module: FRAME_JOB, functionName, size: 1 }));
      await Promise.all(pools.map((pool) => pool.run({ still })));
      haveStarted = true;
    };
    const drawn: Promise<Frame>[] = [];
    let frame = 0;
    try {
      for await (const placed of motion) {
        frame++;
        if (haveStarted) {
          const asked = pools[frame % threads]!.run({ placed }) as Promise<Frame>;
          // Whoever stops early never waits for it.
          asked.catch(() => {});
          drawn.push(asked);
          if (drawn.length > ahead) yield drawn.shift()!;
        } else {
          // Threads that do not start are not missed.
          if (frame === FRAMES_BEFORE_THREADS) start().catch(() => {});
          yield drawHere(placed);
          // Lets the threads answer.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      yield* drawn;
    } finally {
      await Promise.all(pools.map((pool) => pool[Symbol.asyncDispose]()));
    }
  };
}

const FRAME_JOB = new URL('./frame-job.ts', import.meta.url);
