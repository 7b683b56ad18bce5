// The checker of gradients: central differences in float64 against a claimed gradient.

/** What is checked: a loss of one array, and the gradient that is claimed for it there. */
export type GradientClaim = {
  readonly loss: (at: Float64Array) => number;
  readonly at: Float64Array;
  readonly gradient: Float64Array;
  /** Half the distance of the two values of a difference. */
  readonly step: number;
};

/**
 * The largest error over all elements, relative to the element itself, or to a hundredth of the largest one
 * where that is more.
 */
export function gradientError({ loss, at, gradient, step }: GradientClaim): number {
  const numeric = at.map((value, i) => {
    const moved = at.slice();
    moved[i] = value + step;
    const above = loss(moved);
    moved[i] = value - step;
    return (above - loss(moved)) / (2 * step);
  });
  const floor = 0.01 * numeric.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return numeric.reduce((worst, value, i) => {
    const error = Math.abs(value - gradient[i]!);
    return Math.max(worst, error === 0 ? 0 : error / Math.max(Math.abs(value), floor));
  }, 0);
}
