// Three ways to take a step agree: one graph for all, gradients and update as graphs apart, and the
// trainer's gradients with the kernel's update.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdamWStep, PackedState } from '../../src/nn/index.ts';
import { adamWFeeds, createParameterSet, initialState, linearLayer, packState } from '../../src/nn/index.ts';
import { createDevice } from '../../src/node/index.ts';
import type { AnyTensor, OnnxModel, Tensor } from '../../src/tensor/index.ts';
import { createRandom, encodeOnnxModel, input, mean, silu, square, sub } from '../../src/tensor/index.ts';
import type { LearningProblem } from '../../src/training/index.ts';
import { gradientsModel, stepModel, Trainer, updateModel } from '../../src/training/index.ts';

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
  await using trainer = await Trainer.create(device, problem, initialState(set.initialise(3)));
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
