// Convolutions by minimal filtering (row-products.ts). Filters are twice the weights.

import { add } from '../operations/elementwise.ts';
import { concat, reshape } from '../operations/shape.ts';
import type { Lowering } from './blocked-convolution.ts';
import { type Addends, isSuited, OF_ROWS, RowProducts } from './row-products.ts';
import type { Value } from './value.ts';

/**
 * Lowers 3 x 3 convolutions, one pixel of zeros around, of many channels and pixels.
 * @param block for weights that are fed: of the blocked layout, in which all is then written. Without it weights should
 *   stay: the runtime computes filters of them and takes all to that layout when it opens the model.
 */
export function winogradConvolutions(block?: number): Lowering {
  const form = new RowProducts(block);
  return ({ operator, inputs, attributes, outputs }) => {
    const [x, weight, bias] = inputs as [Value, Value, Value?];
    if (operator.type !== 'Conv' || operator.domain !== undefined) return undefined;
    const pictures = block === undefined ? 1 : x.shape[0]!;
    if (!isSuited(x, weight.shape, attributes, pictures)) return undefined;
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
