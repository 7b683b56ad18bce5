// The splatting on a GPU against the float64 reference, and the edges of what it must take.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BadInputError, FaultError, MissingResourceError } from '../../src/errors/index.ts';
import type { GpuSplatter, SplatImages, SplatScene } from '../../src/gaussians/index.ts';
import { createGpuSplatter, splatReference, splatReferenceBackward } from '../../src/gaussians/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { tensor } from '../../src/tensor/index.ts';
import { openTestDevice } from '../webgpu/test-device.ts';
import { differences, goldens, gradientOf } from './gsplat-goldens.ts';
import type { SceneOptions } from './random-scenes.ts';
import { randomScene, randomValues, relativeDifference } from './random-scenes.ts';

const TOLERANCE = 1e-4;
const { skip, context } = await openTestDevice();
const splatter = skip === false ? createGpuSplatter(context().device) : (null as unknown as GpuSplatter);
after(() => splatter?.[Symbol.dispose]());

/** The largest relative difference of any image or gradient between GPU and reference. */
async function worstDifference(scene: SplatScene): Promise<number> {
  const { width, height } = scene.camera;
  const features = randomValues(7, scene.channels * width * height);
  const alpha = randomValues(8, width * height);
  const images = await splatter.forward(scene);
  const gradients = await splatter.backward({
    features: tensor(features, [scene.channels, height, width]),
    alpha: tensor(alpha, [height, width]),
  });
  const expected = splatReference(scene);
  const expectedGradients = splatReferenceBackward(scene, { features, alpha });
  const names = Object.keys(expectedGradients) as (keyof typeof expectedGradients)[];
  assert.deepEqual(Object.keys(gradients).sort(), names.sort());
  return Math.max(
    relativeDifference(images.features.data, expected.features),
    relativeDifference(images.alpha.data, expected.alpha),
    ...names.map((name) => relativeDifference(gradients[name]!, expectedGradients[name]!)),
  );
}

async function expectParity(scene: SplatScene): Promise<void> {
  const difference = await worstDifference(scene);
  assert.ok(difference <= TOLERANCE, `${difference}`);
}

// Seeds whose pixels are all away from the cuts: at alpha = 1/255 float32 may decide otherwise than float64.
const CASES: readonly SceneOptions[] = [
  { seed: 1, count: 300, channels: 1, width: 33, height: 47 },
  { seed: 2, count: 800, channels: 3, width: 64, height: 50 },
  { seed: 12, count: 1000, channels: 8, width: 64, height: 64 },
  { seed: 4, count: 600, channels: 12, width: 90, height: 31 },
  { seed: 5, count: 500, channels: 32, width: 48, height: 40 },
  { seed: 7, count: 120, channels: 37, width: 20, height: 24 },
];

for (const options of CASES) {
  const { channels, width, height } = options;
  const title = `${channels} channels at ${width} x ${height}, forward and backward`;
  test(`GPU and reference agree on ${title}`, { skip }, () => expectParity(randomScene(options)));
}

test('GPU and reference agree on ellipsoids, their rotations and three scales', { skip }, async () => {
  await expectParity(randomScene({ ...CASES[1]!, isTurned: true }));
});

test('GPU and reference agree on an image of many tiles', { skip }, () =>
  expectParity(randomScene({ seed: 15, count: 3000, channels: 3, width: 300, height: 180 })),
);

test('GPU and reference agree where pixels are finished early, hundreds of Gaussians a tile', {
  skip,
}, async () => {
  const scene = randomScene({ seed: 6, count: 1500, channels: 3, width: 32, height: 32 });
  scene.opacities.fill(0.97);
  assert.ok(splatReference(scene).alpha.filter((value) => value > 0.99).length > 500);
  await expectParity(scene);
});

test('GPU and reference agree where hundreds of faint Gaussians lie on every pixel', { skip }, async () => {
  const scene = randomScene({ seed: 8, count: 1200, channels: 3, width: 24, height: 24 });
  scene.opacities.fill(0.02);
  await expectParity({ ...scene, scales: scene.scales.map((scale) => scale * 2) });
});

test('GPU and reference agree where alpha is capped at 0.99', { skip }, async () => {
  const scene = randomScene({ seed: 9, count: 40, channels: 3, width: 32, height: 32 });
  scene.opacities.fill(1);
  await expectParity(scene);
});

