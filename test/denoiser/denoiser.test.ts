// The denoiser's parts: shapes, pairing by path, what is the same computed in two ways, and what must be
// silent at first.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ModelConfig } from '../../src/denoiser/index.ts';
import {
  controlInputs,
  denoise,
  denoiserModel,
  guidanceModel,
  labelTokens,
  latentShape,
  modelSchema,
  REFERENCE_SCOPE,
  referenceModel,
  referenceTokens,
  TEMPORAL_NAME,
} from '../../src/denoiser/index.ts';
import type { ParameterSet, Weights } from '../../src/nn/index.ts';
import { createParameterSet, weightCount } from '../../src/nn/index.ts';
import { createDevice } from '../../src/node/index.ts';
import type { AnyTensor, OnnxModel, Tensor } from '../../src/tensor/index.ts';
import { createRandom, emitModel, encodeOnnxModel, input } from '../../src/tensor/index.ts';

const readConfig = (name: string): ModelConfig => {
  const path = join(import.meta.dirname, '..', '..', 'configs', `${name}.json`);
  return modelSchema.parse(JSON.parse(readFileSync(path, 'utf8')).model);
};
const tiny = readConfig('tiny');
const device = await createDevice('cpu');

const floats = (shape: readonly number[], seed: number): Tensor => ({
  dtype: 'float32',
  shape,
  data: createRandom(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1))),
});
const integers = (...values: number[]): AnyTensor => ({
  dtype: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
async function run(model: OnnxModel, feeds: Record<string, AnyTensor>): Promise<Record<string, AnyTensor>> {
  await using session = await device.createSession(encodeOnnxModel(model), { threads: 1 });
  // Awaited here: the session is closed at the end of this scope.
  return await session.run(Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!])));
}
const largestDifference = (a: AnyTensor, b: AnyTensor): number =>
  Math.max(...Array.from(a.data as Float32Array, (x, i) => Math.abs(x - Number(b.data[i]))));

/** The training graph for pictures alone, with its parameters. */
function trainingGraph(config: ModelConfig, pictures: number, frames?: number) {
  const set = createParameterSet();
  const velocity = denoise(
    set.scope,
    {
      noisy: input('noisy', latentShape(config, pictures)),
      timesteps: input('timesteps', [pictures], 'int64'),
      reference: input('reference', latentShape(config, pictures / (frames ?? 1))),
      referenceLabels: input('referenceLabels', [pictures / (frames ?? 1)], 'int64'),
      labels: input('labels', [pictures], 'int64'),
      keepsReference: input('keepsReference', [pictures]),
      controls: controlInputs(config, pictures),
      ...(frames === undefined ? {} : { frames }),
    },
    config,
  );
  return { set, velocity };
}

/** Weights without a single zero layer, so that every part speaks. */
function speakingWeights(set: ParameterSet): Record<string, Tensor> {
  const weights = set.initialise(7);
  for (const [i, [name, weight]] of Object.entries(weights).entries()) {
    if (weight.data.every((x) => x === 0)) {
      weights[name] = {
        ...floats(weight.shape, 100 + i),
        data: floats(weight.shape, 100 + i).data.map((x) => 0.1 * x),
      };
    }
  }
  return weights;
}

const { set, velocity } = trainingGraph(tiny, 2);
const weights: Weights = speakingWeights(set);
const size = tiny.size;
const feeds = {
  noisy: floats(latentShape(tiny, 2), 1),
  reference: floats(latentShape(tiny, 2), 2),
  liftedLatent: floats(latentShape(tiny, 2), 3),
  gaussian: floats([2, tiny.gaussianChannels, size, size], 4),
  visibility: floats([2, 1, size, size], 5),
  timesteps: integers(999, 250),
  labels: integers(0, 1),
  referenceLabels: integers(0, 1),
};
const predict = (keeps: readonly number[], more: Record<string, AnyTensor> = {}) => {
  const keepsReference: Tensor = { dtype: 'float32', shape: [2], data: Float32Array.from(keeps) };
  return run(emitModel({ name: 'whole', outputs: { velocity }, weights }), {
    ...feeds,
    keepsReference,
    ...more,
  });
};
/** Picture `i` of a batch, alone. */
const one = (value: AnyTensor, i: number): AnyTensor => {
  const length = value.data.length / value.shape[0]!;
  return {
    ...value,
    shape: value.shape.with(0, 1),
    data: value.data.slice(i * length, (i + 1) * length),
  } as AnyTensor;
};

test('the compact model fits in 20 million weights with its autoencoder and temporal layers', () => {
  const compact = readConfig('compact');
  const { set: all } = trainingGraph(compact, 2, 2);
  const denoiser = weightCount(all.values);
  const temporal = weightCount(all.values, (name) => name.includes(TEMPORAL_NAME));
  assert.ok(temporal > 0 && temporal < denoiser / 2, `${temporal} of ${denoiser}`);
  assert.ok(denoiser < 17e6, `${denoiser} weights`);
});

test('every block of the reference network has its partner at the same path', () => {
  const inputs = createParameterSet();
  const label = labelTokens(inputs.scope, input('labels', [1], 'int64'), tiny);
  const tokens = referenceTokens(
    inputs.scope,
    { latent: input('reference', latentShape(tiny, 1)), label },
    tiny,
  );
  const own = [...set.values.keys()].filter((name) => /^unet\..*attn1\.to_q\.weight$/.test(name));
  assert.deepEqual([...tokens.keys()].map((path) => `unet.${path}.attn1.to_q.weight`).sort(), own.sort());
  assert.ok([...set.values.keys()].some((name) => name.startsWith(`${REFERENCE_SCOPE}.`)));
});

