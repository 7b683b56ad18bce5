// A whole training step against a plain PyTorch statement of the method: splatting, guidance, reference
// attention, labels, temporal layers, the loss, every gradient, and the weights after three steps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDevice } from '../../src/node/index.ts';
import type { Tensor } from '../../src/tensor/index.ts';
import { encodeOnnxModel } from '../../src/tensor/index.ts';
import { denoiserProblem, GaussianLearner, gradientsModel, Trainer } from '../../src/training/index.ts';
import { seededWeights } from '../stable-diffusion/seeded-weights.ts';
import {
  FIELD_LEARNING_RATE,
  readStepGolden,
  STEP_CASES,
  STEP_MODEL,
  STEP_SETTINGS,
  stepBatch,
  stepField,
  stepHead,
  stepPoses,
} from './step-goldens.ts';

/** By norm. A step divides a gradient by its own size, so that a small one's rounding shows: 1 % of what three
 * steps change is less than 1e-4 of a weight. */
const GRADIENT_TOLERANCE = 1e-3;
const CHANGE_TOLERANCE = 1e-2;
const device = await createDevice('cpu');
const head = stepHead();

const length = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

/** Compares by norm; a parameter whose true gradient is zero must have none that matters beside the others. */
function expectClose(
  actual: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
  tolerance: number,
): void {
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
  const negligible = 1e-7 * length([...expected.values()].map(length));
  for (const [name, values] of expected) {
    const difference = length(values.map((value, i) => value - actual.get(name)![i]!));
    const bound = Math.max(tolerance * length(values), negligible);
    assert.ok(difference <= bound, `${name} is off by ${difference / length(values)}`);
  }
}

for (const name of ['1', '2'] as const) {
  const what = name === '1' ? 'everything learns' : 'the temporal layers learn';
  test(`stage ${name}, where ${what}, agrees with PyTorch: loss, gradients, three steps`, async () => {
    const golden = await readStepGolden(name);
    const { clips, frames, timesteps } = STEP_CASES[name];
    const settings = { ...STEP_SETTINGS, batch: clips };
    const options = { model: STEP_MODEL, settings, name, frames } as const;
    const { parameters } = denoiserProblem({ ...options, name: '1', weights: {} });
    const temporal = denoiserProblem({
      ...options,
      name: '2',
      weights: seededWeights(parameters.values, {}),
    });
    const weights = seededWeights(temporal.parameters.values, {});
    const { problem } = denoiserProblem({ ...options, weights });
    const start = Object.fromEntries([...problem.trained.keys()].map((key) => [key, weights[key]!]));
    const gaussians = new GaussianLearner({
      ...{ head, channels: STEP_MODEL.gaussianChannels, isAnisotropic: false, seed: 1 },
      learningRate: name === '1' ? FIELD_LEARNING_RATE : 0,
    });
    const field = stepField(gaussians.field.texels.length);
    gaussians.restore({ ...gaussians.state(), ...field });
    const feeds = () => ({ ...stepBatch(name), gaussian: gaussians.map(stepPoses(head, timesteps.length)) });

    await using session = await device.createSession(encodeOnnxModel(gradientsModel(problem)));
    const outputs = await session.run({ ...feeds(), ...start });
    const loss = outputs.loss!.data[0] as number;
    assert.ok(Math.abs(loss / golden.loss - 1) < 1e-5, `${loss}, expected ${golden.loss}`);
    const gradients = new Map(
      [...problem.trained.keys()].map((key) => [key, outputs[`gradient.${key}`]!.data as Float32Array]),
    );

    await using trainer = await Trainer.create(device, problem);
    await trainer.begin(Object.entries(start));
    for (let step = 1; step <= 3; step++) {
      const taken = await trainer.step(feeds(), {
        learningRate: settings.learningRate,
        step,
        emaDecay: 0.9,
      });
      if (name === '2') continue;
      gaussians.learn(taken['gradient.gaussian']!, step);
      // Adam's first moment begins as a tenth of the gradient.
      if (step > 1) continue;
      for (const key of Object.keys(field)) {
        gradients.set(
          key,
          gaussians.state()[`first.${key}`]!.data.map((x) => 10 * x),
        );
      }
    }
    expectClose(gradients, golden.gradients, GRADIENT_TOLERANCE);
    const change = (after: Tensor, before: Tensor, rate: number): Float32Array =>
      after.data.map((value, i) => (value - before.data[i]!) / rate);
    const changes = new Map(
      Object.keys(start).map((key) => [
        key,
        change(trainer.state[key] as Tensor, start[key]!, settings.learningRate),
      ]),
    );
    if (name === '1') {
      for (const [key, before] of Object.entries(field)) {
        changes.set(key, change(gaussians.state()[key]!, before, FIELD_LEARNING_RATE));
      }
    }
    expectClose(changes, golden.changes, CHANGE_TOLERANCE);
  });
}
