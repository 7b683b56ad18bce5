// The optimiser's kernel against a plain float64 statement of AdamW with clipping and a moving average.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdamW, AdamWArrays, QuantisedAdamWArrays } from '../../src/kernels/index.ts';
import { createAdamWKernel, createQuantisedAdamWKernel, momentBytes } from '../../src/kernels/index.ts';
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

/** The numbers of codes 0 up: evenly spaced below 2^mantissa, then 2^mantissa to each power of two; the last is `top`. */
function numbersOfCodes(
  exponent: number,
  mantissa: number,
): { readonly numbers: number[]; readonly top: number } {
  const steps = 2 ** mantissa;
  const numbers = Array.from({ length: 2 ** (exponent + mantissa) }, (_, code) => {
    const power = Math.max(1, Math.floor(code / steps));
    const share = (code % steps) / steps + (code < steps ? 0 : 1);
    return share * 2 ** (power - (2 ** exponent - 1));
  });
  return { numbers, top: numbers.at(-1)! };
}

const FIRST = numbersOfCodes(4, 3);
const ROOT = numbersOfCodes(3, 5);
const QUANTISED_LAYOUT = { matrix: { length: 700, decays: true }, bias: { length: 7, decays: false } };

/** What the codes of a weight stand for. */
function momentsOf({ first, second, firstUnits, secondUnits }: QuantisedAdamWArrays, i: number) {
  const [code, block] = [first[i]!, i >> 8];
  const size = FIRST.numbers[code & 127]! * firstUnits[block]!;
  return {
    first: code < 128 ? size : -size,
    second: (ROOT.numbers[second[i]!]! * secondUnits[block]!) ** 2,
  };
}

test('moments in 8 bits stand beside those of the plain statement, the second at the code above or below', () => {
  const random = createRandom(6);
  const kernel = createQuantisedAdamWKernel(QUANTISED_LAYOUT);
  assert.deepEqual([FIRST.numbers.length, FIRST.top], [128, 1.875]);
  assert.deepEqual([ROOT.numbers.length, ROOT.top], [256, 1.96875]);
  for (let step = 1; step <= 3; step++) {
    const wanted = Object.entries(QUANTISED_LAYOUT).flatMap(([name, { length, decays }]) => {
      const arrays = kernel.arrays[name]!;
      // Sizes over five powers of ten.
      return Array.from({ length }, (_, i) => {
        arrays.gradient[i] = random.normal() * 10 ** -random.integer(6);
        const { weight, average } = arrays;
        return {
          name,
          i,
          decays,
          state: { weight: weight[i]!, average: average[i]!, ...momentsOf(arrays, i) },
        };
      });
    });
    const norm = Math.hypot(...wanted.map(({ name, i }) => kernel.arrays[name]!.gradient[i]!));
    const clip = NUMBERS.clipNorm / Math.max(norm, NUMBERS.clipNorm);
    const states = wanted.map(({ name, i, decays, state }) =>
      plainUpdate(state, kernel.arrays[name]!.gradient[i]! * clip, 0.01, step, decays),
    );
    kernel.update({ ...NUMBERS, learningRate: 0.01, step, emaDecay: 0.9 });
    for (const [k, { name, i }] of wanted.entries()) {
      const arrays = kernel.arrays[name]!;
      const block = states.filter((_, j) => wanted[j]!.name === name && wanted[j]!.i >> 8 === i >> 8);
      const where = `${name}[${i}] at step ${step}`;
      for (const field of ['weight', 'average'] as const) {
        const off = Math.abs(arrays[field][i]! - states[k]![field]);
        assert.ok(off < 1e-5, `${field} of ${where} is ${off} off`);
      }
      const greatest = Math.max(...block.map(({ first }) => Math.abs(first)));
      const unit = arrays.firstUnits[i >> 8]!;
      assert.ok(Math.abs(unit * FIRST.top - greatest) < 1e-5 * greatest, `unit of first ${where}`);
      const first = Math.abs(states[k]!.first) / unit;
      const nearest = Math.min(...FIRST.numbers.map((number) => Math.abs(number - first)));
      const off = Math.abs(momentsOf(arrays, i).first - states[k]!.first) / unit;
      assert.ok(
        off < nearest + 1e-4 * first + 1e-7,
        `first of ${where} is ${off} units off, ${nearest} would do`,
      );
      const root = Math.sqrt(states[k]!.second) / arrays.secondUnits[i >> 8]!;
      const code = arrays.second[i]!;
      const [below, above] = [code > 1 ? ROOT.numbers[code - 1]! : 0, ROOT.numbers[code + 1] ?? ROOT.top];
      assert.ok(
        root > below * (1 - 1e-4) && root < above * (1 + 1e-4),
        `second of ${where}: ${root}, code ${code}`,
      );
    }
  }
});

test('second moments that are rounded by chance keep their mean', () => {
  const [length, steps] = [4096, 400];
  const kernels = [createAdamWKernel, createQuantisedAdamWKernel].map((create) =>
    create({ w: { length, decays: false } }),
  );
  const random = createRandom(7);
  // Each its own size, between 0.1 and 1.
  const sizes = Float32Array.from({ length }, () => 10 ** -random.uniform());
  for (let step = 1; step <= steps; step++) {
    const drawn = sizes.map((size) => size * random.normal());
    for (const { arrays, update } of kernels) {
      arrays.w!.gradient.set(drawn);
      update({ weightDecay: 0, clipNorm: 1e9, learningRate: 1e-3, step, emaDecay: 0.9 });
    }
  }
  const [plain, quantised] = kernels as [AdamW<AdamWArrays>, AdamW<QuantisedAdamWArrays>];
  const ratios = sizes.map((_, i) => momentsOf(quantised.arrays.w!, i).second / plain.arrays.w!.second[i]!);
  const mean = ratios.reduce((sum, ratio) => sum + ratio / length, 0);
  // Roots keep their mean; their squares are a little more by what they scatter.
  assert.ok(mean > 0.98 && mean < 1.05, `mean ratio ${mean}`);
});

test('quantised state in many memories takes the very steps of one', () => {
  const layout = Object.fromEntries(
    [400, 3, 25, 600].map((length, i) => [`w${i}`, { length, decays: i > 0 }]),
  );
  const states = [{}, { bankBytes: 6000 }].map((memory) => {
    const kernel = createQuantisedAdamWKernel(layout, memory);
    const random = createRandom(5);
    for (let step = 1; step <= 3; step++) {
      for (const { gradient } of Object.values(kernel.arrays)) random.fillNormal(gradient);
      kernel.update({ ...NUMBERS, learningRate: 0.1, step, emaDecay: 0.9 });
    }
    return kernel.arrays;
  });
  assert.equal(new Set(Object.values(states[1]!).map(({ weight }) => weight.buffer)).size, 3);
  assert.deepEqual(states[0], states[1]);
});

test('moments in 8 bits take a quarter of the bytes, and a unit for each 256', () => {
  assert.equal(momentBytes(2560, false), 20480);
  assert.equal(momentBytes(2560, true), 5120 + 2 * 10 * 4 + 2 * 8);
});
