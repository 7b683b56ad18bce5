// NumPy's broadcasting: the shape of a result, and the way back of a gradient.

import { graphError, type Value } from '../graph/value.ts';
import { sum } from './reductions.ts';
import { expand, reshape } from './shape.ts';

/** The shape that both shapes broadcast to. @throws BadInputError if they do not fit. */
export function broadcastShapes(a: readonly number[], b: readonly number[], operation: string): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const extentA = a[i - rank + a.length] ?? 1;
    const extentB = b[i - rank + b.length] ?? 1;
    if (extentA !== extentB && extentA !== 1 && extentB !== 1) {
      throw graphError(`${operation} expected shapes that broadcast, got [${a}] and [${b}]`);
    }
    return extentA === 1 ? extentB : extentA;
  });
}

/** Whether two shapes are the same. */
export function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i]);
}

/**
 * Brings the gradient of a broadcast result back to one operand, by summing over the axes that were repeated.
 * A gradient may itself be smaller than the result (it then broadcasts); it stays small where that is right.
 */
export function sumToShape(gradient: Value, result: Value, operand: Value): Value {
  if (isSameShape(result.shape, operand.shape)) return gradient;
  const whole = isSameShape(gradient.shape, result.shape) ? gradient : expand(gradient, result.shape);
  const offset = result.shape.length - operand.shape.length;
  const axes = result.shape.flatMap((extent, i) =>
    i < offset || (operand.shape[i - offset] === 1 && extent !== 1) ? [i] : [],
  );
  return reshape(axes.length === 0 ? whole : sum(whole, { axes, keepDims: true }), operand.shape);
}
