// What every form of the splatting must take: single Gaussians, degenerate ones, the borders of the camera.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SplatScene } from '../../src/gaussians/index.ts';
import { Splatter, splatReference, splatReferenceBackward } from '../../src/gaussians/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { ALPHA_MIN, LOW_PASS_PX2 } from '../../src/kernels/index.ts';
import { tensor } from '../../src/tensor/index.ts';
import { randomValues, relativeDifference } from './random-scenes.ts';

type Gaussian = {
  readonly mean?: readonly [number, number, number];
  /** Three with a rotation, else one. */
  readonly scale?: number | readonly [number, number, number];
  readonly rotation?: readonly [number, number, number, number];
  readonly opacity?: number;
  readonly feature?: number;
};

/** Gaussians on a camera of 100 px focal length that looks along -z; by default one of 5 px in its middle. */
function sceneOf(size: number, gaussians: readonly Gaussian[]): SplatScene {
  const isTurned = gaussians.some(({ rotation }) => rotation !== undefined);
  return {
    camera: frontCamera(size, size, 100),
    channels: 1,
    means: Float32Array.from(gaussians.flatMap(({ mean = [0, 0, -1] }) => mean)),
    scales: Float32Array.from(gaussians.flatMap(({ scale = 0.05 }) => scale)),
    ...(isTurned && {
      rotations: Float32Array.from(gaussians.flatMap(({ rotation = [1, 0, 0, 0] }) => rotation)),
    }),
    opacities: Float32Array.from(gaussians, ({ opacity = 0.5 }) => opacity),
    features: Float32Array.from(gaussians, ({ feature = 1 }) => feature),
  };
}

type Images = { readonly features: ArrayLike<number>; readonly alpha: ArrayLike<number> };
type Gradients = Readonly<Record<string, ArrayLike<number> | undefined>>;

/** The images and the gradients of a random linear loss, by kernel and reference, which must agree. */
function splat(scene: SplatScene): { images: Images; gradients: Gradients } {
  const { width, height } = scene.camera;
  const features = randomValues(7, width * height);
  const alpha = randomValues(8, width * height);
  const splatter = new Splatter();
  const splatted = splatter.forward(scene);
  const images = { features: splatted.features.data, alpha: splatted.alpha.data };
  const gradients: Gradients = splatter.backward({
    features: tensor(features, [1, height, width]),
    alpha: tensor(alpha, [height, width]),
  });
  const expected = splatReference(scene);
  assert.ok(relativeDifference(images.features, expected.features) <= 1e-4, 'features');
  assert.ok(relativeDifference(images.alpha, expected.alpha) <= 1e-4, 'alpha');
  const expectedGradients: Gradients = splatReferenceBackward(scene, { features, alpha });
  for (const [name, gradient] of Object.entries(gradients)) {
    assert.ok(relativeDifference(gradient ?? [], expectedGradients[name] ?? []) <= 1e-4, name);
  }
  return { images, gradients };
}

const sum = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((total, value) => total + value, 0);
const isZero = (values: ArrayLike<number> | undefined): boolean =>
  Array.from(values ?? []).every((v) => v === 0);

test('the mass of one Gaussian is its opacity over its area, less what the cut at 1/255 takes', () => {
  for (const opacity of [0.1, 0.5, 0.9]) {
    const ball = sum(splat(sceneOf(128, [{ opacity }])).images.alpha);
    const ofBall = 2 * Math.PI * (25 + LOW_PASS_PX2) * (opacity - ALPHA_MIN);
    assert.ok(Math.abs(ball / ofBall - 1) < 0.01, `${ball} of ${ofBall}`);
    // Half a right angle about z; 8 and 3 px on the image, the third axis lies along the view.
    const rotation = [Math.cos(Math.PI / 8), 0, 0, Math.sin(Math.PI / 8)] as const;
    const ellipsoid = sum(
      splat(sceneOf(128, [{ scale: [0.08, 0.03, 0.02], rotation, opacity }])).images.alpha,
    );
    const area = Math.sqrt((64 + LOW_PASS_PX2) * (9 + LOW_PASS_PX2));
    const ofEllipsoid = 2 * Math.PI * area * (opacity - ALPHA_MIN);
    assert.ok(Math.abs(ellipsoid / ofEllipsoid - 1) < 0.01, `${ellipsoid} of ${ofEllipsoid}`);
  }
});

test('a Gaussian without size is a dot of the low-pass, and has a gradient', () => {
  for (const scale of [0, [0, 0, 0]] as const) {
    const rotation = scale === 0 ? {} : { rotation: [1, 2, 3, 4] as const };
    const { images, gradients } = splat(sceneOf(17, [{ scale, ...rotation, mean: [0.002, 0.001, -1] }]));
    const expected = 2 * Math.PI * LOW_PASS_PX2 * (0.5 - ALPHA_MIN);
    assert.ok(Math.abs(sum(images.alpha) / expected - 1) < 0.1, `${sum(images.alpha)} of ${expected}`);
    assert.ok(!isZero(gradients.means) && isZero(gradients.scales));
  }
});

test('a flat disc seen edge-on is a line as thick as the low-pass', () => {
  const { images } = splat(sceneOf(33, [{ scale: [0.05, 0, 0.05], rotation: [1, 0, 0, 0] }]));
  const rows = Array.from({ length: 33 }, (_, row) =>
    sum(Array.from(images.alpha).slice(row * 33, row * 33 + 33)),
  );
  // exp(-1 / 0.6) of the middle row's mass on each of its neighbours, less the cut.
  assert.ok(rows[16]! > 0.72 * sum(rows), `${rows[16]} of ${sum(rows)}`);
});

