// Three ways to take a step agree: one graph for all, gradients and update as graphs apart, and the
// trainer's gradients with the kernel's update.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdamWStep, PackedState } from '../../src/nn/index.ts';
import {
  adamWFeeds,
  createParameterSet,
  initialState,
  linearLayer,
  packState,
  resnetBlock,
} from '../../src/nn/index.ts';
import { createDevice } from '../../src/node/index.ts';
import type { AnyTensor, OnnxModel, Tensor } from '../../src/tensor/index.ts';
import {
  createRandom,
  encodeOnnxModel,
  input,
  mean,
  mul,
  planMemory,
  silu,
  square,
  sub,
} from '../../src/tensor/index.ts';
import type { LearningProblem } from '../../src/training/index.ts';
import { gradientsModel, partSize, stepModel, Trainer, updateModel } from '../../src/training/index.ts';

const device = await createDevice('cpu');
const set = createParameterSet();
const hidden = silu(linearLayer(set.scope.at('first'), input('x', [5, 3]), { features: 7 }));
const answer = linearLayer(set.scope.at('second'), hidden, { features: 2 });
const problem: LearningProblem = {
  name: 'small',
  loss: mean(square(sub(answer, input('y', [5, 2])))),
  trained: set.values,
  frozen: {},
  optimiser: { weightDecay: 0.1, clipNorm: 0.3 },
};
const floats = (shape: readonly number[], seed: number): Tensor => ({
  dtype: 'float32',
  shape,
  data: createRandom(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b))),
});
const feeds = { x: floats([5, 3], 1), y: floats([5, 2], 2) };
const at = (step: number): AdamWStep => ({ learningRate: 0.05, step, emaDecay: 0.9 });
const STEPS = 3;

/** Takes steps by models: each one's outputs join what the next is fed. */
async function byModels(models: readonly OnnxModel[]): Promise<Readonly<Record<string, Tensor>>> {
  const state: PackedState = packState(set.values, initialState(set.initialise(3)));
  for (let step = 1; step <= STEPS; step++) {
    let values: Record<string, AnyTensor> = {
      ...feeds,
      ...state.byName,
      ...state.vectors,
      ...adamWFeeds(at(step)),
    };
    for (const model of models) {
      await using session = await device.createSession(encodeOnnxModel(model), { threads: 1 });
      const wanted = session.inputNames.map((name) => [name, values[name]!] as const);
      values = { ...values, ...(await session.run(Object.fromEntries(wanted))) };
    }
    for (const [name, { data }] of Object.entries(state.vectors))
      data.set(values[`next.${name}`]!.data as Float32Array);
  }
  return state.byName;
}

test('one graph, two graphs and the kernel take the same steps', async () => {
  const whole = await byModels([stepModel(problem)]);
  const apart = await byModels([gradientsModel(problem), updateModel(problem)]);
  await using trainer = await Trainer.create(device, problem);
  await trainer.begin(Object.entries(set.initialise(3)));
  for (let step = 1; step <= STEPS; step++) await trainer.step(feeds, at(step));
  for (const [name, { data }] of Object.entries(whole)) {
    for (const [i, value] of data.entries()) {
      assert.ok(Math.abs(value - apart[name]!.data[i]!) < 1e-6, `${name}[${i}] apart`);
      assert.ok(Math.abs(value - trainer.state[name]!.data[i]!) < 1e-5, `${name}[${i}] kernel`);
    }
  }
  const fresh = set.initialise(3)['first.weight']!.data;
  assert.ok(
    whole['first.weight']!.data.some((x, i) => Math.abs(x - fresh[i]!) > 0.01),
    'weights moved',
  );
});