test('a twin that shares the weights needs no parameters of its own', () => {
  const shared = { ...tiny, unet: { ...tiny.unet, sharesReference: true } };
  const names = [...trainingGraph(shared, 2).set.values.keys()];
  assert.deepEqual(
    names.filter((name) => name.startsWith(REFERENCE_SCOPE)),
    [],
  );
});

test('the reference computed once and cached gives what the training graph gives', async () => {
  const whole = await predict([1, 1]);
  for (const i of [0, 1]) {
    const mine = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, one(value, i)]));
    const tokens = await run(referenceModel(tiny, weights, { batch: 1 }), mine);
    const features = await run(guidanceModel(tiny, weights, { batch: 1 }), mine);
    const step = denoiserModel(tiny, weights, { batch: 1, seesReference: true });
    const { velocity: cached } = await run(step, { ...mine, ...tokens, ...features });
    assert.ok(largestDifference(cached!, one(whole.velocity!, i)) < 1e-4);
  }
});

test('a dropped reference is exactly attention to oneself', async () => {
  const dropped = await predict([0, 1]);
  const mine = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, one(value, 0)]));
  const features = await run(guidanceModel(tiny, weights, { batch: 1 }), mine);
  const alone = await run(denoiserModel(tiny, weights, { batch: 1, seesReference: false }), {
    ...mine,
    ...features,
  });
  assert.ok(largestDifference(alone.velocity!, one(dropped.velocity!, 0)) < 1e-4);
  const other = await predict([0, 1], { reference: floats(latentShape(tiny, 2), 99) });
  assert.deepEqual(one(other.velocity!, 0).data, one(dropped.velocity!, 0).data);
  assert.ok(largestDifference(one(other.velocity!, 1), one(dropped.velocity!, 1)) > 1e-3);
});

test('every input changes the prediction', async () => {
  const plain = (await predict([1, 1])).velocity!;
  for (const name of ['noisy', 'reference', 'liftedLatent', 'gaussian', 'visibility'] as const) {
    const changed = (await predict([1, 1], { [name]: floats(feeds[name].shape, 50) })).velocity!;
    assert.ok(largestDifference(changed, plain) > 1e-3, name);
  }
  for (const name of ['timesteps', 'labels'] as const) {
    const changed = (await predict([1, 1], { [name]: integers(1, 0) })).velocity!;
    assert.ok(largestDifference(changed, plain) > 1e-4, name);
  }
});

test('fresh temporal layers change nothing, and trained ones let frames see each other', async () => {
  const clip = trainingGraph(tiny, 2, 2);
  const fresh = clip.set.initialise(7);
  const temporal = Object.keys(fresh).filter((name) => name.includes(TEMPORAL_NAME));
  const isolated = { ...feeds, reference: one(feeds.reference, 0), referenceLabels: integers(0) };
  const keepsReference: Tensor = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 1) };
  const through = async (values: Weights, more: Record<string, AnyTensor> = {}) => {
    const model = emitModel({ name: 'clip', outputs: { velocity: clip.velocity }, weights: values });
    return (await run(model, { ...isolated, keepsReference, ...more })).velocity!;
  };
  const still = { ...fresh, ...weights };
  const stillAgain = await through(still);
  const reference = {
    dtype: 'float32',
    shape: latentShape(tiny, 2),
    data: new Float32Array(2 * isolated.reference.data.length),
  } as const;
  for (const i of [0, 1])
    reference.data.set(isolated.reference.data as Float32Array, i * isolated.reference.data.length);
  const pictures = (await predict([1, 1], { reference, referenceLabels: integers(0, 0) })).velocity!;
  assert.ok(largestDifference(stillAgain, pictures) < 1e-5);
  const speaking = Object.fromEntries(temporal.map((name, i) => [name, floats(fresh[name]!.shape, 300 + i)]));
  const noisy = { ...feeds.noisy, data: feeds.noisy.data.slice() };
  noisy.data.set(floats(latentShape(tiny, 1), 60).data, noisy.data.length / 2);
  const before = await through({ ...still, ...speaking });
  const after = await through({ ...still, ...speaking }, { noisy });
  assert.ok(largestDifference(one(before, 0), one(after, 0)) > 1e-3, 'frame 0 sees the change of frame 1');
});

test('the lift prior answers with the lifted latent where it is visible and is silent elsewhere', async () => {
  const config = { ...tiny, unet: { ...tiny.unet, liftPriorVariance: 0.2 } };
  const fresh = trainingGraph(config, 2);
  const visibility = floats([2, 1, size, size], 5);
  visibility.data.fill(1, 0, size * size);
  visibility.data.fill(0, size * size);
  const keepsReference: Tensor = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 1) };
  const model = emitModel({
    name: 'fresh',
    outputs: { velocity: fresh.velocity },
    weights: fresh.set.initialise(7),
  });
  const predicted = (
    await run(model, { ...feeds, visibility, keepsReference, timesteps: integers(999, 999) })
  ).velocity!;
  // Pure noise at the last step: v = -x_0.
  const lifted = one(feeds.liftedLatent, 0);
  const answer = { ...lifted, data: (lifted.data as Float32Array).map((x) => -x) } as AnyTensor;
  assert.ok(largestDifference(one(predicted, 0), answer) < 1e-5);
  assert.ok((one(predicted, 1).data as Float32Array).every((x) => x === 0));
});
