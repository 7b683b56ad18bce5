// How much memory the process has held at most, how much there is, and whether that is enough for what is asked.

import { BadInputError } from '../errors/index.ts';

/** Peak resident memory of this process so far, in MB (10^6 bytes). */
export function peakMemoryMb(): number {
  return Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
}

/** What else is known of a request for memory. */
export type MemoryRequest = {
  /** What to do about too little of it. */
  readonly hint: string;
  /** Bytes that this process may still take; the default asks the system. */
  readonly available?: number;
};

/**
 * Checks, before long work, that there is memory for it.
 * @throws BadInputError `too-little-memory` with what is needed and what is there.
 */
export function expectMemoryFor(
  what: string,
  bytes: number,
  { hint, available = process.availableMemory() }: MemoryRequest,
): void {
  if (bytes <= available) return;
  const gigabytes = (n: number): string => `${(n / 1e9).toFixed(1)} GB`;
  throw new BadInputError({
    code: 'too-little-memory',
    message: `${what} needs about ${gigabytes(bytes)} of memory, but only ${gigabytes(available)} are available`,
    hint: `close other programs, or ${hint}`,
  });
}
