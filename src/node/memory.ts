// How much memory the process has held at most, how much there is, and whether that is enough for what is asked.

import { BadInputError } from '../errors/index.ts';

/** Peak resident memory of this process so far, in MB (10^6 bytes). */
export function peakMemoryMb(): number {
  return Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
}

/** Memory that this process may still take, in MB (10^6 bytes): of the machine, or of its container. */
export function availableMemoryMb(): number {
  return Math.round(process.availableMemory() / 1e6);
}

/**
 * Checks, before long work, that there is memory for it.
 * @param available bytes that this process may still take; the default asks the system
 * @throws BadInputError `too-little-memory` with what is needed and what is there.
 */
export function expectMemoryFor(
  what: string,
  bytes: number,
  available: number = process.availableMemory(),
): void {
  if (bytes <= available) return;
  const gigabytes = (n: number): string => `${(n / 1e9).toFixed(1)} GB`;
  throw new BadInputError({
    code: 'too-little-memory',
    message: `${what} needs about ${gigabytes(bytes)} of memory, but only ${gigabytes(available)} are available`,
    hint: 'close other programs, or use fewer frames a window (model.frames of the configuration)',
  });
}
