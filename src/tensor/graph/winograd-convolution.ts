// Convolutions by minimal filtering: four rows of a 3 x 3 convolution's results from six products of rows with filters of
// one row, where they take twelve: half the arithmetic, in fp32 about 4e-7 off (root mean square, by that of the results).
// Along the width nothing changes, so that vectors stay whole in the CPU's blocked layout. Filters are twice the weights.
// Sources: Winograd, "Arithmetic Complexity of Computations", 1980, chapter IV: F(4, 3); its matrices at the points 0, 1,
// -1, 2, -2 as in Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016.

import { add } from '../operations/elementwise.ts';
import { matmul } from '../operations/matrix-products.ts';
import { concat, reshape, split, transpose } from '../operations/shape.ts';
import { BLOCKED_CONV, type Lowering, REORDER_INPUT, REORDER_OUTPUT } from './blocked-convolution.ts';
import { applyOne, constant, type Operator, type Value } from './value.ts';

const CONV: Operator = { type: 'Conv' };

const ROWS_A_TILE = 4;
/** What each of the six products takes of a tile's six rows of the padded picture. */
const OF_ROWS = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
] as const;
/** What it takes of a filter's three rows. */
const OF_FILTER = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
] as const;

// Of fewer, what else is done to rows takes as long as the products save (measured: docs/training.md, docs/weights.md).
// Where weights stay, pixels are those of one picture: filters of small ones would take more memory than they are worth.
const [MIN_CHANNELS, MIN_PIXELS] = [48, 1024];
/** Both widths of the CPU's blocks divide it. */
const CHANNELS_STEP = 16;

/**
 * Lowers 3 x 3 convolutions, one pixel of zeros around, of many channels and pixels.
 * @param block for weights that are fed: of the blocked layout, in which all is then written. Without it weights should
 *   stay: the runtime computes filters of them and takes all to that layout when it opens the model.
 */
export function winogradConvolutions(block?: number): Lowering {
  const form = new RowProducts(block);
  return ({ operator, inputs, attributes, outputs }) => {
    const [x, weight, bias] = inputs as [Value, Value, Value?];
    if (operator.type !== 'Conv' || operator.domain !== undefined || !isSuited(x, weight, attributes))
      return undefined;
    const pictures = block === undefined ? 1 : x.shape[0]!;
    if (pictures * x.shape[2]! * x.shape[3]! < MIN_PIXELS) return undefined;
    const filters = form.filters(weight);
    const entered = form.entered(x);
    const product = (i: number, addends: Addends = {}): Value =>
      form.product(form.tileRows(entered, OF_ROWS[i]!), filters[i]!, addends);
    // The bias reaches all four rows as it is by the product at the point 1.
    const [one, minusOne, two, minusTwo] = [product(1, { bias }), product(2), product(3), product(4)];
    // Sums by way of differences, which take the place of one operand: so no more than five of these live at a time.
    const difference = form.scaledPlus(-1, minusOne, one);
    const outerDifference = form.scaledPlus(-1, minusTwo, two);
    const sum = form.scaledPlus(2, minusOne, difference);
    const outerSum = form.scaledPlus(2, minusTwo, outerDifference);
    const rows = [
      product(0, { other: add(sum, outerSum) }),
      form.scaledPlus(2, outerDifference, difference),
      form.scaledPlus(4, outerSum, sum),
      product(5, { other: form.scaledPlus(8, outerDifference, difference) }),
    ];
    // Side by side, a tile's rows follow each other.
    const left = rows.map((row) => form.left(row));
    return reshape(concat(left, 3), outputs[0]!.shape);
  };
}

function isSuited(x: Value, weight: Value, { group, strides, pads }: Record<string, unknown>): boolean {
  const [outChannels, inChannels, ...kernel] = weight.shape as [number, number, ...number[]];
  const isSame = `${[kernel, strides, pads, group]}` === '3,3,1,1,1,1,1,1,1';
  if (!isSame || outChannels % CHANNELS_STEP !== 0 || inChannels % CHANNELS_STEP !== 0) return false;
  return Math.min(outChannels, inChannels) >= MIN_CHANNELS && x.shape[2]! % ROWS_A_TILE === 0;
}

/** What is added to a convolution: by channel, and value by value. */
type Addends = { readonly bias?: Value | undefined; readonly other?: Value };
type Sides = readonly [above: number, left: number, below: number, right: number];
type Geometry = { readonly pads: Sides; readonly step?: number; readonly group?: number };

/** The parts that the algorithm is made of, in ONNX's operators or in those of a blocked layout. */
class RowProducts {
  readonly #block: number | undefined;
  readonly #constants = new Map<string, Value>();

  constructor(block: number | undefined) {
    this.#block = block;
  }

  /** A picture as the parts take it. */
  entered(x: Value): Value {
    return this.#block === undefined ? x : applyOne(REORDER_INPUT, [x], x.shape, { channels_last: 0 });
  }

  /** What they give, as a picture. */
  left(x: Value): Value {
    if (this.#block === undefined) return x;
    return applyOne(REORDER_OUTPUT, [x], x.shape, { channels: x.shape[1]!, channels_last: 0 });
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
    const blocks = [outChannels / block, block, inChannels / block, block, 3, 3];
    const byRow = transpose(reshape(weight, blocks), [4, 0, 2, 5, 3, 1]);
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
