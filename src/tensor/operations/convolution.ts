// Two-dimensional convolution and its gradients. ONNX has no gradient of a convolution: that of the input is a
// convolution with the mirrored kernel, that of the weight a product of matrices per kernel position.
// Strided ones are first written as stride 1 over space-to-depth, which has the same values.

import { pullBack } from '../graph/gradients.ts';
import { applyOne, type GraphNode, graphError, type Operator, type Value } from '../graph/value.ts';
import { gemm, matmul } from './matrix-products.ts';
import { sum } from './reductions.ts';
import { concat, expectFourAxes, pad2d, reshape, reverse, slice, transpose } from './shape.ts';

/** Bias `[o]`, step, zeros around (`[top, left, bottom, right]` or one number), groups of channels. */
export type Conv2dOptions = {
  readonly bias?: Value | undefined;
  readonly stride?: number;
  readonly padding?: number | Sides;
  readonly groups?: number;
};

type Sides = readonly [top: number, left: number, bottom: number, right: number];
type Geometry = { readonly stride: number; readonly padding: Sides; readonly groups: number };

const CONV: Operator = {
  type: 'Conv',
  gradient: (node, [g]) => {
    const [x, weight] = node.inputs as [Value, Value];
    const geometry = geometryOf(node);
    const [toX, toWeight] =
      geometry.stride === 1
        ? [inputGradient(g!, x, weight, geometry), weightGradient(g!, x, weight, geometry)]
        : pullBack(asUnitStride(x, weight, geometry), g!, [x, weight]);
    return [toX, toWeight, sum(g!, { axes: [0, 2, 3] })];
  },
};

/** `B i H W` with a weight `[o, i / groups, kh, kw]` to `B o H' W'` (cross-correlation, as everywhere). */
export function conv2d(x: Value, weight: Value, options: Conv2dOptions = {}): Value {
  const { bias, stride = 1, padding = 0, groups = 1 } = options;
  const sides: Sides = typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
  const [batch, channels, height, width] = expectFourAxes(x, 'conv2d');
  const [outputs, channelsPerGroup, kernelHeight, kernelWidth] = expectFourAxes(weight, 'conv2d (weight)');
  if (channels !== channelsPerGroup * groups || outputs % groups !== 0) {
    throw graphError(
      `conv2d expected a weight for ${channels} channels in ${groups} groups, got [${weight.shape}]`,
    );
  }
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== outputs)) {
    throw graphError(`conv2d expected a bias [${outputs}], got [${bias.shape}]`);
  }
  const [top, left, bottom, right] = sides;
  const outHeight = Math.floor((height + top + bottom - kernelHeight) / stride) + 1;
  const outWidth = Math.floor((width + left + right - kernelWidth) / stride) + 1;
  if (outHeight < 1 || outWidth < 1) {
    throw graphError(
      `conv2d expected a padded picture at least as large as the kernel, got [${x.shape}] and [${weight.shape}]`,
    );
  }
  const inputs = bias === undefined ? [x, weight] : [x, weight, bias];
  return applyOne(CONV, inputs, [batch, outputs, outHeight, outWidth], {
    strides: [stride, stride],
    pads: [...sides],
    group: groups,
    kernel_shape: [kernelHeight, kernelWidth],
  });
}

/** The gradient of a unit-stride convolution's input: a convolution with the mirrored, transposed kernel. */
function inputGradient(g: Value, x: Value, weight: Value, { padding, groups }: Geometry): Value {
  const [outputs, channelsPerGroup, kernelHeight, kernelWidth] = expectFourAxes(weight, 'conv2d');
  const grouped = reshape(weight, [groups, outputs / groups, channelsPerGroup, kernelHeight * kernelWidth]);
  const mirrored = reshape(transpose(reverse(grouped, 3), [0, 2, 1, 3]), [
    groups * channelsPerGroup,
    outputs / groups,
    kernelHeight,
    kernelWidth,
  ]);
  const [top, left, bottom, right] = padding;
  const around: Sides = [
    kernelHeight - 1 - top,
    kernelWidth - 1 - left,
    kernelHeight - 1 - bottom,
    kernelWidth - 1 - right,
  ];
  if (around.every((n) => n >= 0)) return conv2d(g, mirrored, { padding: around, groups });
  // More padding than the kernel is wide: the gradient of the padding itself is cut away afterwards.
  const whole = conv2d(g, mirrored, {
    padding: [kernelHeight - 1, kernelWidth - 1, kernelHeight - 1, kernelWidth - 1],
    groups,
  });
  const cut = pad2d(whole, { top: -top, left: -left, bottom: -bottom, right: -right });
  return reshape(cut, x.shape);
}

