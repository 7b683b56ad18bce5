// The models that inference runs: cut into what happens once a clip and what happens at every step, they give what the
// whole network gives.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createParameterSet } from '../../src/nn/index.ts';
import { createDevice } from '../../src/node/index.ts';
import {
  attendToReference,
  conditionModel,
  declareParameters,
  denoiserModel,
  guidanceModel,
  labelTokens,
  latentShape,
  paperModelSchema,
  referenceModel,
  referenceTokens,
  unet,
} from '../../src/stable-diffusion/index.ts';
import type { AnyTensor, OnnxModel, Tensor } from '../../src/tensor/index.ts';
import { emitModel, encodeOnnxModel, input } from '../../src/tensor/index.ts';
import { seededInput, seededWeights } from './seeded-weights.ts';

const text = readFileSync(new URL('../../configs/paper-tiny.json', import.meta.url), 'utf8');
const config = paperModelSchema.parse(JSON.parse(text).model);
const declared = declareParameters(config);
const weights = seededWeights(declared.values, declared.initialise(0));
const device = await createDevice('cpu');
const frames = 3;
const timestep = 740n;

async function run(model: OnnxModel, feeds: Record<string, AnyTensor>): Promise<Record<string, Tensor>> {
  await using session = await device.createSession(encodeOnnxModel(model), { threads: 1 });
  const known: Record<string, AnyTensor> = { ...weights, ...feeds };
  const taken = session.inputNames.map((name) => [name, known[name]!] as const);
  return (await session.run(Object.fromEntries(taken))) as Record<string, Tensor>;
}

const int64 = (...values: bigint[]): AnyTensor => ({
  dtype: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values),
});
const one = (value: number): Tensor => ({ dtype: 'float32', shape: [1], data: Float32Array.of(value) });
const label = int64(0n);
const reference = seededInput('reference', latentShape(config, 1));
const noisy = seededInput('noisy', latentShape(config, frames));
const { guidance } = await run(guidanceModel(config), {
  control: seededInput('control', [1, 8, config.size, config.size]),
});
const features: Tensor = {
  dtype: 'float32',
  shape: [frames, ...guidance!.shape.slice(1)],
  data: Float32Array.from(
    { length: frames * guidance!.data.length },
    (_, i) => guidance!.data[i % guidance!.data.length]!,
  ),
};

/** One step through the models that inference runs, the reference seen or hidden. */
async function velocityInParts(keeps: number): Promise<Float32Array> {
  const tokens = await run(referenceModel(config), { reference, label });
  const { time, ...labels } = await run(conditionModel(config, { steps: 2 }), {
    timesteps: int64(timestep, 20n),
    label,
  });
  const row: Tensor = {
    dtype: 'float32',
    shape: [1, time!.shape[1]!],
    data: time!.data.slice(0, time!.shape[1]!),
  };
  const { velocity } = await run(denoiserModel(config, { frames, hidesReference: true }), {
    ...{ ...tokens, ...labels, time: row, noisy, guidance: features, keepsReference: one(keeps) },
  });
  return velocity!.data;
}

/** One step through the whole network at once, every frame with a time step and a label of its own. */
async function velocityAtOnce(isReferenceSeen: boolean): Promise<Float32Array> {
  const { scope } = createParameterSet();
  const labelOf = (name: string, count: number) =>
    labelTokens(scope, input(name, [count], 'int64'), config.unet.contextWidth);
  const networks = { reference: scope.at('reference_unet'), denoiser: scope.at('unet') };
  const latent = input('reference', latentShape(config, 1));
  const tokens = referenceTokens(
    networks,
    { latent, context: labelOf('label', 1) },
    { ...config.unet, motion: null },
  );
  const velocity = unet(
    scope.at('unet'),
    {
      latent: input('noisy', latentShape(config, frames)),
      timesteps: input('timesteps', [frames], 'int64'),
      context: labelOf('labels', frames),
      guidance: input('guidance', features.shape),
      frames,
      ...(isReferenceSeen ? { attend: attendToReference(tokens) } : {}),
    },
    config.unet,
  );
  const model = emitModel({ name: 'whole', outputs: { velocity } });
  const timesteps = int64(...Array<bigint>(frames).fill(timestep));
  const feeds = { reference, label, noisy, guidance: features, labels: int64(0n, 0n, 0n), timesteps };
  return (await run(model, feeds)).velocity!.data;
}

function assertClose(actual: Float32Array, expected: Float32Array): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  assert.ok(difference < 1e-5 * largest, `differs by ${difference} of ${largest}`);
}

test('what is computed once a clip and the step together give what the whole network gives', async () => {
  const seen = await velocityInParts(1);
  assertClose(seen, await velocityAtOnce(true));
  const hidden = await velocityInParts(0);
  assert.notDeepEqual(seen, hidden);
});

test('a hidden reference leaves exactly the self-attention of the unconditional branch', async () => {
  assertClose(await velocityInParts(0), await velocityAtOnce(false));
});
