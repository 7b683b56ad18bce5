// How much memory the process has held at most, and how much there is.

/** Peak resident memory of this process so far, in MB (10^6 bytes). */
export function peakMemoryMb(): number {
  return Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
}

/** Memory that this process may still take, in MB (10^6 bytes): of the machine, or of its container. */
export function availableMemoryMb(): number {
  return Math.round(process.availableMemory() / 1e6);
}
