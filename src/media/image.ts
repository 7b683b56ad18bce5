// Pictures in memory: 8-bit RGB as files and videos have it, and planar float RGB as networks want it.

import type { Tensor } from '../tensor/index.ts';

/** An 8-bit sRGB picture; `data` is `H W 3`, row 0 at the top. */
export type RgbImage = {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
};

/** A planar float picture `3 H W` with sRGB values in [-1, 1]: what networks take and give. */
export type PlanarImage = Tensor<'C H W'>;
