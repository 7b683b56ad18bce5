// Gives Node the browser's WebCodecs classes, which mediabunny and src/media expect on globalThis, and
// makes up for two things that the native classes of @napi-rs/webcodecs 1.3 lack: their pending callbacks
// do not keep the process alive, and closed frames hold their memory until they are collected.

import '@napi-rs/webcodecs/polyfill';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Logging, LogLevel } from 'mediabunny';

// What goes wrong comes as an exception; the console belongs to the program.
Logging.level = LogLevel.Silent;

/**
 * Keeps the process alive until a promise settles. Without this a program that only waits for a frame ends
 * silently with status 13.
 */
export async function keepAlive<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1 << 30);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

/** `keepAlive` for every step of a generator. */
export async function* keepEachAlive<T>(
  steps: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  try {
    for (;;) {
      const step = await keepAlive(steps.next());
      if (step.done) return;
      yield step.value;
    }
  } finally {
    await keepAlive(steps.return());
  }
}

/** Closed frames may hold this much before a collection is worth its 10 to 15 ms. */
const CLOSED_FRAME_BYTES = 64e6;

let closedBytes = 0;
let collectGarbage: (() => void) | undefined;

/**
 * Counts a frame that went through a codec and was closed. V8 does not see the native memory behind it
 * (0.4 MB at 512 x 512, 0.8 GB for a clip of a minute), so now and then a collection is asked for.
 */
export async function countClosedFrame({
  width,
  height,
}: {
  readonly width: number;
  readonly height: number;
}): Promise<void> {
  closedBytes += width * height * 1.5;
  if (closedBytes < CLOSED_FRAME_BYTES) return;
  closedBytes = 0;
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose-gc');
    collectGarbage = runInNewContext('gc') as () => void;
  }
  collectGarbage();
  // Native memory goes in finalisers, which run on a turn of the event loop that busy promises put off.
  await new Promise((resolve) => setImmediate(resolve));
}
