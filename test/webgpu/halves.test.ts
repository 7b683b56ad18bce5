// Mixed precision on ONNX Runtime's WebGPU back end against fp32 on the CPU. The software driver that comes with the
// packages has no 16-bit floats; with WEBGPU_TESTS=own the machine's own is taken, such as Mesa's lavapipe (23 or later).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParameterSet, resnetBlock } from '../../src/nn/index.ts';
import { createDevice } from '../../src/node/index.ts';
import {
  type AnyTensor,
  type Device,
  emitModel,
  encodeOnnxModel,
  gradients,
  inPrecision,
  input,
  mean,
  nameOf,
  type OnnxModel,
  type Precision,
  parametersOf,
  square,
  sub,
  sum,
  type Tensor,
  type Value,
} from '../../src/tensor/index.ts';
import { type LearningProblem, Trainer } from '../../src/training/index.ts';
import { OPERATOR_CASES } from '../tensor/operator-cases.ts';
import { randomFeeds } from '../tensor/random-feeds.ts';
import { OF_THE_DENOISER } from './denoiser-operators.ts';
import { openGpu } from './open-gpu.ts';

/** Of the largest value; a half has 11 bits, and sums of a few dozen products are rounded at each. */
const TOLERANCE = 4e-3;

const cpu = await createDevice('cpu');
const [gpu, missing] = await openGpu({ mayBeOwn: true });
const skip = missing ?? (gpu.computesHalves === true ? false : 'this driver has no 16-bit floats');

async function run(
  device: Device,
  precision: Precision,
  model: OnnxModel,
  feeds: Readonly<Record<string, AnyTensor>>,
): Promise<Record<string, AnyTensor>> {
  // Parameters are fed: as weights they take the precision of what they meet.
  const options = { isWeight: () => true, keepsWeights: true };
  const encoded = encodeOnnxModel(inPrecision(model, precision, device, options));
  await using session = await device.createSession(encoded, { threads: 1 });
  return await session.run(Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!])));
}

for (const { title, build, isPositive = false } of OPERATOR_CASES) {
  if (!OF_THE_DENOISER.has(title)) continue;
  test(`${title}: forward and gradient in halves as in fp32`, { skip }, async () => {
    const result = build();
    const parameters = parametersOf([result]);
    const outputs: Record<string, Value> = { result };
    for (const [i, value] of gradients(sum(result), parameters).entries())
      outputs[`to.${nameOf(parameters[i]!)}`] = value;
    const model = emitModel({ name: 'case', outputs });
    const feeds: Record<string, AnyTensor> = {};
    for (const [name, data] of Object.entries(randomFeeds(parameters, { isPositive }))) {
      const { shape } = parameters.find((value) => nameOf(value) === name)!;
      feeds[name] = { dtype: 'float32', shape, data: Float32Array.from(data) };
    }
    const [expected, actual] = [await run(cpu, 'fp32', model, feeds), await run(gpu!, 'fp16', model, feeds)];
    for (const [name, { data }] of Object.entries(expected)) {
      const values = data as Float32Array;
      const scale = Math.max(1e-3, ...Array.from(values, Math.abs));
      for (const [i, value] of values.entries()) {
        const difference = Math.abs(value - (actual[name]!.data[i] as number));
        assert.ok(difference <= TOLERANCE * scale, `${name}[${i}] is off by ${difference} of ${scale}`);
      }
    }
  });
}

const set = createParameterSet();
const x = input('x', [2, 8, 8, 8]);
const block = resnetBlock(set.scope.at('block'), x, { channels: 8, groups: 2 });
const problem: LearningProblem = {
  name: 'halves',
  loss: mean(square(sub(block, input('y', [2, 8, 8, 8])))),
  trained: set.values,
  frozen: {},
  optimiser: { weightDecay: 0.01, clipNorm: 1 },
};

test('a training in halves with a scaled loss follows that in fp32', { skip }, async () => {
  const ramp = (rate: number): Tensor => ({
    ...{ dtype: 'float32', shape: [2, 8, 8, 8] },
    data: Float32Array.from({ length: 1024 }, (_, i) => Math.sin(rate * i)),
  });
  const curves: number[][] = [];
  for (const [device, precision] of [
    [cpu, 'fp32'],
    [gpu!, 'fp16'],
  ] as const) {
    await using trainer = await Trainer.create(device, { ...problem, precision });
    await trainer.begin(Object.entries(set.initialise(1)));
    const curve: number[] = [];
    for (let step = 1; step <= 30; step++) {
      const at = { learningRate: 0.01, step, emaDecay: 0.9 };
      const { loss } = await trainer.step({ x: ramp(0.7), y: ramp(0.3) }, at);
      curve.push(loss!.data[0]!);
    }
    curves.push(curve);
  }
  const [wide, halves] = curves as [number[], number[]];
  assert.ok(wide.at(-1)! < 0.7 * wide[0]!, `the loss falls, from ${wide[0]} to ${wide.at(-1)}`);
  for (const [i, loss] of wide.entries())
    assert.ok(Math.abs(halves[i]! / loss - 1) < 0.02, `step ${i}: ${halves[i]} and ${loss}`);
});
