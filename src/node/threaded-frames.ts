// Frames of a motion on worker threads, where each depends on nothing but what it is drawn of: the preview's pictures, and
// of a model the controls, which are drawn while its networks compute, and the decoded pictures. The first frames are
// drawn here, and all until the threads have started.

import { availableParallelism } from 'node:os';
import {
  type AvatarRenderer,
  createFrameController,
  type DenoisedFrame,
  type FittedPortrait,
  type FrameControlStream,
  type FrameControls,
  type FramedPortrait,
  type ModelSettings,
  previewProperties,
  type SteeredBy,
} from '../avatar/index.ts';
import { DECODER_SCOPE } from '../denoiser/index.ts';
import type { HeadModel, HeadParameters } from '../head/index.ts';
import type { LiftTools } from '../lift/index.ts';
import type { RgbImage } from '../media/index.ts';
import type { DecodeStill } from './decode-job.ts';
import { type ControlsStill, type FrameJob, previewDrawer } from './frame-job.ts';
import { WorkerPool } from './worker-pool.ts';

const MOST_THREADS = 4;
/** Half of the cores decode while the others compute what comes before; none where there is one. */
export const DECODING_THREADS: number = Math.min(MOST_THREADS, Math.floor(availableParallelism() / 2));
/** Fewer frames are drawn sooner than threads start. */
const FRAMES_BEFORE_THREADS = 24;
/** Pictures that each thread of a preview is given ahead. */
const PICTURES_AHEAD = 2;
/** Frames whose controls are drawn while networks compute: more than a window. */
const CONTROLS_AHEAD = 12;
/** Frames that each thread of a decoder is given ahead: a window comes at once. */
const DECODED_AHEAD = 8;

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
  return drawnByThreads<ControlsStill, HeadParameters, FrameControls>(
    { head: tools.head, framed, steeredBy },
    {
      ...{ drawHere: createFrameController(steeredBy, tools, framed), functionName: 'drawControls' },
      ...{ threads: 1, ahead: CONTROLS_AHEAD },
    },
  );
}

/** The pictures of a compact model's frames on a processor, decoded by threads while its other networks compute. */
export function threadedDecoding(threads: number): NonNullable<ModelSettings['decodeFrames']> {
  return ({ config, weights, statistics }, { takesDetail, decodeHere }) => {
    const own = Object.entries(weights).filter(([name]) => name.startsWith(`${DECODER_SCOPE}.`));
    const part = { config, statistics, weights: Object.fromEntries(own) };
    return drawnByThreads<DecodeStill, DenoisedFrame, RgbImage>(
      { part, takesDetail },
      {
        ...{ drawHere: decodeHere, module: DECODE_JOB, functionName: 'decodeFrame' },
        ...{ threads, ahead: threads * DECODED_AHEAD },
        // What else steers a frame stays here.
        sent: ({ latent, controls: { lifted, visibility, lift } }) => ({
          latent,
          controls: { lifted, visibility, lift },
        }),
      },
    );
  };
}

type Drawing<Item, Frame> = {
  readonly drawHere: (item: Item) => Frame | Promise<Frame>;
  /** The default is `frame-job.ts`. */
  readonly module?: URL;
  readonly functionName: string;
  /** What of an item the threads get; the default is all. */
  readonly sent?: (item: Item) => Item;
  readonly threads: number;
  /** How many frames may be under way. */
  readonly ahead: number;
};

function drawnByThreads<Still, Item, Frame>(
  still: Still,
  { drawHere, module = FRAME_JOB, functionName, sent = (item) => item, threads, ahead }: Drawing<Item, Frame>,
) {
  return async function* (
    items: Iterable<Item> | AsyncIterable<Item>,
  ): AsyncGenerator<Frame, void, undefined> {
    const pools: WorkerPool<FrameJob<Still, Item>, Frame | null>[] = [];
    let haveStarted = false;
    const start = async (): Promise<void> => {
      for (let i = 0; i < threads; i++) pools.push(new WorkerPool({ module, functionName, size: 1 }));
      await Promise.all(pools.map((pool) => pool.run({ still })));
      haveStarted = true;
    };
    const drawn: Promise<Frame>[] = [];
    let frame = 0;
    try {
      for await (const item of items) {
        frame++;
        if (haveStarted) {
          const asked = pools[frame % threads]!.run({ item: sent(item) }) as Promise<Frame>;
          // Whoever stops early never waits for it.
          asked.catch(() => {});
          drawn.push(asked);
          if (drawn.length > ahead) yield drawn.shift()!;
        } else {
          // Threads that do not start are not missed.
          if (frame === FRAMES_BEFORE_THREADS) start().catch(() => {});
          yield drawHere(item);
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

const DECODE_JOB = new URL('./decode-job.ts', import.meta.url);
const FRAME_JOB = new URL('./frame-job.ts', import.meta.url);
