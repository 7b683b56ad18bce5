// The checker of gradients sees what it must and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientError } from './finite-differences.ts';

const loss = (x: Float64Array): number => Math.sin(x[0]!) * x[1]! ** 2;
const at = Float64Array.of(0.7, 1.3);
const gradient = Float64Array.of(Math.cos(0.7) * 1.3 ** 2, Math.sin(0.7) * 2.6);

test('the checker accepts the gradient of a formula', () => {
  assert.ok(gradientError({ loss, at, gradient, step: 1e-5 }) < 1e-9);
});

test('the checker sees one element that is wrong by a thousandth', () => {
  const wrong = Float64Array.of(gradient[0]!, gradient[1]! * 1.001);
  const error = gradientError({ loss, at, gradient: wrong, step: 1e-5 });
  assert.ok(error > 0.0009 && error < 0.0011, `${error}`);
});

test('the checker rejects a gradient of zeros', () => {
  assert.ok(gradientError({ loss, at, gradient: new Float64Array(2), step: 1e-5 }) >= 1);
});
