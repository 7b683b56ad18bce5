// Every control by configuration: it trains a few steps on the tiny sizes, and the model that comes out
// renders a portrait in motion with the same control.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Avatar } from '../../src/avatar/index.ts';
import { openModel } from '../../src/avatar/index.ts';
import type { ControlConfig, ControlKind, ModelConfig } from '../../src/denoiser/index.ts';
import { LATENT_STATISTICS, modelSchema } from '../../src/denoiser/index.ts';
import { bindGaussians, FIELD_PARAMETERS, paintGaussians } from '../../src/gaussians/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { headMaps, neutralParameters } from '../../src/head/index.ts';
import { createLiftTools } from '../../src/lift/index.ts';
import { decodeWeights } from '../../src/nn/index.ts';
import { createDevice, loadEmbeddedHead } from '../../src/node/index.ts';
import type { Tensor } from '../../src/tensor/index.ts';
import type { Configuration } from '../../src/training/index.ts';
import {
  autoencoderStage,
  denoiserStage,
  openSamples,
  runTraining,
  trackedHead,
  WEIGHTS_FILE,
} from '../../src/training/index.ts';
import { folderOfSamples, memoryFolder, tinyConfiguration, tinySamples } from './tiny-run.ts';

const SIZE = 32;
const device = await createDevice('cpu');
const head = await loadEmbeddedHead();
const tiny = await tinyConfiguration();
const all = tinySamples(head, { size: SIZE, subjects: 4 });
const samples = await openSamples(folderOfSamples(all, SIZE, head.name).read, { ...tiny.training, batch: 2 });
const autoencoder = Object.fromEntries(
  autoencoderStage({ configuration: tiny, samples, device }).initialWeights() as Iterable<[string, Tensor]>,
);
const front = { ...neutralParameters(head), translation: Float32Array.of(0, 0, -0.6) };
const camera = frontCamera(SIZE, SIZE, SIZE * 1.5);

const NETWORKS: Readonly<Record<ControlKind, Omit<ControlConfig, 'kind'>>> = {
  gaussian: { fold: 2, widths: [8, 16], heads: 0 },
  painted: { fold: 2, widths: [8, 16], heads: 0 },
  'landmarks+normals+depth': { fold: 2, widths: [8, 16], heads: 0 },
  lifted: { fold: 1, widths: [16], heads: 0 },
};

function withControls(...kinds: readonly ControlKind[]): Configuration {
  const controls = kinds.map((kind) => ({ kind, ...NETWORKS[kind] }));
  const stage1 = { ...tiny.training.stage1, batch: 2, headJitter: 1 };
  const model: ModelConfig = { ...tiny.model, unet: { ...tiny.model.unet, controls } };
  return { model, training: { ...tiny.training, stage1 } };
}

async function trained(configuration: Configuration): Promise<Avatar> {
  const folder = memoryFolder();
  const common = { configuration, samples, device, head };
  const stage = await denoiserStage({ ...common, name: '1', weights: autoencoder });
  const { loss } = await runTraining({
    ...{ stage, device, folder, isResumed: false },
    ...{ steps: 2, validationMinutes: null },
  });
  assert.ok(Number.isFinite(loss));
  const { weights } = decodeWeights((await folder.read(WEIGHTS_FILE))!);
  const { uvSize, texels } = bindGaussians(head, { uvSize: configuration.model.uvSize });
  const { features, opacity, scale } = FIELD_PARAMETERS;
  const field = weights[features] && {
    ...{ uvSize, texels, features: weights[features] },
    ...{ opacity: weights[opacity]!, scale: weights[scale]! },
  };
  return {
    name: 'tiny',
    config: configuration.model,
    weights,
    statistics: {
      mean: weights[LATENT_STATISTICS.mean]!,
      deviation: weights[LATENT_STATISTICS.deviation]!,
    },
    field: field ?? null,
    headName: head.name,
    provenance: {},
  };
}

