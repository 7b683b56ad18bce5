// Every operator's gradient against central differences, both in float64 through the reference interpreter.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  add,
  constant,
  elementCount,
  gradients,
  interpret,
  mean,
  mul,
  nameOf,
  parameter,
  parametersOf,
  square,
  stopGradient,
  sum,
  type Value,
} from '../../src/tensor/index.ts';
import { OPERATOR_CASES } from './operator-cases.ts';
import { randomFeeds, randomNumbers } from './random-feeds.ts';

const STEP = 1e-5;
const TOLERANCE = 1e-7;

/** A scalar that weighs every element of the result differently and curves, so that no fault cancels. */
function lossOf(result: Value): Value {
  const numbers = randomNumbers(elementCount(result.shape), 99);
  const weights = constant({ dtype: 'float32', shape: result.shape, data: Float32Array.from(numbers) });
  return sum(mul(add(result, mul(square(result), 0.3)), weights));
}

function largestError(
  loss: Value,
  parameters: readonly Value[],
  derivatives: readonly Value[],
  feeds: Record<string, Float64Array>,
): number {
  const analytic = interpret(derivatives, feeds);
  let worst = 0;
  parameters.forEach((value, k) => {
    const name = nameOf(value);
    feeds[name]!.forEach((before, i) => {
      const lossAt = (x: number): number => {
        const data = feeds[name]!.with(i, x);
        return interpret([loss], { ...feeds, [name]: data })[0]![0]!;
      };
      const numeric = (lossAt(before + STEP) - lossAt(before - STEP)) / (2 * STEP);
      const scale = Math.max(1, Math.abs(numeric));
      worst = Math.max(worst, Math.abs(analytic[k]![i]! - numeric) / scale);
    });
  });
  return worst;
}

describe('the gradient agrees with finite differences for', () => {
  for (const { title, build, isPositive = false, hasNoGradient = false } of OPERATOR_CASES) {
    if (hasNoGradient) continue;
    test(title, () => {
      const loss = lossOf(build());
      const parameters = parametersOf([loss]).filter((value) => nameOf(value) !== 'c' || title !== 'where');
      const derivatives = gradients(loss, parameters);
      derivatives.forEach((derivative, i) => {
        assert.deepEqual(derivative.shape, parameters[i]!.shape);
      });
      const feeds = randomFeeds(parametersOf([loss]), { isPositive });
      const error = largestError(loss, parameters, derivatives, feeds);
      assert.ok(error < TOLERANCE, `relative error ${error}`);
    });
  }
});

test('the finite-difference check notices a wrong gradient', () => {
  const a = parameter('a', [3]);
  const loss = sum(square(a));
  const wrong = mul(gradients(loss, [a])[0]!, 1.001);
  assert.ok(largestError(loss, [a], [wrong], randomFeeds([a])) > 1e-5);
});

test('a value used twice gathers both gradients', () => {
  const a = parameter('a', [2]);
  const [derivative] = gradients(sum(add(mul(a, a), a)), [a]);
  assert.deepEqual([...interpret([derivative!], { a: Float64Array.of(2, -1) })[0]!], [5, -1]);
});

test('no gradient flows through stopGradient, nor to what the loss does not use', () => {
  const a = parameter('a', [2]);
  const unused = parameter('b', [3]);
  const [toA, toUnused] = gradients(sum(mul(stopGradient(a), a)), [a, unused]);
  const [atA, atUnused] = interpret([toA!, toUnused!], { a: Float64Array.of(2, -1) });
  assert.deepEqual([...atA!], [2, -1]);
  assert.deepEqual([...atUnused!], [0, 0, 0]);
});

test('a weight declared twice under one name is one weight', () => {
  const [derivative] = gradients(sum(mul(parameter('a', [1]), parameter('a', [1]))), [parameter('a', [1])]);
  assert.deepEqual([...interpret([derivative!], { a: Float64Array.of(3) })[0]!], [6]);
});

test('gradients may be taken of gradients', () => {
  const a = parameter('a', [1]);
  const [first] = gradients(sum(mul(a, square(a))), [a]);
  const [second] = gradients(sum(first!), [a]);
  assert.deepEqual([...interpret([second!], { a: Float64Array.of(2) })[0]!], [12]);
});

test('the gradient of a mean has the shape of what was averaged', () => {
  const a = parameter('a', [2, 3]);
  const [derivative] = gradients(mean(a), [a]);
  assert.deepEqual(derivative!.shape, [2, 3]);
});

test('a loss of several elements is refused', () => {
  assert.throws(() => gradients(parameter('a', [2]), []), /expected a loss of one element, got \[2\]/);
});