test('a batch in parts takes the step of the whole batch', async () => {
  const parts = createParameterSet();
  const layer = linearLayer(parts.scope.at('first'), input('x', [2, 3]), { features: 4 });
  const map = input('map', [2, 4]);
  const inParts: LearningProblem = {
    name: 'parts',
    loss: mean(square(sub(mul(layer, map), input('y', [2, 4])))),
    trained: parts.values,
    frozen: {},
    optimiser: { weightDecay: 0.1, clipNorm: 0.3 },
    gradientsOf: { map },
    microBatches: 3,
  };
  const whole: LearningProblem = (() => {
    const own = createParameterSet();
    const wide = linearLayer(own.scope.at('first'), input('x', [6, 3]), { features: 4 });
    const wideMap = input('map', [6, 4]);
    const loss = mean(square(sub(mul(wide, wideMap), input('y', [6, 4]))));
    const { microBatches, ...others } = inParts;
    return { ...others, loss, trained: own.values, gradientsOf: { map: wideMap } };
  })();
  const fed = { x: floats([6, 3], 4), y: floats([6, 4], 5), map: floats([6, 4], 6) };
  const outcomes: Readonly<Record<string, Pick<Tensor, 'shape' | 'data'>>>[] = [];
  for (const each of [inParts, whole]) {
    await using trainer = await Trainer.create(device, each);
    await trainer.begin(Object.entries(parts.initialise(3)));
    const outputs = await trainer.step(fed, at(1));
    outcomes.push({
      ...outputs,
      weight: { shape: [4, 3], data: Float32Array.from(trainer.state['first.weight']!.data) },
    });
  }
  const [a, b] = [outcomes[0]!, outcomes[1]!];
  assert.deepEqual(a['gradient.map']!.shape, [6, 4]);
  for (const name of ['loss', 'gradientNorm', 'gradient.map', 'weight']) {
    for (const [i, value] of a[name]!.data.entries()) {
      assert.ok(Math.abs(value - b[name]!.data[i]!) < 1e-6, `${name}[${i}]`);
    }
  }
  assert.throws(() => partSize(7, 2), /microBatches divides/);
});

test('frozen weights take part alike inside the model and beside it, from fresh weights or a filled state', async () => {
  const isTrained = (name: string): boolean => name.startsWith('second');
  const initial = set.initialise(3);
  const pick = <T>(entries: Iterable<[string, T]>, isWanted: boolean) =>
    [...entries].filter(([name]) => isTrained(name) === isWanted);
  const partly: LearningProblem = {
    ...problem,
    trained: new Map(pick(set.values, true)),
    frozen: Object.fromEntries(pick(Object.entries(initial), false)),
  };
  assert.deepEqual(
    Object.keys(gradientsModel(partly, { maxEmbeddedBytes: 0 }).initialisers).filter(
      (name) => name in initial,
    ),
    [],
  );
  const own = Object.fromEntries(pick(Object.entries(initial), true));
  const states: Record<string, readonly number[]>[] = [];
  for (const maxEmbeddedBytes of [undefined, 0]) {
    await using trainer = await Trainer.create(device, partly, maxEmbeddedBytes);
    if (maxEmbeddedBytes === 0) await trainer.begin(Object.entries(own));
    else
      for (const [name, { data }] of Object.entries(initialState(own))) trainer.state[name]!.data.set(data);
    for (let step = 1; step <= STEPS; step++) await trainer.step(feeds, at(step));
    const entries = Object.entries(trainer.state).map(
      ([name, { data }]) => [name, Array.from(data)] as const,
    );
    states.push(Object.fromEntries(entries));
  }
  for (const [name, values] of Object.entries(states[0]!)) {
    for (const [i, value] of values.entries()) {
      assert.ok(Math.abs(value - states[1]![name]![i]!) < 1e-6, `${name}[${i}]`);
    }
  }
});

