// Between pictures (8-bit, interleaved) and what networks see (float, planar, [-1, 1]).

import { tensor } from '../tensor/index.ts';
import type { PlanarImage, RgbImage } from './image.ts';

/** An 8-bit picture as `3 H W` floats in [-1, 1]. */
export function planarFromImage(image: RgbImage): PlanarImage {
  const area = image.width * image.height;
  const data = new Float32Array(3 * area);
  for (let i = 0; i < area; i++) {
    data[i] = image.data[i * 3]! / 127.5 - 1;
    data[area + i] = image.data[i * 3 + 1]! / 127.5 - 1;
    data[2 * area + i] = image.data[i * 3 + 2]! / 127.5 - 1;
  }
  return tensor(data, [3, image.height, image.width]);
}

/** A `3 H W` float picture in [-1, 1] (values outside are clamped) as 8 bits, rounded to nearest. */
export function imageFromPlanar(planar: PlanarImage): RgbImage {
  const [, height, width] = planar.shape as readonly [number, number, number];
  const area = width * height;
  // A clamped array rounds and clamps by itself.
  const data = new Uint8ClampedArray(3 * area);
  for (let i = 0; i < area; i++) {
    data[i * 3] = (planar.data[i]! + 1) * 127.5;
    data[i * 3 + 1] = (planar.data[area + i]! + 1) * 127.5;
    data[i * 3 + 2] = (planar.data[2 * area + i]! + 1) * 127.5;
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}