test('an empty scene is an empty image with empty gradients', { skip }, async () => {
  const none = new Float32Array(0);
  const scene = { means: none, scales: none, opacities: none, features: none };
  const images = await splatter.forward({ ...scene, camera: frontCamera(20, 12, 30), channels: 3 });
  assert.deepEqual(images.features.shape, [3, 12, 20]);
  assert.ok(images.features.data.every((value) => value === 0));
  assert.ok(images.alpha.data.every((value) => value === 0));
  const gradients = await splatter.backward({ features: images.features });
  assert.ok(Object.values(gradients).every((gradient) => gradient?.length === 0));
});

type Single = { mean: [number, number, number]; scale: number; opacity: number; feature: number };

/** Gaussians given one by one, on a camera of 100 px focal length that looks along -z. */
function sceneOf(size: number, gaussians: readonly Single[]): SplatScene {
  return {
    camera: frontCamera(size, size, 100),
    channels: 1,
    means: Float32Array.from(gaussians.flatMap(({ mean }) => mean)),
    scales: Float32Array.from(gaussians, ({ scale }) => scale),
    opacities: Float32Array.from(gaussians, ({ opacity }) => opacity),
    features: Float32Array.from(gaussians, ({ feature }) => feature),
  };
}

test('what is behind the camera, before its near plane, too faint or not a number is not drawn', {
  skip,
}, async () => {
  const seen: Single = { mean: [0, 0, -1], scale: 0.02, opacity: 0.5, feature: 1 };
  const scene = sceneOf(24, [
    { ...seen, mean: [0, 0, 1] },
    { ...seen, mean: [0, 0, 0] },
    { ...seen, mean: [0, 0, -0.009] },
    { ...seen, opacity: 0.003 },
    { ...seen, mean: [Number.NaN, 0, -1] },
    { ...seen, scale: Number.NaN },
    { ...seen, opacity: Number.NaN },
    seen,
  ]);
  const images = await splatter.forward(scene);
  const alone = await splatter.forward(sceneOf(24, [seen]));
  assert.deepEqual(images, alone);
  await splatter.forward(scene);
  const ones = tensor<'C H W'>(new Float32Array(576).fill(1), [1, 24, 24]);
  const { means, scales, opacities, features } = await splatter.backward({ features: ones });
  for (const gradient of [means, scales, opacities, features]) {
    const own = gradient.length / 8;
    assert.ok(gradient.subarray(0, 7 * own).every((value: number) => value === 0));
    assert.ok(gradient.subarray(7 * own).some((value: number) => value !== 0));
  }
});

test('a Gaussian larger than the image covers all of it, and needs more pairs than were expected', {
  skip,
}, async () => {
  const scene = sceneOf(200, [{ mean: [0, 0, -1], scale: 20, opacity: 0.5, feature: 2 }]);
  using fresh = createGpuSplatter(context().device);
  const { features, alpha } = await fresh.forward(scene);
  assert.equal(fresh.pairs, 25 * 25);
  assert.ok(alpha.data.every((value) => Math.abs(value - 0.5) < 2e-3));
  assert.ok(features.data.every((value) => Math.abs(value - 1) < 4e-3));
  await expectParity(scene);
});

test('a long thin ellipsoid across the image keeps its digits', { skip }, () =>
  // 200 px long, half a pixel thick, on the diagonal.
  expectParity({
    ...sceneOf(96, [{ mean: [0, 0, -1], scale: 1, opacity: 0.8, feature: 1 }]),
    scales: Float32Array.of(2, 0.005, 0.005),
    rotations: Float32Array.of(Math.cos(Math.PI / 8), 0, 0, Math.sin(Math.PI / 8)),
  }),
);

