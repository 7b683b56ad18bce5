// Brows and lips come out of the fit smaller than they move, since what hardly shows is drawn to rest. How much smaller, unit
// by unit, is known from clips whose truth is known; this gives it back. What a person shows most of the time has a
// gain of its own: there, the form of brows and lips passes for their motion. So it is with the eyes' rest.

import type { FrameState } from './head-state.ts';
import { medianRow } from './learned-prior.ts';
import { gazeOf, PLAIN_GAZE, type RestingGaze, settleGaze } from './resting-gaze.ts';

/** What units are given back, `E` each. */
export type UnitGains = {
  /** Factor of what a person shows most of the time; below 1 for what hangs: lids are found too low then. */
  readonly rest: Float32Array;
  /** Factor of what departs from that, 1 and more. */
  readonly motion: Float32Array;
  /** What is added to both: units that are found where there are none come down. */
  readonly offset: Float32Array;
  readonly gaze: RestingGaze;
};

/** Gains of a number of units that leave all as it is. */
export function plainGains(units: number): UnitGains {
  const ones = new Float32Array(units).fill(1);
  return { rest: ones, motion: ones, offset: new Float32Array(units), gaze: PLAIN_GAZE };
}

/** What a person shows so much of most of the time is no mistake: eyes that stay closed. */
const SURELY_SHOWN = 0.6;

/** Frames looked at for what a person shows most of the time. */
const MOST_FOR_REST = 240;

/** Units of a frame with their amplitude given back, within 0 to 1; `rest` is what the person shows most of the time. */
export function widenUnits(
  expression: Float64Array,
  rest: ArrayLike<number>,
  gains: UnitGains,
): Float64Array {
  return expression.map((value, k) => {
    const [moving, offset] = [gains.motion[k]!, gains.offset[k]!];
    const still = rest[k]! > SURELY_SHOWN ? Math.max(1, gains.rest[k]!) : gains.rest[k]!;
    if (still === 1 && moving === 1 && offset === 0) return value;
    return Math.min(1, Math.max(0, offset + still * rest[k]! + moving * (value - rest[k]!)));
  });
}

/** What of a frame is given back or settled, in one row: units, then the gaze; its median over a clip is what is shown at rest. */
export function restRow({ expression, hinges }: FrameState): Float32Array {
  return Float32Array.of(...expression, ...gazeOf(hinges));
}

/** A frame with the amplitude of its units given back and its gaze settled. @param rest the median of the clip's `restRow`s */
export function widenFrame(frame: FrameState, rest: Float32Array, gains: UnitGains): FrameState {
  const units = frame.expression.length;
  return {
    ...frame,
    expression: widenUnits(frame.expression, rest.subarray(0, units), gains),
    hinges: settleGaze(frame.hinges, rest.subarray(units), gains.gaze),
  };
}

/** A clip's frames with the amplitude of their units given back and their gaze settled. */
export function widenFrames(frames: readonly FrameState[], gains: UnitGains): FrameState[] {
  const step = Math.max(1, Math.ceil(frames.length / MOST_FOR_REST));
  const rest = medianRow(frames.filter((_, i) => i % step === 0).map(restRow));
  return frames.map((frame) => widenFrame(frame, rest, gains));
}