for (const kinds of [
  ['lifted'],
  ['landmarks+normals+depth'],
  ['painted'],
  ['painted', 'lifted', 'landmarks+normals+depth'],
] as const) {
  test(`${kinds.join(' and ')}: trains, and the model renders by it`, async () => {
    const avatar = await trained(withControls(...kinds));
    for (const kind of kinds) {
      assert.ok(
        avatar.weights[`guidance.${kind}.conv_out.weight`]!.data.some((x) => x !== 0),
        kind,
      );
    }
    const hasField = kinds.some((kind) => kind === 'painted');
    assert.equal(avatar.field !== null, hasField);
    await using model = await openModel({ avatar, sha256: '', head, device, windowFrames: 2 });
    const image = { width: SIZE, height: SIZE, data: all[0]!.reference };
    const renderer = await model.framedRenderer({ image, parameters: front, camera });
    const turned = { ...front, jointRotations: front.jointRotations.map((x, i) => (i === 1 ? 0.4 : x)) };
    const pictures: Uint8Array[] = [];
    for await (const { data } of renderer.render([front, turned])) pictures.push(data);
    assert.equal(pictures.length, 2);
    assert.ok(pictures.every((data) => data.some((value) => value !== data[0])));
  });
}

test('the maps of a head are its normals, its depth and its landmarks, and nothing beside it', () => {
  const tools = createLiftTools(head);
  const wide = frontCamera(64, 64, 96);
  const maps = headMaps(tools, front, wide);
  const at = (channel: number, x: number, y: number): number => maps[(channel * 64 + y) * 64 + x]!;
  assert.ok(at(2, 32, 34) < -0.7, 'the face looks at the camera');
  assert.ok(at(3, 32, 34) > at(3, 20, 34), 'the nose is nearer than the cheek');
  for (let channel = 0; channel < 5; channel++) assert.equal(at(channel, 1, 1), 0);
  assert.ok(maps.subarray(4 * 64 * 64).some((value) => value > 0.8));
  assert.throws(() => headMaps({ ...tools, head: { ...head, landmarks: null } }, front, wide), /landmarks/);
});

test('paint is the colour of what the picture shows of a Gaussian, and none of what it hides', () => {
  const { poser, rasteriser } = createLiftTools(head);
  const binding = bindGaussians(head);
  const vertices = poser.pose(front);
  const picture = new Float32Array(3 * SIZE * SIZE).fill(0.5);
  const painting = paintGaussians({ head, binding, rasteriser }, { picture, camera, vertices });
  const trusts = Array.from({ length: painting.length / 4 }, (_, i) => painting[4 * i + 3]!);
  const seen = trusts.filter((trust) => trust > 0.9).length;
  assert.ok(seen > 0.1 * trusts.length && seen < 0.8 * trusts.length, `${seen} of ${trusts.length}`);
  for (const [i, trust] of trusts.entries()) {
    assert.ok(Math.abs(painting[4 * i]! - 0.5 * trust) < 1e-6);
  }
});

test('a jittered head errs by as much as it is asked to', () => {
  const one = all[1]!;
  assert.equal(trackedHead(one, { jitter: 0, seed: 3 }).head, one.head);
  const error = (jitter: number): number => {
    const { head: tracked } = trackedHead(one, { jitter, seed: 3 });
    return Math.hypot(...tracked.jointRotations.map((x, i) => x - one.head.jointRotations[i]!));
  };
  assert.ok(error(1) > 0.001 && Math.abs(error(2) / error(1) - 2) < 0.05);
});

test('controls that contradict each other are refused by name', () => {
  for (const [kinds, reason] of [
    [['gaussian', 'painted'], /"painted" holds the features of "gaussian"/],
    [['lifted', 'lifted'], /twice/],
    [[], /controls/],
  ] as const) {
    const { success, error } = modelSchema.safeParse(withControls(...kinds).model);
    assert.ok(!success);
    const faults = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    assert.match(faults.join(), reason);
  }
});
