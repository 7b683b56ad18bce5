// A training step in mixed precision on WebGPU beside fp32 on the CPU: gradients under several scales of the loss, then a
// short training of both from the same weights on the same noise.
//   npx tsx bench/webgpu-halves-training.ts [--config paper-tiny] [--width 32] [--size 64] [--steps 40] [--scales 1,256,65536]
// The driver must have 16-bit floats, as for bench/webgpu-halves.ts. `--width` narrows the U-Net of `--config paper` (its first
// channels, of 320).

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createDevice } from '../src/node/index.ts';
import { latentShape } from '../src/stable-diffusion/index.ts';
import {
  type AnyTensor,
  createRandom,
  type Device,
  elementCount,
  encodeOnnxModel,
  inPrecision,
  type Precision,
  type Tensor,
} from '../src/tensor/index.ts';
import {
  gradientsModel,
  paperConfigurationSchema,
  paperProblem,
  Trainer,
  updateAt,
} from '../src/training/index.ts';

const { values: options } = parseArgs({
  options: {
    config: { type: 'string', default: 'paper-tiny' },
    width: { type: 'string', default: '32' },
    size: { type: 'string', default: '64' },
    steps: { type: 'string', default: '40' },
    scales: { type: 'string', default: '1,256,65536' },
  },
});
const size = Number(options.size);
const random = createRandom(1);
const [cpu, gpu] = [await createDevice('cpu'), await createDevice('webgpu')];

const { model: whole, training } = paperConfigurationSchema.parse(
  JSON.parse(readFileSync(new URL(`../configs/${options.config}.json`, import.meta.url), 'utf8')),
);
const widths =
  options.config === 'paper'
    ? whole.unet.widths.map((w) => Math.max(32, 32 * Math.round((w * Number(options.width)) / 320 / 32)))
    : whole.unet.widths;
const model = { ...whole, size, unet: { ...whole.unet, widths } };
const settings = {
  ...training.stage1,
  ...{ batch: 1, microBatches: 1, recomputesBlocks: false, quantisesMoments: false, learningRate: 1e-3 },
};
const problemIn = (precision: Precision) =>
  paperProblem({ model, name: '1', frames: 1, weights: {}, settings: { ...settings, precision } }).problem;

function noise(shape: readonly number[]): Tensor {
  return { dtype: 'float32', shape, data: random.fillNormal(new Float32Array(elementCount(shape))) };
}

const filled = (shape: readonly number[]): Tensor => ({
  ...{ dtype: 'float32', shape },
  data: new Float32Array(elementCount(shape)).fill(1),
});
const whole64 = (value: bigint): AnyTensor => ({ dtype: 'int64', shape: [1], data: BigInt64Array.of(value) });
const weights: Record<string, Tensor> = {};
for (const [name, { shape }] of problemIn('fp32').trained) {
  // No convolution begins at zero, as fresh ones do: nothing would come back through them.
  const gain = shape.length > 1 ? 1 / Math.sqrt(elementCount(shape.slice(1))) : 0.02;
  const middle = shape.length === 1 && name.endsWith('weight') ? 1 : 0;
  const drawn = noise(shape);
  weights[name] = { ...drawn, data: drawn.data.map((x) => middle + gain * x) };
}

function batch(): Record<string, AnyTensor> {
  const one = latentShape(model, 1);
  return {
    ...Object.fromEntries(['noisy', 'velocity', 'reference'].map((name) => [name, noise(one)])),
    gaussian: noise([1, model.gaussianChannels, size, size]),
    weight: filled([1, 1, ...one.slice(2)]),
    keepsReference: filled([1]),
    ...{ timesteps: whole64(500n), labels: whole64(0n), referenceLabels: whole64(0n) },
  };
}

async function gradientsOn(
  device: Device,
  precision: Precision,
  scale: number,
): Promise<Record<string, AnyTensor>> {
  const problem = problemIn(precision);
  const isWeight = (name: string): boolean => problem.trained.has(name);
  const emitted = inPrecision(gradientsModel(problem), precision, device, { isWeight, keepsWeights: true });
  await using session = await device.createSession(encodeOnnxModel(emitted), { plansRuns: false });
  const all: Record<string, AnyTensor> = {
    ...{ ...fixed, ...weights },
    lossScale: { dtype: 'float32', shape: [], data: Float32Array.of(scale) },
  };
  return await session.run(Object.fromEntries(session.inputNames.map((name) => [name, all[name]!])));
}

const fixed = batch();
const exact = await gradientsOn(cpu, 'fp32', 1);
const outcomes: object[] = [];
for (const scale of options.scales.split(',').map(Number)) {
  const got = await gradientsOn(gpu, 'fp16', scale);
  let [squares, wanted, count, lost, infinite] = [0, 0, 0, 0, 0];
  for (const name of problemIn('fp32').trained.keys()) {
    for (const [i, value] of (exact[`gradient.${name}`]!.data as Float32Array).entries()) {
      const other = (got[`gradient.${name}`]!.data as Float32Array)[i]!;
      count++;
      if (value !== 0 && other === 0) lost++;
      if (!Number.isFinite(other)) infinite++;
      squares += (other - value) ** 2;
      wanted += value ** 2;
    }
  }
  const lossError = Math.abs((got.loss!.data[0] as number) / (exact.loss!.data[0] as number) - 1);
  const outcome = {
    ...{ scale, gradientError: Math.sqrt(squares / wanted), lossError },
    ...{ lostShare: lost / count, infiniteShare: infinite / count, count },
  };
  outcomes.push(outcome);
  console.log(JSON.stringify(outcome));
}

const batches = Array.from({ length: 4 }, batch);
const losses: Record<string, number[]> = {};
for (const [device, precision] of [
  [cpu, 'fp32'],
  [gpu, 'fp16'],
] as const) {
  await using trainer = await Trainer.create(device, problemIn(precision));
  await trainer.begin(Object.entries(weights));
  const curve: number[] = [];
  for (let step = 0; step < Number(options.steps); step++) {
    const { loss } = await trainer.step(batches[step % batches.length]!, updateAt(step, settings));
    curve.push(loss!.data[0]!);
  }
  losses[precision] = curve;
  const shown = curve.filter((_, i) => i % 8 === 0 || i === curve.length - 1).map((x) => x.toFixed(4));
  console.log(`${precision} on ${device.name}: loss ${shown.join(' ')}`);
}
const apart = losses.fp32!.map((loss, i) => Math.abs(losses.fp16![i]! / loss - 1));
console.log(`losses at most ${(100 * Math.max(...apart)).toFixed(2)} % apart`);
console.log(JSON.stringify({ benchmark: 'webgpu-halves-training', outcomes, losses }));