/** The gradient of a unit-stride convolution's weight: one product over all pixels per kernel position. */
function weightGradient(g: Value, x: Value, weight: Value, { padding, groups }: Geometry): Value {
  const [outputs, channelsPerGroup, kernelHeight, kernelWidth] = expectFourAxes(weight, 'conv2d');
  const [batch, , outHeight, outWidth] = expectFourAxes(g, 'conv2d');
  const [top, left, bottom, right] = padding;
  const padded = channelsFirst(pad2d(x, { top, left, bottom, right }));
  const pixels = batch * outHeight * outWidth;
  const rows = channelsFirst(g);
  const positions: Value[] = [];
  for (let row = 0; row < kernelHeight; row++) {
    const band = slice(padded, { axis: 2, start: row, end: row + outHeight });
    for (let column = 0; column < kernelWidth; column++) {
      const shifted = slice(band, { axis: 3, start: column, end: column + outWidth });
      positions.push(
        groups === 1
          ? reshape(
              gemm(reshape(rows, [outputs, pixels]), reshape(shifted, [channelsPerGroup, pixels]), {
                transposeB: true,
              }),
              [outputs, channelsPerGroup, 1],
            )
          : reshape(
              matmul(
                reshape(rows, [groups, outputs / groups, pixels]),
                transpose(reshape(shifted, [groups, channelsPerGroup, pixels]), [0, 2, 1]),
              ),
              [outputs, channelsPerGroup, 1],
            ),
      );
    }
  }
  return reshape(concat(positions, 2), weight.shape);
}

/** The same convolution with stride 1, over blocks of stride x stride pixels as channels. */
function asUnitStride(
  x: Value,
  weight: Value,
  { stride, padding: [top, left, bottom, right], groups }: Geometry,
): Value {
  const [, , height, width] = expectFourAxes(x, 'conv2d');
  const [, , kernelHeight, kernelWidth] = expectFourAxes(weight, 'conv2d');
  const kernelRows = Math.ceil(kernelHeight / stride);
  const kernelColumns = Math.ceil(kernelWidth / stride);
  const outHeight = Math.floor((height + top + bottom - kernelHeight) / stride) + 1;
  const outWidth = Math.floor((width + left + right - kernelWidth) / stride) + 1;
  const picture = pad2d(x, {
    top,
    left,
    bottom: (outHeight - 1 + kernelRows) * stride - height - top,
    right: (outWidth - 1 + kernelColumns) * stride - width - left,
  });
  const kernel = pad2d(weight, {
    bottom: kernelRows * stride - kernelHeight,
    right: kernelColumns * stride - kernelWidth,
  });
  return conv2d(blocksToChannels(picture, stride), blocksToChannels(kernel, stride), { groups });
}

/** `B C H W` to `B C·b² H/b W/b`, the block's pixels being the inner part of the channels (so groups stay whole). */
function blocksToChannels(x: Value, block: number): Value {
  const [batch, channels, height, width] = expectFourAxes(x, 'conv2d');
  const blocks = reshape(x, [batch, channels, height / block, block, width / block, block]);
  const shape = [batch, channels * block ** 2, height / block, width / block];
  return reshape(transpose(blocks, [0, 1, 3, 5, 2, 4]), shape);
}

/** `B C H W` to `C B H W`: no work for a batch of one. */
function channelsFirst(x: Value): Value {
  return transpose(x, [1, 0, 2, 3]);
}

function geometryOf({ attributes }: GraphNode): Geometry {
  const [stride] = attributes.strides as readonly number[];
  return {
    stride: stride!,
    padding: attributes.pads as unknown as Sides,
    groups: attributes.group as number,
  };
}