test('a Gaussian that is no number, endless or without a rotation is not drawn, and spoils no other', () => {
  const sound: Gaussian = { scale: [0.05, 0.04, 0.03], rotation: [1, 0.2, 0, 0] };
  const expected = splat(sceneOf(24, [sound])).images;
  const broken: readonly Gaussian[] = [
    { ...sound, mean: [Number.NaN, 0, -1] },
    { ...sound, mean: [0, 0, Number.NaN] },
    { ...sound, mean: [Number.POSITIVE_INFINITY, 0, -1] },
    { ...sound, mean: [0, 0, Number.NEGATIVE_INFINITY] },
    { ...sound, scale: [Number.NaN, 0.04, 0.03] },
    { ...sound, scale: [Number.POSITIVE_INFINITY, 0.04, 0.03] },
    { ...sound, scale: [1e30, 1e30, 1e30] },
    { ...sound, rotation: [0, 0, 0, 0] },
    { ...sound, rotation: [Number.NaN, 0, 0, 1] },
    { ...sound, opacity: Number.NaN },
    { ...sound, opacity: 0 },
    { ...sound, opacity: 0.0039 },
  ];
  for (const one of broken) {
    const { images, gradients } = splat(sceneOf(24, [one, sound]));
    assert.deepEqual(images, expected, JSON.stringify(one));
    for (const gradient of Object.values(gradients)) {
      const ofBroken = Array.from(gradient ?? []).slice(0, (gradient ?? []).length / 2);
      assert.ok(isZero(ofBroken), JSON.stringify(one));
    }
  }
});

test('a scene of nothing but Gaussians that cannot be drawn is empty', () => {
  const { images, gradients } = splat(
    sceneOf(9, [{ mean: [0, 0, 1] }, { opacity: 0 }, { mean: [9, 0, -1] }]),
  );
  assert.ok(isZero(images.features) && isZero(images.alpha));
  assert.ok(Object.values(gradients).every(isZero));
});

test('Gaussians behind the camera or before its near plane are not drawn; just beyond it they are', () => {
  for (const z of [1, 0, -0.009]) {
    const { images } = splat(sceneOf(24, [{ mean: [0, 0, z] }]));
    assert.ok(isZero(images.alpha), `z ${z}`);
  }
  assert.ok(sum(splat(sceneOf(24, [{ mean: [0, 0, -0.011] }])).images.alpha) > 100);
});

test('a Gaussian larger than the image covers all of it, near or far beyond its border', () => {
  const rotation = [1, 0.3, -0.2, 0.1] as const;
  for (const scale of [20, 2000] as const) {
    const ball = splat(sceneOf(40, [{ scale, feature: 2 }])).images;
    assert.ok(Array.from(ball.alpha).every((value) => Math.abs(value - 0.5) < 1e-3));
    const ellipsoid = splat(sceneOf(40, [{ scale: [scale, scale, scale / 2], rotation, feature: 2 }])).images;
    assert.ok(Array.from(ellipsoid.features).every((value) => Math.abs(value - 1) < 5e-3));
  }
  splat(sceneOf(40, [{ mean: [3, -2, -1], scale: 1.5 }]));
});

test('a long thin ellipsoid across the image keeps its digits', () => {
  // 200 px long, half a pixel thick, on the diagonal.
  const rotation = [Math.cos(Math.PI / 8), 0, 0, Math.sin(Math.PI / 8)] as const;
  const { images } = splat(sceneOf(96, [{ scale: [2, 0.005, 0.005], rotation, opacity: 0.8 }]));
  const onLine = Array.from({ length: 96 }, (_, i) => images.alpha[(95 - i) * 96 + i]!);
  assert.ok(
    onLine.every((value) => value > 0.6),
    `${Math.min(...onLine)}`,
  );
});

test('an image of one pixel, one row or one column works', () => {
  const { images } = splat(sceneOf(1, [{ scale: 0.01, opacity: 0.25, feature: 4 }]));
  assert.ok(Math.abs(images.features[0]! - 1) < 1e-6);
  for (const [width, height] of [
    [1, 1],
    [70, 1],
    [1, 70],
    [65, 5],
  ] as const) {
    const scene = sceneOf(64, [{}, { mean: [0.1, 0.1, -1.2] }, { mean: [-0.1, 0.02, -0.9], scale: 0.01 }]);
    splat({ ...scene, camera: frontCamera(width, height, 100) });
  }
});

test('equal depths keep the order of the indices, whatever else lies before and behind', () => {
  const far: Gaussian = { mean: [0, 0, -1.5], feature: 100 };
  const near: Gaussian = { mean: [0, 0, -0.8], opacity: 0.2, feature: 0 };
  const tied = Array.from({ length: 6 }, (_, i): Gaussian => ({ feature: 10 ** (i % 3) }));
  const { images } = splat(sceneOf(17, [far, ...tied, near]));
  const expected = tied.reduce(
    ({ value, light }, { feature = 0 }) => ({ value: value + 0.5 * light * feature, light: 0.5 * light }),
    { value: 0, light: 0.8 },
  );
  const middle = images.features[8 * 17 + 8]!;
  assert.ok(Math.abs(middle - (expected.value + 0.5 * expected.light * 100)) < 1e-4, `${middle}`);
});