test('recomputed blocks give the same gradients, and hold less at once, merged subexpressions or not', async () => {
  const gradientsWith = async (isRecomputed: boolean): Promise<Record<string, AnyTensor>> => {
    const blocks = createParameterSet();
    let h = input('picture', [2, 4, 16, 16]);
    for (let i = 0; i < 4; i++) {
      h = resnetBlock(blocks.scope.at(i), h, {
        channels: 4,
        groups: 2,
        time: input('time', [2, 8]),
        isRecomputed,
      });
    }
    const deep: LearningProblem = {
      ...{ name: 'deep', loss: mean(square(h)), trained: blocks.values, frozen: {} },
      optimiser: { weightDecay: 0, clipNorm: 1 },
    };
    held.push(planMemory(gradientsModel(deep)).activationBytes);
    const state = blocks.initialise(2);
    for (const [name, { data }] of Object.entries(state)) {
      if (name.endsWith('conv2.weight')) createRandom(9).fillNormal(data);
    }
    // The runtime's own rewriting, merging included, is on.
    await using session = await device.createSession(encodeOnnxModel(gradientsModel(deep)));
    return await session.run({ picture: floats([2, 4, 16, 16], 7), time: floats([2, 8], 8), ...state });
  };
  const held: number[] = [];
  const [kept, again] = [await gradientsWith(false), await gradientsWith(true)];
  for (const [name, { data }] of Object.entries(kept)) {
    const scale = Math.max(...Array.from(data as Float32Array, Math.abs));
    for (const [i, value] of (data as Float32Array).entries()) {
      assert.ok(Math.abs(value - (again[name]!.data[i] as number)) <= 1e-5 * scale, `${name}[${i}]`);
    }
  }
  assert.ok(held[1]! < 0.85 * held[0]!, `${held[1]} of ${held[0]} bytes`);
});

test('fifty steps with moments in 8 bits end beside those in fp32', async () => {
  const wide = createParameterSet();
  const [batch, width] = [16, 48];
  const layer = silu(linearLayer(wide.scope.at('first'), input('x', [batch, width]), { features: 64 }));
  const end = linearLayer(wide.scope.at('second'), layer, { features: 8 });
  const learning: LearningProblem = {
    ...{ name: 'wide', loss: mean(square(sub(end, input('y', [batch, 8])))), trained: wide.values },
    ...{ frozen: {}, optimiser: { weightDecay: 0.01, clipNorm: 1 } },
  };
  const start = wide.initialise(3);
  // Inputs over two powers of ten: a block's gradients are of as many sizes.
  const gains = Array.from({ length: width }, (_, i) => 10 ** ((-2 * i) / width));
  const batchOf = (step: number): Record<string, Tensor> => {
    const x = floats([batch, width], 100 + step);
    for (const [i, value] of x.data.entries()) x.data[i] = value * gains[i % width]!;
    const y = floats([batch, 8], 0);
    for (const [i] of y.data.entries()) {
      const row = x.data.subarray(Math.floor(i / 8) * width, (Math.floor(i / 8) + 1) * width);
      y.data[i] = Math.tanh(row.reduce((sum, value, k) => sum + value * Math.cos(k * ((i % 8) + 1)), 0));
    }
    return { x, y };
  };
  const ends: { weights: number[]; loss: number }[] = [];
  for (const quantisesMoments of [false, true]) {
    await using trainer = await Trainer.create(device, { ...learning, quantisesMoments });
    await trainer.begin(Object.entries(start));
    let loss = 0;
    for (let step = 1; step <= 50; step++) {
      const outputs = await trainer.step(batchOf(step), { learningRate: 0.003, step, emaDecay: 0.9 });
      if (step > 40) loss += outputs.loss!.data[0]! / 10;
    }
    ends.push({ weights: Object.keys(start).flatMap((name) => [...trainer.state[name]!.data]), loss });
  }
  const [plain, quantised] = ends as [(typeof ends)[0], (typeof ends)[0]];
  const before = Object.values(start).flatMap(({ data }) => [...data]);
  const distance = (a: readonly number[], b: readonly number[]): number =>
    Math.hypot(...a.map((value, i) => value - b[i]!));
  const off = distance(plain.weights, quantised.weights) / distance(plain.weights, before);
  const lossOff = Math.abs(quantised.loss / plain.loss - 1);
  assert.ok(off < 0.08, `${off} of the way off`);
  assert.ok(lossOff < 0.02, `losses ${plain.loss} and ${quantised.loss}`);
});
