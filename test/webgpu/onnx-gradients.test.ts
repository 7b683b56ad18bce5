// Operators and their gradients on ONNX Runtime's WebGPU back end, on a software driver, against the CPU: by default
// those that the denoiser is made of, with WEBGPU_TESTS=all every one (the driver takes half a second to compile each).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDevice } from '../../src/node/index.ts';
import type { AnyTensor, Device, Value } from '../../src/tensor/index.ts';
import { emitModel, encodeOnnxModel, gradients, nameOf, parametersOf, sum } from '../../src/tensor/index.ts';
import { OPERATOR_CASES } from '../tensor/operator-cases.ts';
import { randomFeeds } from '../tensor/random-feeds.ts';
import { OF_THE_DENOISER } from './denoiser-operators.ts';
import { openGpu } from './open-gpu.ts';

/** Of the largest value: the GPU's sums have another order, and its exponentials fewer digits. */
const TOLERANCE = 2e-4;

/** The weight gradient is a 3-D convolution, which this back end has not in groups; the denoiser has none. */
const FORWARD_ALONE = /^conv2d (in groups|by channel)/;

const [gpu, missing] = await openGpu();
const skip = missing ?? false;
const cpu = await createDevice('cpu');

for (const { title, build, isPositive = false, ...one } of OPERATOR_CASES) {
  if (process.env.WEBGPU_TESTS !== 'all' && !OF_THE_DENOISER.has(title)) continue;
  const hasNoGradient = one.hasNoGradient === true || FORWARD_ALONE.test(title);
  test(`${title}: forward${hasNoGradient ? '' : ' and gradient'} on WebGPU as on the CPU`, {
    skip,
  }, async () => {
    const result = build();
    const parameters = parametersOf([result]);
    const outputs: Record<string, Value> = { result };
    if (!hasNoGradient) {
      for (const [i, value] of gradients(sum(result), parameters).entries()) {
        outputs[`to.${nameOf(parameters[i]!)}`] = value;
      }
    }
    const model = encodeOnnxModel(emitModel({ name: 'case', outputs }));
    const feeds: Record<string, AnyTensor> = {};
    for (const [name, data] of Object.entries(randomFeeds(parameters, { isPositive }))) {
      const { shape } = parameters.find((value) => nameOf(value) === name)!;
      feeds[name] = { dtype: 'float32', shape, data: Float32Array.from(data) };
    }
    const run = async (device: Device): Promise<Record<string, AnyTensor>> => {
      await using session = await device.createSession(model, { threads: 1 });
      const fed = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!]));
      return await session.run(fed);
    };
    const [expected, actual] = [await run(cpu), await run(gpu!)];
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
