// What minimal filtering along the rows is made of: four rows of a 3 x 3 convolution's results from six products of rows with
// filters of one row, where they take twelve: half the arithmetic, in fp32 about 4e-7 off (root mean square, by that of the results).
// Along the width nothing changes, so that vectors stay whole in the CPU's blocked layout.
// Sources: Winograd, "Arithmetic Complexity of Computations", 1980, chapter IV: F(4, 3); its matrices at the points 0, 1,
// -1, 2, -2 as in Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016.

import { add } from '../operations/elementwise.ts';
import { matmul } from '../operations/matrix-products.ts';
import { reshape, split, transpose } from '../operations/shape.ts';
import { BLOCKED_CONV, intoBlocks, outOfBlocks, outputsInBlocks } from './blocked-convolution.ts';
import { type Attributes, applyOne, constant, type Operator, type Value } from './value.ts';

const CONV: Operator = { type: 'Conv' };

const ROWS_A_TILE = 4;
/** What each of the six products takes of a tile's six rows of the padded picture. */
export const OF_ROWS: readonly (readonly number[])[] = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
/** What it gives to a tile's four results. */
export const OF_RESULTS: readonly (readonly number[])[] = [
  [1, 0, 0, 0],
  [1, 1, 1, 1],
  [1, -1, 1, -1],
  [1, 2, 4, 8],
  [1, -2, 4, -8],
  [0, 0, 0, 1],
];
/** What it takes of a filter's three rows. */
export const OF_FILTER: readonly (readonly number[])[] = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];

// Of fewer, what else is done to rows takes as long as the products save (measured: docs/training.md, docs/weights.md).
// Where weights stay, pixels are those of one picture: filters of small ones would take more memory than they are worth.
const [MIN_CHANNELS, MIN_PIXELS] = [48, 1024];
/** Both widths of the CPU's blocks divide it. */
const CHANNELS_STEP = 16;

/**
 * Whether a convolution gains by it: 3 x 3, one pixel of zeros around, of many channels and pixels.
 * @param pictures whose pixels count: all where weights are fed
 */
export function isSuited(
  x: Value,
  kernel: readonly number[],
  geometry: Attributes,
  pictures: number,
): boolean {
  const { group, strides, pads } = geometry;
  const [outChannels, inChannels, ...extents] = kernel as [number, number, ...number[]];
  const [, , height, width] = x.shape as [number, number, number, number];
  const isSame = `${[extents, strides, pads, group]}` === '3,3,1,1,1,1,1,1,1';
  if (!isSame || outChannels % CHANNELS_STEP !== 0 || inChannels % CHANNELS_STEP !== 0) return false;
  if (height % ROWS_A_TILE !== 0 || pictures * height * width < MIN_PIXELS) return false;
  return Math.min(outChannels, inChannels) >= MIN_CHANNELS;
}

/** What is added to a convolution: by channel, and value by value. */
export type Addends = { readonly bias?: Value | undefined; readonly other?: Value };
type Sides = readonly [above: number, left: number, below: number, right: number];
type Geometry = { readonly pads: Sides; readonly step?: number; readonly group?: number };

/** The parts that the algorithm is made of, in ONNX's operators or in those of a blocked layout. */
export class RowProducts {
  readonly #block: number | undefined;
  readonly #constants = new Map<string, Value>();

  constructor(block: number | undefined) {
    this.#block = block;
  }

  /** A picture as the parts take it. */
  entered(x: Value): Value {
    return this.#block === undefined ? x : intoBlocks(x);
  }

  /** The same, where another's would be kept until then: equal subexpressions are computed once. */
  enteredAgain(x: Value): Value {
    const [batch, channels, height, width] = x.shape as [number, number, number, number];
    return reshape(this.entered(reshape(x, [batch, channels, height * width, 1])), x.shape);
  }

  /** What they give, as a picture. */
  left(x: Value): Value {
    return this.#block === undefined ? x : outOfBlocks(x);
  }

