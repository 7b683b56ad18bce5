// Perceptual distances: how far the activations of a network differ between two pictures, layer by layer.
// Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", 2018 (LPIPS):
// unit-length channel vectors, squared differences weighted by channel, the mean over places, the sum over layers.

import type { RgbImage } from '../media/index.ts';
import type { Tensor } from '../tensor/index.ts';
import type { Region } from './image-metrics.ts';

/** What a network makes of a picture: one map `C H W` a layer, the largest first. */
export type FeatureMaps = readonly Tensor<'C H W'>[];

/** A network cut off before its answer. Owns a session: dispose of it, or hold it with `await using`. */
export type FeatureTrunk = {
  features(image: RgbImage): Promise<FeatureMaps>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Where a distance is taken. */
export type FeatureRegion = { readonly region: Region; readonly width: number; readonly height: number };

const EPSILON = 1e-10;

/**
 * The distance of two pictures' features.
 * @param channelWeights `C` weights a layer
 * @param where each place of a layer counts by the share of its pixels inside; without it all count alike
 */
export function featureDistance(
  a: FeatureMaps,
  b: FeatureMaps,
  channelWeights: readonly Float32Array[],
  where?: FeatureRegion,
): number {
  return a.reduce((sum, layer, i) => sum + layerDistance(layer, b[i]!, channelWeights[i]!, where), 0);
}

/** Weights that take all channels and layers alike: the distance is then 0 to 4. */
export function evenWeights(maps: FeatureMaps): Float32Array[] {
  return maps.map(({ shape }) => new Float32Array(shape[0]!).fill(1 / maps.length));
}

function layerDistance(
  { data: a, shape }: Tensor<'C H W'>,
  { data: b }: Tensor<'C H W'>,
  weights: Float32Array,
  where: FeatureRegion | undefined,
): number {
  const [channels, height, width] = shape as [number, number, number];
  const places = height * width;
  const shares = where === undefined ? null : sharesInside(where, width, height);
  let [total, counted] = [0, 0];
  for (let place = 0; place < places; place++) {
    const share = shares === null ? 1 : shares[place]!;
    if (share === 0) continue;
    let [squaresA, squaresB] = [0, 0];
    for (let at = place; at < channels * places; at += places) {
      squaresA += a[at]! * a[at]!;
      squaresB += b[at]! * b[at]!;
    }
    const [scaleA, scaleB] = [1 / (Math.sqrt(squaresA) + EPSILON), 1 / (Math.sqrt(squaresB) + EPSILON)];
    let distance = 0;
    for (let c = 0, at = place; c < channels; c++, at += places) {
      const difference = a[at]! * scaleA - b[at]! * scaleB;
      distance += weights[c]! * difference * difference;
    }
    total += share * distance;
    counted += share;
  }
  return total / counted;
}

/** The share of the region in each cell of a coarser grid; pixels belong to the cell of their centre. */
function sharesInside({ region, width, height }: FeatureRegion, columns: number, rows: number): Float64Array {
  const inside = new Float64Array(columns * rows);
  const all = new Float64Array(columns * rows);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * rows) / height) * columns;
    for (let x = 0; x < width; x++) {
      const cell = row + Math.floor(((x + 0.5) * columns) / width);
      all[cell]!++;
      if (region[y * width + x]! > 0) inside[cell]!++;
    }
  }
  // Where the grid is finer than the pixels, some cells have none.
  return inside.map((count, cell) => (all[cell] === 0 ? 0 : count / all[cell]!));
}