test('ellipsoids that are endless or without a rotation are not drawn, flat ones are', { skip }, async () => {
  const seen: Single = { mean: [0, 0, -1], scale: 1, opacity: 0.5, feature: 1 };
  const sound = [0.05, 0.04, 0.03];
  const far = Number.POSITIVE_INFINITY;
  await expectParity({
    ...sceneOf(24, [
      seen,
      seen,
      seen,
      { ...seen, mean: [far, 0, -1] },
      { ...seen, mean: [0, 0, -far] },
      seen,
      seen,
    ]),
    scales: Float32Array.from([
      ...sound,
      far,
      0.04,
      0.03,
      1e30,
      1e30,
      1e30,
      ...sound,
      ...sound,
      0.05,
      0,
      0.02,
      ...sound,
    ]),
    rotations: Float32Array.from([
      0,
      0,
      0,
      0,
      ...[1, 2, 3, 4],
      ...[1, 2, 3, 4],
      ...[1, 0, 0, 0],
      ...[1, 0, 0, 0],
      ...[1, 2, 3, 4],
      ...[4, 3, 2, 1],
    ]),
  });
});

test('an image of one pixel works', { skip }, async () => {
  const scene = sceneOf(1, [{ mean: [0, 0, -1], scale: 0.01, opacity: 0.25, feature: 4 }]);
  const { features } = await splatter.forward(scene);
  assert.ok(Math.abs(features.data[0]! - 1) < 1e-6);
  await expectParity(scene);
});

test('the Jacobian is clamped beyond the field of view as in the reference', { skip }, () =>
  expectParity({
    camera: frontCamera(16, 16, 10),
    channels: 1,
    // x/z of 1.2 and y/z of -1.1 lie beyond 1.3 times the half field of 0.8.
    means: Float32Array.of(1.2, 0.1, -1, -0.1, 1.15, -1.05),
    scales: Float32Array.of(0.5, 0.4),
    opacities: Float32Array.of(0.8, 0.6),
    features: Float32Array.of(0.9, -0.7),
  }),
);

test('equal depths keep the order of the indices', { skip }, async () => {
  const at: Single = { mean: [0, 0, -1], scale: 0.05, opacity: 0.5, feature: 1 };
  const scene = sceneOf(17, [
    { ...at, mean: [0, 0, -1.5], feature: 100 },
    { ...at, feature: 1 },
    { ...at, feature: 10 },
  ]);
  const middle = (await splatter.forward(scene)).features.data[8 * 17 + 8]!;
  assert.ok(Math.abs(middle - (0.5 + 0.25 * 10 + 0.125 * 100)) < 1e-4, `${middle}`);
});

test('Gaussians that lie within float32 rounding of one depth come in the order of the reference', {
  skip,
}, async () => {
  // A turned camera; the depths differ by about 1e-7, which float32 sums of products confuse.
  const { camera } = randomScene(CASES[0]!);
  const { rotation: r, translation: t } = camera.cameraFromWorld;
  const count = 200;
  const means = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const inCamera = [-t[0]!, 0.001 * Math.sin(i) - t[1]!, 0.7 + 1e-7 * Math.cos(i * i) - t[2]!];
    for (let j = 0; j < 3; j++) {
      means[3 * i + j] = r[j]! * inCamera[0]! + r[3 + j]! * inCamera[1]! + r[6 + j]! * inCamera[2]!;
    }
  }
  const features = randomValues(3, count);
  const opacities = new Float32Array(count).fill(0.3);
  await expectParity({
    ...{ camera, channels: 1, means, opacities, features },
    scales: new Float32Array(count).fill(0.1),
  });
});

test('the same scene gives the same bits, images and gradients', { skip }, async () => {
  const scene = randomScene(CASES[1]!);
  const run = async (): Promise<unknown> => {
    const images = await splatter.forward(scene);
    return [images, await splatter.backward(images)];
  };
  const first = await run();
  await splatter.forward(randomScene(CASES[0]!));
  assert.deepEqual(await run(), first);
});

test('without a gradient of alpha it counts as zero', { skip }, async () => {
  const images = await splatter.forward(randomScene(CASES[1]!));
  await splatter.backward(images); // leaves a gradient of alpha behind
  const alone = await splatter.backward({ features: images.features });
  const alpha = tensor<'H W'>(new Float32Array(64 * 50), [50, 64]);
  assert.deepEqual(await splatter.backward({ features: images.features, alpha }), alone);
});

test('calls that are not awaited take their turns', { skip }, async () => {
  const scenes = [randomScene(CASES[1]!), randomScene(CASES[0]!)];
  const alone: SplatImages[] = [];
  for (const scene of scenes) alone.push(await splatter.forward(scene));
  assert.deepEqual(await Promise.all(scenes.map((scene) => splatter.forward(scene))), alone);
});