  /** Six of `[o, i, 1, 3]`. */
  filters(weight: Value): readonly Value[] {
    const [outChannels, inChannels] = weight.shape as [number, number];
    const block = this.#block;
    if (block === undefined) {
      // Each by itself: whoever opens a model holds what lies between until all is done.
      const kernels = reshape(weight, [outChannels, inChannels, 1, 9]);
      return OF_FILTER.map((factors) => matmul(kernels, mixtureOf(factors)));
    }
    const byRow = transpose(outputsInBlocks(weight, block), [3, 0, 1, 4, 2, 5]);
    const data = Float32Array.from(OF_FILTER.flat());
    const mixture = constant({ dtype: 'float32', shape: [OF_FILTER.length, 3], data });
    const mixed = matmul(mixture, reshape(byRow, [3, outChannels * inChannels * 3]));
    const filters = reshape(mixed, [OF_FILTER.length * outChannels, inChannels, 1, 3]);
    return split(filters, { axis: 0, sizes: OF_FILTER.map(() => outChannels) });
  }

  /** What one product takes of all tiles, each of which begins one row above the four that it gives. */
  tileRows(x: Value, factors: readonly number[]): Value {
    const first = factors[0] === 0 ? 1 : 0;
    const used = factors.slice(first, factors.findLastIndex((factor) => factor !== 0) + 1);
    const below = first + used.length > ROWS_A_TILE + 1 ? 1 : 0;
    const channels = x.shape[1]!;
    const geometry: Geometry = { pads: [1 - first, 0, below, 0], step: ROWS_A_TILE, group: channels };
    return this.#convolved([x, this.#column(channels, used)], geometry);
  }

  /** The other way: what one product gets of the gradients of all tiles' four results. */
  tileSums(g: Value, factors: readonly number[]): Value {
    const channels = g.shape[1]!;
    const geometry: Geometry = { pads: [0, 0, 0, 0], step: ROWS_A_TILE, group: channels };
    return this.#convolved([g, this.#column(channels, factors)], geometry);
  }

  product(rows: Value, filter: Value, addends: Addends): Value {
    return this.#convolved([rows, filter], { pads: [0, 1, 0, 1] }, addends);
  }

  /** `factor * x + y`: the runtime adds while it scales. */
  scaledPlus(factor: number, x: Value, y: Value): Value {
    const channels = x.shape[1]!;
    return this.#convolved(
      [x, this.#column(channels, [factor])],
      { pads: [0, 0, 0, 0], group: channels },
      { other: y },
    );
  }

  #convolved(
    [x, filter]: readonly [Value, Value],
    { pads, step = 1, group = 1 }: Geometry,
    { bias, other }: Addends = {},
  ): Value {
    const [outChannels, , ...kernel] = filter.shape as [number, number, ...number[]];
    const [batch, , height, width] = x.shape as [number, number, number, number];
    const shape = [batch, outChannels, height / step, width];
    const attributes = { strides: [step, 1], pads, group, kernel_shape: kernel };
    const operands = bias === undefined ? [x, filter] : [x, filter, bias];
    if (this.#block === undefined) {
      const y = applyOne(CONV, operands, shape, attributes);
      return other === undefined ? y : add(y, other);
    }
    if (other !== undefined)
      operands.push(...(bias === undefined ? [this.#constant([outChannels], [0])] : []), other);
    return applyOne(BLOCKED_CONV, operands, shape, { ...attributes, dilations: [1, 1] });
  }

  /** A filter `[C, 1, n, 1]`, in blocks `C/b n b`: the same factors for each channel. */
  #column(channels: number, factors: readonly number[]): Value {
    return this.#constant([channels, 1, factors.length, 1], factors);
  }

  /** Of one place in a model for all that are equal. */
  #constant(shape: readonly number[], factors: readonly number[]): Value {
    const key = `${shape}:${factors}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const [count, block] = [factors.length, this.#block ?? 1];
    const data = Float32Array.from(
      { length: shape[0]! * count },
      (_, i) => factors[Math.floor(i / block) % count]!,
    );
    const made = constant({ dtype: 'float32', shape, data });
    this.#constants.set(key, made);
    return made;
  }
}

/** `[9, 3]`: a kernel's nine values to one row, its rows by their factors. */
function mixtureOf(factors: readonly number[]): Value {
  const data = new Float32Array(27);
  for (let i = 0; i < 9; i++) data[3 * i + (i % 3)] = factors[Math.floor(i / 3)]!;
  return constant({ dtype: 'float32', shape: [9, 3], data });
}
