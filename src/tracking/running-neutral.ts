// The face that a person shows most of the time, as far as it is known: the median of faces so far, spread over
// all the time there was. A bounded number is kept, however long the clip.

import { medianRow } from './learned-prior.ts';

/** The median of the rows so far. */
export type RunningNeutral = {
  /** Rows seen. */
  readonly count: number;
  /** Null before the first. It glides to where the median is, so that nothing jumps. */
  readonly median: Float32Array | null;
  learn(row: Float32Array): void;
};

/** When so many are kept, every second goes. */
const MOST_KEPT = 64;
/** Sorting takes milliseconds: once in so many rows. */
const SORT_INTERVAL = 10;
const GLIDE = 0.1;

/** Starts from nothing. */
export function createRunningNeutral(): RunningNeutral {
  let kept: Float32Array[] = [];
  let stride = 1;
  let count = 0;
  let target: Float32Array | null = null;
  let median: Float32Array | null = null;
  return {
    get count() {
      return count;
    },
    get median() {
      return median;
    },
    learn(row) {
      if (count % stride === 0) {
        kept.push(row);
        if (kept.length > MOST_KEPT) {
          kept = kept.filter((_, i) => i % 2 === 0);
          stride *= 2;
        }
      }
      count++;
      if (target === null || count < SORT_INTERVAL || count % SORT_INTERVAL === 0) target = medianRow(kept);
      const [from, to] = [median ?? target, target];
      median = count < SORT_INTERVAL ? to : from.map((value, i) => value + GLIDE * (to[i]! - value));
    },
  };
}
