// The stages on tiny sizes: losses fall, a resumed run equals an uninterrupted one, the field learns from
// the denoising loss alone, and the second stage moves nothing but the temporal layers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TEMPORAL_NAME } from '../../src/denoiser/index.ts';
import { FIELD_PARAMETERS } from '../../src/gaussians/index.ts';
import type { Weights } from '../../src/nn/index.ts';
import { decodeWeights } from '../../src/nn/index.ts';
import { createDevice, loadEmbeddedHead } from '../../src/node/index.ts';
import type { AnyTensor, Tensor } from '../../src/tensor/index.ts';
import { decodeSafetensors } from '../../src/tensor/index.ts';
import type { RunFolder, SampleKind, Stage } from '../../src/training/index.ts';
import {
  autoencoderStage,
  denoiserStage,
  distillStage,
  listCheckpoints,
  openSamples,
  runTraining,
  WEIGHTS_FILE,
} from '../../src/training/index.ts';
import { folderOfSamples, memoryFolder, tinyConfiguration, tinySamples } from './tiny-run.ts';

const device = await createDevice('cpu');
const head = await loadEmbeddedHead();
const configuration = await tinyConfiguration();
const data = folderOfSamples(tinySamples(head, { size: 32, subjects: 8 }), 32, head.name);

const samplesFor = (batch: number) => openSamples(data.read, { ...configuration.training, batch });
const vaeStage = async (): Promise<Stage> =>
  autoencoderStage({ configuration, device, samples: await samplesFor(configuration.training.vae.batch) });
const denoiserOf = async (name: '1' | '2', weights: Weights): Promise<Stage> => {
  const { batch } = name === '1' ? configuration.training.stage1 : configuration.training.stage2;
  return denoiserStage({ configuration, device, head, name, weights, samples: await samplesFor(batch) });
};
const run = (stage: Stage, folder: RunFolder, steps: number, isResumed = false) =>
  runTraining({ stage, device, folder, isResumed, steps, validationMinutes: stage.name === '1' ? null : 15 });
const checkpoint = async (folder: RunFolder): Promise<Readonly<Record<string, AnyTensor>>> =>
  decodeSafetensors((await folder.read((await listCheckpoints(folder)).at(-1)!.file))!).tensors;
const shipped = async (folder: RunFolder): Promise<Weights> =>
  decodeWeights((await folder.read(WEIGHTS_FILE))!).weights;
const figuresIn = async (folder: RunFolder): Promise<Record<string, number>[]> =>
  new TextDecoder()
    .decode((await folder.read('curves.jsonl'))!)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { validation?: Record<string, number> })
    .flatMap(({ validation }) => (validation ? [validation] : []));

const vaeFolder = memoryFolder();
const firstFolder = memoryFolder();

test('the autoencoder begins as principal components and gets better', async () => {
  await run(await vaeStage(), vaeFolder, 60);
  const figures = await figuresIn(vaeFolder);
  assert.ok(figures[0]!.withoutLift! > 15, `starts at ${figures[0]!.withoutLift} dB`);
  assert.ok(figures[1]!.decoded! > figures[0]!.decoded! + 0.5, JSON.stringify(figures));
  assert.deepEqual(vaeFolder.pictures, ['sheets/step-0000000.png', 'sheets/step-0000060.png']);
});

test('a resumed run equals an uninterrupted one, bit for bit', async () => {
  const [whole, parts] = [memoryFolder(), memoryFolder()];
  const weights = await shipped(vaeFolder);
  await run(await denoiserOf('1', weights), whole, 6);
  await run(await denoiserOf('1', weights), parts, 3);
  const resumed = await run(await denoiserOf('1', weights), parts, 6, true);
  assert.equal(resumed.resumedFromStep, 3);
  const [a, b] = [await checkpoint(whole), await checkpoint(parts)];
  assert.deepEqual(Object.keys(a).sort(), Object.keys(b).sort());
  for (const name of Object.keys(a)) assert.deepEqual(a[name]!.data, b[name]!.data, name);
});

test('a run is not begun over another, nor resumed from nothing', async () => {
  await assert.rejects(run(await vaeStage(), vaeFolder, 1), /checkpoint/);
  await assert.rejects(run(await vaeStage(), memoryFolder(), 1, true), /checkpoint/);
});

test('the denoiser overfits a handful of samples, and the field moves with it', async () => {
  const stage = await denoiserOf('1', await shipped(vaeFolder));
  const before = structuredClone(stage.outsideState!());
  const early = await run(stage, firstFolder, 10);
  const late = await run(await denoiserOf('1', await shipped(vaeFolder)), firstFolder, 80, true);
  assert.ok(late.loss! < 0.8 * early.loss!, `${early.loss} to ${late.loss}`);
  const after = await checkpoint(firstFolder);
  const name = FIELD_PARAMETERS.features;
  const moved = (after[`outside.${name}`]!.data as Float32Array).filter(
    (x, i) => x !== before[name]!.data[i],
  );
  assert.ok(moved.length > 1000, `${moved.length} features moved`);
});

test('the second stage moves the temporal layers alone', async () => {
  const weights = await shipped(firstFolder);
  const folder = memoryFolder();
  await run(await denoiserOf('2', weights), folder, 3);
  const after = await shipped(folder);
  const temporal = Object.keys(after).filter((name) => name.includes(`.${TEMPORAL_NAME}.`));
  assert.ok(temporal.length > 0 && temporal.every((name) => weights[name] === undefined));
  for (const name of Object.keys(weights)) assert.deepEqual(after[name]!.data, weights[name]!.data, name);
  const held = await checkpoint(folder);
  for (const name of Object.values(FIELD_PARAMETERS)) {
    assert.deepEqual(held[`outside.${name}`]!.data, weights[name]!.data, `${name} in full precision`);
  }
  const outputs = temporal.filter((name) => name.endsWith('proj_out.weight'));
  for (const name of outputs)
    assert.ok(
      after[name]!.data.some((x) => x !== 0),
      `${name} learned`,
    );
});