test('scenes, images and gradients may stay on the device', { skip }, async () => {
  const scene = randomScene(CASES[1]!);
  const images = await splatter.forward(scene);
  const gradients = await splatter.backward(images);
  const upload = (data: Float32Array) => {
    const buffer = context().createBuffer('from elsewhere', data.byteLength);
    context().device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  };
  const onDevice = await splatter.forwardOnDevice({
    ...{ camera: scene.camera, channels: 3, count: 800 },
    means: upload(scene.means),
    scales: upload(scene.scales),
    opacities: upload(scene.opacities),
    features: upload(scene.features),
  });
  const carried = await splatter.backwardOnDevice(onDevice);
  const bytes = await context().run(() => [
    { buffer: onDevice.features, bytes: images.features.data.byteLength },
    { buffer: carried.means, bytes: gradients.means.byteLength },
  ]);
  const numbers = new Float32Array(bytes);
  assert.deepEqual(numbers.subarray(0, images.features.data.length), images.features.data);
  assert.deepEqual(numbers.subarray(images.features.data.length), gradients.means);
});

test('every stage is timed where the device has timestamps', { skip }, async (t) => {
  if (!context().device.features.has('timestamp-query')) return t.skip('a device without timestamps');
  const images = await splatter.forward(randomScene(CASES[1]!));
  const stages = ['project', 'sort by depth', 'list pairs', 'sort by tile', 'blend'];
  assert.deepEqual(Object.keys(splatter.times), stages);
  await splatter.backward(images);
  assert.deepEqual(Object.keys(splatter.times), ['blend backward', 'sum pairs', 'project backward']);
  assert.ok(splatter.times['blend backward']! > 0);
});

test('what does not fit is refused with what was expected', { skip }, async () => {
  const scene = randomScene(CASES[0]!);
  await assert.rejects(splatter.forward({ ...scene, scales: scene.scales.subarray(1) }), {
    constructor: BadInputError,
    message: /300 values of scales for 300 opacities, got 299/,
  });
  const many = { ...scene, channels: 129, features: new Float32Array(300 * 129) };
  await assert.rejects(splatter.forward(many), {
    constructor: BadInputError,
    message: /at most 128 channels .* got 129/,
  });
  const images = await splatter.forward(scene);
  const short = tensor<'C H W'>(new Float32Array(4), [1, 2, 2]);
  await assert.rejects(splatter.backward({ ...images, features: short }), BadInputError);
});

for (const { name, golden } of goldens) {
  test(`the GPU agrees with gsplat's projection and PyTorch's gradients: ${name}`, { skip }, async () => {
    const { width, height } = golden.scene.camera;
    const { features, alpha } = gradientOf(golden);
    const images = await splatter.forward(golden.scene);
    const gradients = await splatter.backward({
      features: tensor(features, [golden.scene.channels, height, width]),
      alpha: tensor(alpha, [height, width]),
    });
    const actual = { features: images.features.data, alpha: images.alpha.data };
    const found = differences(golden, actual, gradients);
    assert.ok(
      Object.values(found).every((value) => value <= TOLERANCE),
      JSON.stringify(found),
    );
  });
}

test('an image beyond the limits of the device is refused, and the next one is splatted', {
  skip,
}, async () => {
  const scene = randomScene(CASES[1]!);
  const { maxBufferSize, maxStorageBufferBindingSize } = context().device.limits;
  const side = Math.ceil(Math.sqrt(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 12)) + 1;
  const large = { ...scene, camera: frontCamera(side, side, side) };
  await assert.rejects(splatter.forward(large), {
    constructor: MissingResourceError,
    code: 'gpu-limits',
    message: new RegExp(`a buffer of ${side * side * 12} bytes .image.`),
  });
  await assert.rejects(splatter.backward({ features: tensor(new Float32Array(0), [0]) }), FaultError);
  assert.equal((await splatter.forward(scene)).alpha.data.length, 64 * 50);
});

test('asking for a gradient before any scene is a fault', { skip }, async () => {
  using fresh = createGpuSplatter(context().device);
  const gradient = tensor<'C H W'>(new Float32Array(1), [1, 1, 1]);
  await assert.rejects(fresh.backward({ features: gradient }), FaultError);
});
