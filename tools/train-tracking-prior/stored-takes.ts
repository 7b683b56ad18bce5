// Rendered takes as clips for the tracker, kept in a folder: rendering costs far more than tracking them.

import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HeadParameters } from '../../src/head/index.ts';
import type { RgbImage } from '../../src/media/index.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/tensor/index.ts';
import type { Take } from './rendered-takes.ts';

/** A take with all its pictures in memory. */
export type StoredTake = {
  readonly focalPx: number;
  readonly images: readonly RgbImage[];
  readonly truths: readonly HeadParameters[];
};

/** The take of a file, or else rendered and, if a file is named, kept there. */
export async function storedTake(path: string | null, render: () => Take): Promise<StoredTake> {
  if (path !== null && existsSync(path)) return decode(new Uint8Array(await readFile(path)));
  const { focalPx, frames } = render();
  const all = [...frames];
  const take = { focalPx, images: all.map((f) => f.image), truths: all.map((f) => f.parameters) };
  if (path !== null) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, encode(take));
    await rename(`${path}.part`, path);
  }
  return take;
}

const FIELDS = ['identity', 'expression', 'jointRotations', 'translation'] as const;

function encode({ focalPx, images, truths }: StoredTake): Uint8Array<ArrayBuffer> {
  const { width, height } = images[0]!;
  const pixels = new Uint8Array(images.length * width * height * 3);
  for (const [i, image] of images.entries()) pixels.set(image.data, i * width * height * 3);
  const rows = FIELDS.map((field) => {
    const length = truths[0]![field].length;
    const data = new Float32Array(truths.length * length);
    for (const [i, truth] of truths.entries()) data.set(truth[field], i * length);
    return [field, { dtype: 'float32', shape: [truths.length, length], data }] as const;
  });
  const shape = [images.length, height, width, 3];
  return encodeSafetensors({
    metadata: { focalPx: String(focalPx) },
    tensors: { pixels: { dtype: 'uint8', shape, data: pixels }, ...Object.fromEntries(rows) },
  });
}

function decode(bytes: Uint8Array): StoredTake {
  const { metadata, tensors } = decodeSafetensors(bytes);
  const { shape, data } = tensors.pixels!;
  const [count, height, width] = shape as [number, number, number];
  const row = (all: ArrayLike<number>, i: number): Float32Array => {
    const length = all.length / count;
    return Float32Array.from({ length }, (_, k) => all[i * length + k]!);
  };
  const size = width * height * 3;
  return {
    focalPx: Number(metadata.focalPx),
    images: Array.from({ length: count }, (_, i) => ({
      width,
      height,
      data: (data as Uint8Array).subarray(i * size, (i + 1) * size),
    })),
    truths: Array.from({ length: count }, (_, i) => {
      const field = (name: (typeof FIELDS)[number]): Float32Array =>
        row(tensors[name]!.data as Float32Array, i);
      return {
        identity: field('identity'),
        expression: field('expression'),
        jointRotations: field('jointRotations'),
        translation: field('translation'),
      };
    }),
  };
}
