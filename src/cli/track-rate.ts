// How fast a track runs, where its clip is not there to say so.

import type { HeadTrack } from '../head/index.ts';

const DEFAULT_RATE = 25;

/** Frames a second over the whole track. */
export function averageRate({ timestampsSeconds }: HeadTrack): number {
  const last = timestampsSeconds.length - 1;
  const seconds = timestampsSeconds[last]! - timestampsSeconds[0]!;
  return seconds > 0 ? last / seconds : DEFAULT_RATE;
}
