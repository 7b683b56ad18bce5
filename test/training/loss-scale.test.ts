// The scale of a loss whose gradients are taken in halves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParameterSet, linearLayer } from '../../src/nn/index.ts';
import { createDevice } from '../../src/node/index.ts';
import {
  type AnyTensor,
  type Device,
  input,
  mean,
  square,
  sub,
  type Tensor,
  tensor,
} from '../../src/tensor/index.ts';
import { type LearningProblem, Trainer } from '../../src/training/index.ts';
import { adaptLossScale, firstLossScale } from '../../src/training/loss-scale.ts';

const cpu = await createDevice('cpu');
/** The CPU widens halves, so that nothing overflows: gradients under a scale beyond this are made infinite. */
const MOST = 2 ** 13;
const overflowing: Device = {
  ...{ ...cpu, computesHalves: true },
  async createSession(...words) {
    const session = await cpu.createSession(...words);
    return {
      ...{ inputNames: session.inputNames, outputNames: session.outputNames },
      async run(feeds, into) {
        const outputs = await session.run(feeds, into);
        const isBeyond = Number(feeds.lossScale!.data[0]) > MOST;
        if (isBeyond) (outputs['gradient.only.weight'] as Tensor).data[0] = Number.POSITIVE_INFINITY;
        return outputs;
      },
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    };
  },
};
const { scope, ...set } = createParameterSet();
const answer = linearLayer(scope.at('only'), input('x', [4, 3]), { features: 2 });
const problem: LearningProblem = {
  name: 'halves',
  loss: mean(square(sub(answer, input('y', [4, 2])))),
  trained: set.values,
  frozen: {},
  optimiser: { weightDecay: 0, clipNorm: 10 },
  precision: 'fp16',
};
const at = { learningRate: 0.01, step: 1, emaDecay: 0.9 };

const ramp = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.cos(i));
const feeds: Record<string, AnyTensor> = { x: tensor(ramp(12), [4, 3]), y: tensor(ramp(8), [4, 2]) };

test('it is halved where a gradient is not finite, and doubled after a thousand steps that were', () => {
  const held = firstLossScale();
  adaptLossScale(held, false);
  assert.deepEqual([...held], [2 ** 15, 0]);
  for (let step = 0; step < 999; step++) adaptLossScale(held, true);
  assert.deepEqual([...held], [2 ** 15, 999]);
  adaptLossScale(held, true);
  assert.deepEqual([...held], [2 ** 16, 0]);
  for (let step = 0; step < 40; step++) adaptLossScale(held, false);
  assert.deepEqual([...held], [1, 0]);
});

test('steps whose gradients overflow change nothing but the scale, and the next is as in fp32', async () => {
  await using trainer = await Trainer.create(overflowing, problem);
  await trainer.begin(Object.entries(set.initialise(1)));
  const before = { ...trainer.state };
  for (const [name, held] of Object.entries(trainer.state))
    before[name] = { ...held, data: held.data.slice() } as typeof held;
  for (const scale of [2 ** 16, 2 ** 15, 2 ** 14]) {
    const { gradientNorm, lossScale } = await trainer.step(feeds, at);
    assert.ok(!Number.isFinite(gradientNorm!.data[0]));
    assert.equal(lossScale!.data[0], scale);
  }
  assert.deepEqual({ ...trainer.state, lossScale: null }, { ...before, lossScale: null });
  const { loss, gradientNorm } = await trainer.step(feeds, at);
  assert.deepEqual([...trainer.state.lossScale!.data], [MOST, 1]);

  await using wide = await Trainer.create(cpu, { ...problem, precision: 'fp32' });
  await wide.begin(Object.entries(set.initialise(1)));
  const exact = await wide.step(feeds, at);
  for (const [name, got] of Object.entries({ loss, gradientNorm }))
    assert.ok(Math.abs(got!.data[0]! / exact[name]!.data[0]! - 1) < 2e-3, name);
});

test('a device that does not compute in halves is named', async () => {
  await assert.rejects(Trainer.create(cpu, problem), {
    name: 'MissingResourceError',
    code: 'no-halves',
    message: 'expected a device that computes in 16-bit floats, but cpu does not here',
  });
});
