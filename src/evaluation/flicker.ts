// How restless a sequence is beyond its own motion: what is left between neighbouring frames after the earlier one is
// carried along by optical flow. A true clip has some, of noise and of what comes into view; beside it the figure is
// to be read.

import type { RgbImage } from '../media/index.ts';
import type { Region } from './image-metrics.ts';
import { carried, localContrast, luminance, opticalFlow } from './optical-flow.ts';

/**
 * Mean absolute difference of brightness, percent of the full range, over the regions of all later frames; NaN for
 * fewer than two frames.
 * @param regions of each frame
 */
export function flickerOf(frames: readonly RgbImage[], regions: readonly Region[]): number {
  let [total, pixels] = [0, 0];
  for (let t = 1; t < frames.length; t++) {
    const [before, after] = [luminance(frames[t - 1]!), luminance(frames[t]!)];
    const { data } = carried(before, opticalFlow(localContrast(before), localContrast(after)));
    const region = regions[t]!;
    for (let i = 0; i < data.length; i++) {
      if (region[i]! === 0) continue;
      total += Math.abs(data[i]! - after.data[i]!);
      pixels++;
    }
  }
  return (100 * total) / (255 * pixels);
}
