// Activation checkpointing: what a part of a network computed is thrown away after the forward pass and computed
// again when its gradient is asked for, so that only the part's inputs stay in memory meanwhile.
// Source: Chen et al., "Training deep nets with sublinear memory cost", 2016.
// A runtime that merges equal subexpressions would undo this: the second computation is the first one's twin. So
// its inputs get something of the arriving gradient, times zero: the same values, another expression, and one that
// cannot be computed before the gradient is there.

import { add, mul } from '../operations/elementwise.ts';
import { reshape, slice } from '../operations/shape.ts';
import { withGradient } from './custom-gradient.ts';
import { parametersOf } from './emission.ts';
import { pullBack } from './gradients.ts';
import { input, type Value } from './value.ts';

/**
 * The result of a part, whose values are computed again for the gradient.
 * @param part pure: what it depends on besides parameters comes in through `inputs`, or gets no gradient
 */
export function recomputed(part: (...inputs: readonly Value[]) => Value, inputs: readonly Value[]): Value {
  const result = part(...inputs);
  const parameters = parametersOf([result]).filter((value) => !inputs.includes(value));
  return withGradient(result, [...inputs, ...parameters], (g) => {
    const late = inputs.map((value) => add(value, nothingOf(g)));
    // Parameters of the parts before this one are not reached: zeros for them would join every sum of gradients.
    return pullBack(part(...late), g, [...late, ...parameters]);
  });
}

/**
 * The result of a part, whose values are computed again for the gradient from its inputs' own second computation.
 * @param part pure, as of `recomputed`
 * @param again the inputs once more, out of what is kept anyway; at least one of them with `nothingOf` the gradient, on which
 *   all of the part depends
 */
export function recomputedFrom(
  inputs: readonly Value[],
  part: (...inputs: readonly Value[]) => Value,
  again: (gradient: Value) => readonly Value[],
): Value {
  const result = part(...inputs);
  const parameters = parametersOf([part(...inputs.map(({ shape }, i) => input(`part.${i}`, shape)))]);
  return withGradient(result, [...inputs, ...parameters], (g) => {
    const late = again(g);
    return pullBack(part(...late), g, [...late, ...parameters]);
  });
}

/** The result of a part as it is, or `recomputed`. */
export function recomputedIf(
  isRecomputed: boolean,
  part: (...inputs: readonly Value[]) => Value,
  inputs: readonly Value[],
): Value {
  return isRecomputed ? recomputed(part, inputs) : part(...inputs);
}

/** Zero, once the value is known; not a number where its first element is not finite, as all that follows is then. */
export function nothingOf(value: Value): Value {
  return mul(slice(reshape(value, [-1]), { axis: 0, start: 0, end: 1 }), 0);
}
