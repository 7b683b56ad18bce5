// The denoiser's stages as graphs, at the tiny sizes: what is computed again changes no gradient and holds less.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDevice } from '../../src/node/index.ts';
import { type AnyTensor, encodeOnnxModel, planMemory, type Tensor } from '../../src/tensor/index.ts';
import { denoiserProblem, gradientsModel } from '../../src/training/index.ts';
import { seededInput, seededWeights } from '../stable-diffusion/seeded-weights.ts';
import { tinyConfiguration } from './tiny-run.ts';

const device = await createDevice('cpu');
const { model, training } = await tinyConfiguration();
// Two clips of three frames show all there is of a graph that is small enough to be opened at once.
const settings = { ...training.stage1, batch: 2 };
const all = denoiserProblem({ model, settings, name: '1', frames: 1, weights: {} }).parameters;
const first = seededWeights(all.values, all.initialise(0));

for (const [name, frames] of [
  ['1', 1],
  ['2', 3],
] as const) {
  test(`stage ${name}: what is computed again gives the same gradients and holds less`, async () => {
    const outputs: Record<string, AnyTensor>[] = [];
    const held: number[] = [];
    for (const recomputesBlocks of [false, true]) {
      const { problem, parameters } = denoiserProblem({
        ...{ model, name, frames, weights: first },
        settings: { ...settings, recomputesBlocks },
      });
      const weights = { ...seededWeights(parameters.values, parameters.initialise(0)), ...first };
      const onnx = gradientsModel(problem);
      held.push(planMemory(onnx, undefined, { reuses: false }).activationBytes);
      await using session = await device.createSession(encodeOnnxModel(onnx));
      const feeds = onnx.inputs.map(({ name: key, dtype, shape }): [string, AnyTensor] => {
        if (problem.trained.has(key)) return [key, weights[key]!];
        const extents = shape as readonly number[];
        if (dtype !== 'int64') return [key, seededInput(key, extents)];
        const data = new BigInt64Array(extents[0]!).fill(key === 'timesteps' ? 500n : 1n);
        return [key, { dtype, shape: extents, data }];
      });
      outputs.push(await session.run(Object.fromEntries(feeds)));
    }
    const [wanted, got] = outputs as [Record<string, Tensor>, Record<string, Tensor>];
    assert.ok(Object.keys(wanted).length > 20);
    for (const [key, { data }] of Object.entries(wanted)) {
      // Sums in another order: 1e-4 of the largest value, or 1e-6 where values cancel.
      const bound = 1e-4 * Math.max(0.01, ...Array.from(data, Math.abs));
      for (const [i, value] of data.entries()) {
        const other = got[key]!.data[i]!;
        assert.ok(Math.abs(value - other) <= bound, `${key}[${i}]: ${other}, expected ${value}`);
      }
    }
    assert.ok(held[1]! < 0.95 * held[0]!, `${held[1]} of ${held[0]} bytes`);
  });
}
