// Gives Node the browser's WebCodecs classes, which mediabunny and src/media expect on globalThis.

import '@napi-rs/webcodecs/polyfill';

/**
 * Keeps the process alive until a promise settles. The native codecs' callbacks do not count as pending
 * work for Node: without this a program that only waits for a frame ends silently with status 13.
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
