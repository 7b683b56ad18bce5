// Images and gradients against what PyTorch's autograd gives through gsplat's own projection; the files are
// written by bench/peers/splatting.py, which states the compositing.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { SplatGradients, SplatScene } from '../../src/gaussians/index.ts';
import { Splatter, splatReference, splatReferenceBackward } from '../../src/gaussians/index.ts';
import { decodeSafetensors, tensor } from '../../src/tensor/index.ts';
import { relativeDifference } from './random-scenes.ts';

const FOLDER = new URL('./goldens/', import.meta.url);
const TOLERANCE = 1e-4;
const ARRAYS = ['means', 'scales', 'rotations', 'opacities', 'features'] as const;

type Golden = {
  readonly scene: SplatScene;
  readonly images: { readonly features: Float32Array; readonly alpha: Float32Array };
  readonly gradients: SplatGradients;
  readonly finishedPixels: number;
};

async function readGolden(name: string): Promise<Golden> {
  const { tensors, metadata } = decodeSafetensors(await readFile(new URL(name, FOLDER)), name);
  const floats = (key: string): Float32Array | undefined => {
    const found = tensors[key];
    return found && Float32Array.from(found.data as Float32Array);
  };
  const arraysOf = (prefix: string): SplatGradients => {
    const [means, scales, rotations, opacities, features] = ARRAYS.map((key) => floats(`${prefix}.${key}`));
    return { means: means!, scales: scales!, rotations, opacities: opacities!, features: features! };
  };
  const { rotation, translation, focal, centre, width, height } = JSON.parse(metadata.camera!);
  return {
    scene: {
      camera: {
        ...{ width, height, focalXPx: focal[0], focalYPx: focal[1] },
        ...{ centreXPx: centre[0], centreYPx: centre[1], cameraFromWorld: { rotation, translation } },
      },
      channels: tensors['scene.features']!.shape[1]!,
      ...arraysOf('scene'),
    },
    images: { features: floats('image.features')!, alpha: floats('image.alpha')! },
    gradients: arraysOf('gradient'),
    finishedPixels: Number(metadata.finishedPixels),
  };
}

/** The largest relative difference of each array to the golden, by name. */
function differences(
  golden: Golden,
  images: { readonly features: ArrayLike<number>; readonly alpha: ArrayLike<number> },
  gradients: { readonly [Name in (typeof ARRAYS)[number]]?: ArrayLike<number> | undefined },
): Record<string, number> {
  return {
    image: relativeDifference(images.features, golden.images.features),
    alpha: relativeDifference(images.alpha, golden.images.alpha),
    ...Object.fromEntries(
      ARRAYS.map((key) => [key, relativeDifference(gradients[key] ?? [], golden.gradients[key] ?? [])]),
    ),
  };
}

const goldens = await Promise.all(
  (await readdir(FOLDER)).map(async (name) => ({
    name: name.replace('.safetensors', ''),
    golden: await readGolden(name),
  })),
);

for (const { name, golden } of goldens) {
  const { scene, images } = golden;
  const { width, height } = scene.camera;
  // The loss of bench/peers/splatting.py.
  const features = images.features.map((_, i) => Math.sin(1 + 0.37 * i));
  const alpha = images.alpha.map((_, i) => Math.cos(0.5 + 0.41 * i));

  test(`the reference agrees with gsplat's projection and PyTorch's gradients: ${name}`, () => {
    const gradients = splatReferenceBackward(scene, { features, alpha });
    const found = differences(golden, splatReference(scene), gradients);
    assert.ok(
      Object.values(found).every((value) => value <= TOLERANCE),
      JSON.stringify(found),
    );
  });

  test(`the kernel agrees with gsplat's projection and PyTorch's gradients: ${name}`, () => {
    const splatter = new Splatter();
    const splatted = splatter.forward(scene);
    const gradients = splatter.backward({
      features: tensor(features, [scene.channels, height, width]),
      alpha: tensor(alpha, [height, width]),
    });
    const actual = { features: splatted.features.data, alpha: splatted.alpha.data };
    const found = differences(golden, actual, gradients);
    assert.ok(
      Object.values(found).every((value) => value <= TOLERANCE),
      JSON.stringify(found),
    );
  });
}

test('the goldens cover 1, 3, 8, 12 and 32 channels, balls and ellipsoids, and pixels that end early', () => {
  const scenes = goldens.map(({ golden }) => golden);
  assert.deepEqual(new Set(scenes.map(({ scene }) => scene.channels)), new Set([1, 3, 8, 12, 32]));
  assert.equal(new Set(scenes.map(({ scene }) => scene.rotations === undefined)).size, 2);
  assert.ok(scenes.some(({ finishedPixels }) => finishedPixels > 50));
});
