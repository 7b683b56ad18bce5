// What the loss is multiplied by before its gradients are taken in 16-bit floats, so that small ones do not vanish: halved
// whenever a gradient is not finite, doubled after a thousand steps that all were.
// Source: Micikevicius et al., "Mixed precision training", 2018, section 3.2.

/** Small enough that a run of the loop that begins too high is at 1 before it gives up. */
const FIRST_SCALE = 2 ** 16;
const MOST = 2 ** 24;
const STEPS_TO_DOUBLE = 1000;

/** A scale, and for how many steps gradients were finite under it; part of a run's state. */
export function firstLossScale(): Float32Array {
  return Float32Array.of(FIRST_SCALE, 0);
}

/** Adapts a scale to a step's outcome, in place. */
export function adaptLossScale(held: Float32Array, wasFinite: boolean): void {
  const [scale, steps] = held as unknown as [number, number];
  if (!wasFinite) held.set([Math.max(1, scale / 2), 0]);
  else if (steps + 1 < STEPS_TO_DOUBLE) held[1] = steps + 1;
  else held.set([Math.min(MOST, 2 * scale), 0]);
}
