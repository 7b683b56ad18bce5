// What the worker pool's tests run on the threads.

import { BadInputError } from '../../src/errors/index.ts';

/** The square of a positive value, the larger ones sooner. */
export async function square({ value }: { readonly value: number }): Promise<Float32Array> {
  if (value < 0) {
    throw new BadInputError({
      code: 'negative',
      message: 'expected a positive value',
      hint: 'pass a positive value',
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 20 / value));
  return Float32Array.of(value * value);
}

/** Ends its own thread, as a full memory does. */
export function end({ value }: { readonly value: number }): void {
  process.exit(value);
}

/** Says in a shared flag that it began, and after a while of computing that it went through; then waits for ever. */
export async function compute({ flag }: { readonly flag: Int32Array }): Promise<void> {
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
  for (const end = performance.now() + 200; performance.now() < end; );
  Atomics.store(flag, 0, 2);
  await new Promise(() => {});
}
