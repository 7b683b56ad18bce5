// The optimiser's kernel against the optimiser's graph, the plain statement of the same update.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAdamWKernel } from '../../src/kernels/index.ts';
import { adamW, adamWFeeds } from '../../src/nn/index.ts';
import { createRandom, interpret, parameter } from '../../src/tensor/index.ts';

const SHAPES = { matrix: [5, 3], bias: [7] } as const;

test('three updates by the kernel equal three by the graph', () => {
  const random = createRandom(4);
  const options = { weightDecay: 0.1, clipNorm: 0.7 };
  const names = ['matrix', 'bias'] as const;
  const lengths = { matrix: 15, bias: 7 };
  const kernel = createAdamWKernel({
    matrix: { length: lengths.matrix, decays: true },
    bias: { length: lengths.bias, decays: false },
  });
  const weights = new Map(names.map((name) => [name as string, parameter(name, SHAPES[name])]));
  const derivatives = new Map(names.map((name) => [name as string, parameter(`g.${name}`, SHAPES[name])]));
  const { state, gradientNorm } = adamW(weights, derivatives, options);
  let feeds: Record<string, Float64Array> = {};
  for (const name of names) {
    const arrays = kernel.arrays[name]!;
    random.fillNormal(arrays.weight);
    arrays.average.set(arrays.weight);
    feeds[name] = Float64Array.from(arrays.weight);
    feeds[`ema.${name}`] = Float64Array.from(arrays.weight);
    feeds[`first.${name}`] = new Float64Array(lengths[name]);
    feeds[`second.${name}`] = new Float64Array(lengths[name]);
  }
  for (let step = 1; step <= 3; step++) {
    const at = { learningRate: 0.01 * step, step, emaDecay: 0.9 };
    for (const name of names) {
      random.fillNormal(kernel.arrays[name]!.gradient);
      feeds[`g.${name}`] = Float64Array.from(kernel.arrays[name]!.gradient);
    }
    for (const [name, { data }] of Object.entries(adamWFeeds(at))) feeds[name] = Float64Array.from(data);
    const results = interpret([gradientNorm, ...Object.values(state)], feeds);
    const norm = kernel.update({ ...at, ...options });
    assert.ok(Math.abs(norm - results[0]![0]!) < 1e-5);
    feeds = { ...feeds, ...Object.fromEntries(Object.keys(state).map((name, i) => [name, results[i + 1]!])) };
  }
  for (const name of names) {
    const { weight, first, second, average } = kernel.arrays[name]!;
    const pairs = {
      [name]: weight,
      [`first.${name}`]: first,
      [`second.${name}`]: second,
      [`ema.${name}`]: average,
    };
    for (const [key, got] of Object.entries(pairs)) {
      got.forEach((value, i) => {
        assert.ok(
          Math.abs(value - feeds[key]![i]!) < 1e-5,
          `${key}[${i}]: expected ${feeds[key]![i]}, got ${value}`,
        );
      });
    }
  }
});
