// Functions of time that motions are made of: smooth wandering, and events that come at random.

import type { Random } from '../tensor/index.ts';

/** A value at a time, seconds from the beginning of a clip. */
export type Curve = (seconds: number) => number;

/**
 * A uniform cubic B-spline through a random row of control values: twice smooth, and never beyond them.
 */
export function smoothCurve(
  random: Random,
  {
    durationSeconds,
    knotSeconds,
    value,
    phase = random.uniform(),
  }: {
    readonly durationSeconds: number;
    readonly knotSeconds: number;
    /** The control value of a knot, from 0. */
    readonly value: (knot: number) => number;
    /** Where between two knots the clip begins, 0 to 1; default: anywhere. */
    readonly phase?: number;
  },
): Curve {
  const count = Math.ceil(durationSeconds / knotSeconds + phase) + 4;
  const knots = Float64Array.from({ length: count }, (_, knot) => value(knot));
  return (seconds) => {
    const place = seconds / knotSeconds + phase;
    const knot = Math.min(count - 4, Math.max(0, Math.floor(place)));
    const t = Math.min(1, place - knot);
    const s = 1 - t;
    return (
      (s * s * s * knots[knot]! +
        (3 * t * t * t - 6 * t * t + 4) * knots[knot + 1]! +
        (3 * s * s * s - 6 * s * s + 4) * knots[knot + 2]! +
        t * t * t * knots[knot + 3]!) /
      6
    );
  };
}

/** Times between a second before the clip and its end; pauses are exponential, at least `leastSeconds`. */
export function randomTimes(
  random: Random,
  {
    durationSeconds,
    meanSeconds,
    leastSeconds,
  }: { readonly durationSeconds: number; readonly meanSeconds: number; readonly leastSeconds: number },
): number[] {
  const times: number[] = [];
  const pause = (): number => leastSeconds - Math.log(1 - random.uniform()) * (meanSeconds - leastSeconds);
  // Begun long before, so that the clip does not begin at a pause's beginning.
  for (let time = -1 - 4 * meanSeconds + pause(); time < durationSeconds; time += pause()) {
    if (time > -1) times.push(time);
  }
  return times;
}

/** 0 before, 1 after, an S between. */
export function smoothStep(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}
