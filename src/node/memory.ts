// How much memory the process has held at most.

/** Peak resident memory of this process so far, in MB (10^6 bytes). */
export function peakMemoryMb(): number {
  return Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
}
