// What PyTorch's autograd gives through gsplat's own projection, for every form of the splatting to be held
// against; the files are written by bench/peers/splatting.py, which states the compositing.

import { readdir, readFile } from 'node:fs/promises';
import type { SplatGradients, SplatScene } from '../../src/gaussians/index.ts';
import { decodeSafetensors } from '../../src/tensor/index.ts';
import { relativeDifference } from './random-scenes.ts';

const FOLDER = new URL('./goldens/', import.meta.url);
const ARRAYS = ['means', 'scales', 'rotations', 'opacities', 'features'] as const;

/** A scene, what it must look like, and the gradients of `gradientOf`. */
export type Golden = {
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

/** The gradient of the loss of bench/peers/splatting.py with respect to the images. */
export function gradientOf({ images }: Golden): { features: Float32Array; alpha: Float32Array } {
  return {
    features: images.features.map((_, i) => Math.sin(1 + 0.37 * i)),
    alpha: images.alpha.map((_, i) => Math.cos(0.5 + 0.41 * i)),
  };
}

/** The largest relative difference of each array to the golden, by name. */
export function differences(
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

/** All goldens, by the names of their files. */
export const goldens: readonly { readonly name: string; readonly golden: Golden }[] = await Promise.all(
  (await readdir(FOLDER)).map(async (name) => ({
    name: name.replace('.safetensors', ''),
    golden: await readGolden(name),
  })),
);
