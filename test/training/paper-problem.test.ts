// The stages of the paper's scale as graphs, at a few channels: what saves memory changes no gradient.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDevice, readPaperConfig } from '../../src/node/index.ts';
import { declareParameters, latentShape, type PaperModelConfig } from '../../src/stable-diffusion/index.ts';
import {
  type AnyTensor,
  elementCount,
  encodeOnnxModel,
  planMemory,
  type Tensor,
} from '../../src/tensor/index.ts';
import type { DenoiserTraining, LearningProblem } from '../../src/training/index.ts';
import { gradientsModel, paperProblem, stepBytes, Trainer, trainerBytes } from '../../src/training/index.ts';
import { seededInput, seededWeights } from '../stable-diffusion/seeded-weights.ts';

const device = await createDevice('cpu');
const tiny = await readPaperConfig('paper-tiny');
// Two levels of one block each: the runtime takes seconds to open larger graphs with their gradients.
const model: PaperModelConfig = {
  ...{ ...tiny, size: 16, autoencoder: { ...tiny.autoencoder, widths: [8, 8] } },
  unet: { ...tiny.unet, widths: [8, 12], heads: [2, 3], blocks: 1 },
  guidance: { ...tiny.guidance, widths: [8, 8] },
};
const declared = declareParameters(model);
const weights = seededWeights(declared.values, declared.initialise(0));
const settings: DenoiserTraining = {
  ...{ batch: 2, learningRate: 1e-3, warmupSteps: 1, weightDecay: 0.01, clipNorm: 1, emaDecay: 0.9 },
  ...{ referenceDropout: 0, liftDropout: 0, liftCorruption: 0, focusProbability: 0, focusSteps: 20 },
  ...{ gamma: 5, headWeight: 0, fieldLearningRate: 0 },
};

/** A batch of two clips for a stage. */
function batchOf(frames: number): Record<string, AnyTensor> {
  const pictures = 2 * frames;
  const numbers = (...values: readonly number[]): AnyTensor => ({
    dtype: 'int64',
    shape: [values.length],
    data: BigInt64Array.from(values, BigInt),
  });
  const repeated = (value: number): AnyTensor => numbers(...new Array<number>(pictures).fill(value));
  const ones: Tensor = { dtype: 'float32', shape: [pictures], data: new Float32Array(pictures).fill(1) };
  return {
    noisy: seededInput('noisy', latentShape(model, pictures)),
    velocity: seededInput('velocity', latentShape(model, pictures)),
    reference: seededInput('reference', latentShape(model, 2)),
    gaussian: seededInput('gaussian', [pictures, model.gaussianChannels, model.size, model.size]),
    weight: seededInput('weight', [pictures, 1, ...latentShape(model, 1).slice(2)]),
    timesteps: repeated(500),
    labels: repeated(1),
    referenceLabels: numbers(1, 0),
    keepsReference: ones,
  };
}

/** Sums in another order: 1e-4 of the largest value, or 1e-6 where values cancel. */
function assertNear(got: Float32Array, wanted: Float32Array, key: string): void {
  const bound = 1e-4 * Math.max(0.01, ...Array.from(wanted, Math.abs));
  for (const [i, value] of wanted.entries()) {
    assert.ok(Math.abs(value - got[i]!) <= bound, `${key}[${i}]: ${got[i]}, expected ${value}`);
  }
}

for (const [name, frames] of [
  ['1', 1],
  ['2', 3],
] as const) {
  const problemWith = (more: Partial<DenoiserTraining>) =>
    paperProblem({ model, name, frames, weights, settings: { ...settings, ...more } }).problem;

  test(`stage ${name}: what is computed again gives the same gradients and holds less`, async () => {
    const [kept, again] = [problemWith({}), problemWith({ recomputesBlocks: true })];
    const outputs: Record<string, AnyTensor>[] = [];
    for (const problem of [kept, again]) {
      await using session = await device.createSession(encodeOnnxModel(gradientsModel(problem)));
      const trained = [...problem.trained.keys()].map((key) => [key, weights[key]!] as const);
      const fed = { ...batchOf(frames), ...Object.fromEntries(trained) };
      outputs.push(await session.run(Object.fromEntries(session.inputNames.map((key) => [key, fed[key]!]))));
    }
    const [wanted, got] = outputs as [Record<string, Tensor>, Record<string, Tensor>];
    for (const [key, { data }] of Object.entries(wanted)) assertNear(got[key]!.data, data, key);
    const [before, now] = [kept, again].map((one) => planMemory(gradientsModel(one)).activationBytes);
    assert.ok(now! < before!, `${now} of ${before} bytes`);
  });

  test(`stage ${name}: a batch in parts takes the step of the whole batch`, async () => {
    const states: Record<string, Float32Array>[] = [];
    for (const microBatches of [1, 2]) {
      const problem = problemWith({ microBatches });
      const trained = [...problem.trained.keys()].map((key) => [key, weights[key]!] as const);
      await using trainer = await Trainer.create(device, problem);
      await trainer.begin(trained);
      const { loss } = await trainer.step(batchOf(frames), { learningRate: 1e-3, step: 1, emaDecay: 0.9 });
      const first = Object.entries(trainer.state).filter(([key]) => key.startsWith('first.'));
      states.push({ loss: loss!.data, ...Object.fromEntries(first.map(([key, { data }]) => [key, data])) });
    }
    const [whole, parts] = states as [Record<string, Float32Array>, Record<string, Float32Array>];
    for (const [key, data] of Object.entries(whole)) assertNear(parts[key]!, data, key);
  });
}

test('moments in 8 bits are planned with a quarter of the bytes, and two units a block', () => {
  const [plain, quantised] = [false, true].map((quantisesMoments) => {
    const { problem } = paperProblem({
      ...{ model, name: '1', frames: 1, weights },
      settings: { ...settings, quantisesMoments },
    });
    return problem;
  }) as [LearningProblem, LearningProblem];
  const count = [...plain.trained.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
  assert.equal(Math.round(trainerBytes(plain) / count), 20);
  const saved = stepBytes(plain) - stepBytes(quantised);
  assert.equal(saved, trainerBytes(plain) - trainerBytes(quantised));
  assert.ok(saved > 5.5 * count && saved < 6 * count, `${saved} bytes of ${count} parameters`);
});
