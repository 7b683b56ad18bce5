// The optimiser's kernel against a plain float64 statement of AdamW with clipping and a moving average.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAdamWKernel } from '../../src/kernels/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

const NUMBERS = { weightDecay: 0.1, clipNorm: 0.7 };
const LAYOUT = { matrix: { length: 15, decays: true }, bias: { length: 7, decays: false } };
const FIELDS = ['weight', 'first', 'second', 'average'] as const;

type State = Record<(typeof FIELDS)[number], number>;

/** One number's next state. Source: Loshchilov and Hutter 2019, algorithm 2. */
function plainUpdate(state: State, g: number, rate: number, step: number, decays: boolean): State {
  const first = 0.9 * state.first + 0.1 * g;
  const second = 0.999 * state.second + 0.001 * g * g;
  const change = first / (1 - 0.9 ** step) / (Math.sqrt(second / (1 - 0.999 ** step)) + 1e-8);
  const weight = state.weight * (decays ? 1 - rate * NUMBERS.weightDecay : 1) - rate * change;
  return { weight, first, second, average: 0.9 * state.average + 0.1 * weight };
}

test('three updates by the kernel equal three of the plain statement', () => {
  const random = createRandom(4);
  const kernel = createAdamWKernel(LAYOUT);
  const numbers = Object.entries(LAYOUT).flatMap(([name, { length, decays }]) =>
    Array.from({ length }, (_, i) => ({ arrays: kernel.arrays[name]!, i, decays })),
  );
  let states: State[] = numbers.map(({ arrays, i }) => {
    arrays.weight[i] = random.normal();
    arrays.average[i] = arrays.weight[i]!;
    return { weight: arrays.weight[i]!, first: 0, second: 0, average: arrays.average[i]! };
  });
  for (let step = 1; step <= 3; step++) {
    const learningRate = 0.01 * step;
    for (const { arrays, i } of numbers) arrays.gradient[i] = random.normal();
    const norm = Math.hypot(...numbers.map(({ arrays, i }) => arrays.gradient[i]!));
    const clip = NUMBERS.clipNorm / Math.max(norm, NUMBERS.clipNorm);
    states = states.map((state, k) => {
      const { arrays, i, decays } = numbers[k]!;
      return plainUpdate(state, arrays.gradient[i]! * clip, learningRate, step, decays);
    });
    const got = kernel.update({ ...NUMBERS, learningRate, step, emaDecay: 0.9 });
    assert.ok(Math.abs(got - norm) < 1e-5, `norm: expected ${norm}, got ${got}`);
  }
  numbers.forEach(({ arrays, i }, k) => {
    for (const field of FIELDS) {
      const [wanted, got] = [states[k]![field], arrays[field][i]!];
      assert.ok(Math.abs(got - wanted) < 1e-5, `${field}: expected ${wanted}, got ${got}`);
    }
  });
});

test('a gradient shorter than the clipping norm is left as it is', () => {
  const kernel = createAdamWKernel({ w: { length: 1, decays: false } });
  const { gradient, first } = kernel.arrays.w!;
  gradient[0] = 0.5;
  assert.equal(kernel.update({ ...NUMBERS, learningRate: 0.1, step: 1, emaDecay: 0 }), 0.5);
  assert.ok(Math.abs(first[0]! - 0.05) < 1e-7);
});

test('state in many memories takes the very steps of one', () => {
  const layout = Object.fromEntries(
    [40, 3, 25, 60, 8].map((length, i) => [`w${i}`, { length, decays: i % 2 === 0 }]),
  );
  const states = [undefined, 1000].map((bankBytes) => {
    const kernel = createAdamWKernel(layout, bankBytes === undefined ? {} : { bankBytes });
    const random = createRandom(5);
    for (const { weight } of Object.values(kernel.arrays)) random.fillNormal(weight);
    for (let step = 1; step <= 2; step++) {
      for (const { gradient } of Object.values(kernel.arrays)) random.fillNormal(gradient);
      kernel.update({ ...NUMBERS, learningRate: 0.1, step, emaDecay: 0.9 });
    }
    return kernel.arrays;
  });
  assert.equal(new Set(Object.values(states[0]!).map(({ weight }) => weight.buffer)).size, 1);
  assert.equal(new Set(Object.values(states[1]!).map(({ weight }) => weight.buffer)).size, 4);
  for (const [name, { weight, average }] of Object.entries(states[0]!)) {
    assert.deepEqual(states[1]![name]!.weight, weight);
    assert.deepEqual(states[1]![name]!.average, average);
  }
});
