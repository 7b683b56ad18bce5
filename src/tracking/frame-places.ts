// How different two frames of a clip are, where some are chosen to stand for all: by the turn of the head and the jaw.

import { type FrameState, yawAndPitch } from './head-state.ts';

/** Radians of jaw count this much beside radians of yaw and pitch. */
const JAW_FACTOR = 2;

/** Where a frame stands among others, radians. */
export function framePlace({ rotation, hinges }: FrameState): readonly number[] {
  return [...yawAndPitch(rotation), JAW_FACTOR * hinges[1]!];
}

/** How far two frames' places are apart. */
export function placesApart(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!));
}