test('the second stage is validated on clips of people that no batch has, through the temporal layers', async () => {
  const stage = await denoiserOf('2', await shipped(firstFolder));
  const begun = Object.fromEntries(stage.initialWeights() as Iterable<readonly [string, Tensor]>);
  const before = await stage.validate(begun);
  const moved = Object.entries(begun).map(([name, weight]) =>
    name.endsWith('proj_out.weight')
      ? [name, { ...weight, data: weight.data.map(() => 0.05) }]
      : [name, weight],
  );
  const after = await stage.validate(Object.fromEntries(moved));
  for (const name of ['output', 'changeError', 'latentError'])
    assert.notEqual(after.figures[name], before.figures[name], name);
  assert.equal(after.figures.liftChangeError, before.figures.liftChangeError);
  assert.ok(before.figures.changeError! > 0);
  // Reference, field, lift, visibility, the lift decoded, output, target; two clips of four frames.
  assert.deepEqual([before.sheet.width, before.sheet.height], [7 * 32, 2 * 4 * 32]);
});

test('distilling brings the one-step answer nearer and moves neither encoder nor field', async () => {
  const folder = memoryFolder();
  const weights = await shipped(firstFolder);
  const { batch } = configuration.training.distill;
  const stage = await distillStage({
    ...{ configuration, device, head, weights },
    samples: await samplesFor(batch),
  });
  await run(stage, folder, 40);
  const [before, after] = await figuresIn(folder);
  assert.ok(after!.output! > before!.output! + 0.2, JSON.stringify([before, after]));
  const distilled = await shipped(folder);
  assert.deepEqual(Object.keys(distilled).sort(), Object.keys(weights).sort());
  for (const [name, { data }] of Object.entries(weights)) {
    const isStill = name.startsWith('vae.encoder.') || name.startsWith('gaussians.');
    if (isStill) assert.deepEqual(distilled[name]!.data, data, name);
  }
});

test('a critic learns with the model and stays behind when it is shipped', async () => {
  const folder = memoryFolder();
  const weights = await shipped(firstFolder);
  const { training } = configuration;
  const distill = { ...training.distill, criticWeight: 0.05, featureWeight: 0.5 };
  const stage = await distillStage({
    ...{ configuration: { ...configuration, training: { ...training, distill } } },
    ...{ device, head, weights, samples: await samplesFor(distill.batch) },
  });
  await run(stage, folder, 4);
  const held = Object.keys(await checkpoint(folder));
  assert.ok(held.includes('critic.conv_out.weight') && held.includes('second.critic.conv_out.weight'));
  assert.deepEqual(Object.keys(await shipped(folder)).sort(), Object.keys(weights).sort());
  const curves = new TextDecoder().decode((await folder.read('curves.jsonl'))!);
  for (const name of ['latentLoss', 'adversarialLoss', 'featureLoss', 'criticLoss', 'sharpness'])
    assert.match(curves, new RegExp(`"${name}":-?[0-9]`));
});

test('synthetic samples learn under the label of use as often as the configuration says', async () => {
  const weights = await shipped(firstFolder);
  const { training } = configuration;
  const labelsWith = async (share: number): Promise<bigint[]> => {
    const distill = { ...training.distill, syntheticAsReal: share };
    const stage = await distillStage({
      ...{ configuration: { ...configuration, training: { ...training, distill } } },
      ...{ device, head, weights, samples: await samplesFor(distill.batch) },
    });
    const batches = await Promise.all([0, 1, 2, 3].map((step) => stage.batchAt(step)));
    return batches.flatMap(({ labels }) => [...(labels!.data as BigInt64Array)]);
  };
  assert.ok((await labelsWith(0)).includes(1n));
  assert.ok((await labelsWith(1)).every((label) => label === 0n));
});

test('what a lift sees well counts less in pairs of views, and as ever in round trips', async () => {
  const weights = await shipped(firstFolder);
  const { training } = configuration;
  const weighed = async (kind: SampleKind, seenPairWeight: number): Promise<number> => {
    const samples = tinySamples(head, { size: 32, subjects: 8 }).map((one) => ({ ...one, kind }));
    const folder = folderOfSamples(samples, 32, head.name);
    const distill = { ...training.distill, seenPairWeight };
    const stage = await distillStage({
      ...{ configuration: { ...configuration, training: { ...training, distill } } },
      ...{ device, head, weights },
      samples: await openSamples(folder.read, { ...training, batch: distill.batch }),
    });
    const { windowWeight } = await stage.batchAt(0);
    return (windowWeight!.data as Float32Array).reduce((sum, weight) => sum + weight, 0);
  };
  assert.equal(await weighed('roundTrip', 0.1), await weighed('roundTrip', 1));
  assert.ok((await weighed('singleLift', 0.1)) < 0.6 * (await weighed('singleLift', 1)));
});

test('a stage begins from the weights that it is given', async () => {
  const weights = await shipped(firstFolder);
  const stage = await denoiserOf('1', weights);
  for await (const [name, { data }] of stage.initialWeights()) {
    assert.deepEqual(data, weights[name]!.data, name);
  }
  const field = stage.outsideState!()[FIELD_PARAMETERS.features]!;
  assert.deepEqual(field.data, weights[FIELD_PARAMETERS.features]!.data);
});
