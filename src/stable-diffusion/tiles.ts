// Large pictures in tiles: a network of a fixed size sees them piece by piece, and the pieces are blended where they
// overlap, so that memory does not grow with the picture. The autoencoder's norms and its attention then see a tile
// alone, which costs exactness: docs/paper-scale.md has the measurement.

import { BadInputError } from '../errors/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { tensor, zeros } from '../tensor/index.ts';

/** How a picture is cut. */
export type Tiling = {
  /** Side of a tile, pixels of the input. */
  readonly side: number;
  /** Pixels of the input that neighbours share at least. */
  readonly overlap: number;
  /** Pixels of the output for each of the input: 8 to decode, 1/8 to encode. */
  readonly ratio: number;
  /** Places of tiles are multiples of this, pixels of the input; `1 / ratio` where the output is smaller. */
  readonly step?: number;
};

/**
 * Where tiles begin along an extent: evenly spread, the first at its beginning, the last at its end.
 * @throws BadInputError if a tile does not fit, or tiles would not advance.
 */
export function tileStarts(extent: number, { side, overlap, step = 1 }: Omit<Tiling, 'ratio'>): number[] {
  if (side > extent || (overlap >= side && side < extent) || extent % step !== 0 || side % step !== 0) {
    throw new BadInputError({
      code: 'bad-tiling',
      message: `expected tiles of at most ${extent} pixels that overlap by less, in steps of ${step}, got ${side} and ${overlap}`,
      hint: 'choose smaller tiles, or a smaller overlap',
    });
  }
  const gaps = Math.ceil((extent - side) / (side - overlap));
  return Array.from({ length: gaps + 1 }, (_, i) =>
    gaps === 0 ? 0 : step * Math.round((i * (extent - side)) / gaps / step),
  );
}

/** Maps `1 C H W` through a network for tiles `1 C S S`, blending linearly where tiles overlap. */
export async function mapInTiles(
  picture: Tensor,
  map: (tile: Tensor) => Promise<Tensor>,
  tiling: Tiling,
): Promise<Tensor> {
  const [, , height, width] = picture.shape as [number, number, number, number];
  const { side, ratio } = tiling;
  const [columns, rows] = [tileStarts(width, tiling), tileStarts(height, tiling)];
  const [outWidth, outHeight, outSide] = [width * ratio, height * ratio, side * ratio];
  let out: Tensor | undefined;
  const [across, down] = [shares(columns, outWidth, tiling), shares(rows, outHeight, tiling)];
  for (const [row, top] of rows.entries()) {
    for (const [column, left] of columns.entries()) {
      const mapped = await map(cut(picture, { left, top, side }));
      out ??= zeros([1, mapped.shape[1]!, outHeight, outWidth]);
      const [x0, y0] = [left * ratio, top * ratio];
      for (let c = 0; c < mapped.shape[1]!; c++) {
        for (let y = 0; y < outSide; y++) {
          const target = (c * outHeight + y0 + y) * outWidth + x0;
          const source = (c * outSide + y) * outSide;
          const share = down[row]![y]!;
          for (let x = 0; x < outSide; x++) {
            out.data[target + x]! += share * across[column]![x]! * mapped.data[source + x]!;
          }
        }
      }
    }
  }
  return out!;
}

/** How much of each output pixel along an axis comes from each tile: rising and falling ramps that add up to one. */
function shares(starts: readonly number[], extent: number, { side, ratio }: Tiling): Float32Array[] {
  const length = side * ratio;
  const total = new Float32Array(extent);
  const ramps = starts.map((start, i) => {
    const at = start * ratio;
    const before = i === 0 ? 0 : starts[i - 1]! * ratio + length - at;
    const after = i === starts.length - 1 ? 0 : at + length - starts[i + 1]! * ratio;
    return Float32Array.from({ length }, (_, x) => {
      const rising = before === 0 ? 1 : (x + 0.5) / before;
      const falling = after === 0 ? 1 : (length - x - 0.5) / after;
      const share = Math.min(1, rising, falling);
      total[at + x]! += share;
      return share;
    });
  });
  return ramps.map((ramp, i) => ramp.map((share, x) => share / total[starts[i]! * ratio + x]!));
}

function cut(picture: Tensor, { left, top, side }: { left: number; top: number; side: number }): Tensor {
  const [, channels, height, width] = picture.shape as [number, number, number, number];
  const data = new Float32Array(channels * side * side);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < side; y++) {
      const from = (c * height + top + y) * width + left;
      data.set(picture.data.subarray(from, from + side), (c * side + y) * side);
    }
  }
  return tensor(data, [1, channels, side, side]);
}
