// The gradient of a convolution's kernel by minimal filtering: what row-products.ts does, backwards. The six products are of
// a quarter of the rows, with three places of a kernel instead of nine: half the arithmetic.

import { KERNEL_GRADIENT, volumeConv } from '../operations/convolution.ts';
import { matmul } from '../operations/matrix-products.ts';
import { concat, reshape, transpose } from '../operations/shape.ts';
import { type Lowering, outOfBlocksChannelsLast } from './blocked-convolution.ts';
import { isSuited, OF_FILTER, OF_RESULTS, OF_ROWS, RowProducts } from './row-products.ts';
import { constant, type Value } from './value.ts';

/** Lowers gradients of the kernels that `winogradConvolutions` takes with the same block. */
export function winogradKernelGradients(block: number): Lowering {
  const form = new RowProducts(block);
  return ({ operator, inputs, attributes, outputs }) => {
    if (operator !== KERNEL_GRADIENT) return undefined;
    const [, g, x] = inputs as [Value, Value, Value];
    const { shape } = outputs[0]!;
    if (!isSuited(x, shape, attributes, x.shape[0]!)) return undefined;
    const [outChannels, inChannels] = shape as [number, number];
    const [picture, gradient] = [form.enteredAgain(x), form.entered(g)];
    const products = OF_ROWS.map((ofRows, i) => {
      const rows = outOfBlocksChannelsLast(form.tileRows(picture, ofRows));
      const sums = form.left(form.tileSums(gradient, OF_RESULTS[i]!));
      return reshape(correlation(rows, sums), [1, outChannels * 3 * inChannels]);
    });
    const data = Float32Array.from([0, 1, 2].flatMap((row) => OF_FILTER.map((factors) => factors[row]!)));
    const mixture = constant({ dtype: 'float32', shape: [3, OF_FILTER.length], data });
    const byRow = reshape(matmul(mixture, concat(products, 0)), [3, outChannels, 3, inChannels]);
    return transpose(byRow, [1, 3, 0, 2]);
  };
}

/** Along the width, summed over rows and pictures: `B H W i` with `B o H W` to `[o, 3, i]`. */
function correlation(x: Value, g: Value): Value {
  const [batch, height, width, inChannels] = x.shape as [number, number, number, number];
  const outChannels = g.shape[1]!;
  const rows = batch * height;
  const volume = reshape(x, [1, 1, rows, width, inChannels]);
  const kernel = reshape(transpose(g, [1, 0, 2, 3]), [outChannels, 1, rows, width, 1]);
  return volumeConv(volume, kernel, { extents: [1, 3], padding: [0, 1, 0, 1], stride: 1, groups: 1 });
}
