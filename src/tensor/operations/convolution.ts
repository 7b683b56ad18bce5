// Two-dimensional convolution and its gradients, in the forms that ONNX Runtime's CPU runs fastest
// (measured by `bench:training`). ONNX has no operator for them, but both are convolutions again.

import { applyOne, constant, type GraphNode, graphError, type Operator, type Value } from '../graph/value.ts';
import { matmul, swapLastAxes } from './matrix-products.ts';
import { sum } from './reductions.ts';
import { expectFourAxes, pad2d, reshape, transpose } from './shape.ts';

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
    return [
      inputGradient(g!, x, weight, geometry),
      weightGradient(g!, x, weight, geometry),
      sum(g!, { axes: [0, 2, 3] }),
    ];
  },
};

const CONV_TRANSPOSE: Operator = {
  type: 'ConvTranspose',
  gradient: (node, [g]) => {
    const [x, weight] = node.inputs as [Value, Value];
    const geometry = geometryOf(node);
    const { stride, padding, groups } = geometry;
    const [, , height, width] = expectFourAxes(x, 'conv2d');
    const toX = conv2d(g!, weight, { stride, padding, groups });
    // Rows and columns that `output_padding` adds reach nothing.
    const used = pad2d(toX, { bottom: height - toX.shape[2]!, right: width - toX.shape[3]! });
    return [used, weightGradient(x, g!, weight, geometry)];
  },
};

const VOLUME_CONV: Operator = { type: 'Conv' };

/** Stands for its first input, which is computed of the other two: the output's gradient, and the picture. */
export const KERNEL_GRADIENT: Operator = {
  type: 'ConvKernelGradient',
  isAlias: true,
  gradient: () => {
    throw graphError(
      'the gradient of a convolution kernel has no gradient of its own',
      'use stopGradient on it',
    );
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

/** The gradient of the input: a convolution with the mirrored, transposed kernel, or a transposed convolution. */
function inputGradient(g: Value, x: Value, weight: Value, geometry: Geometry): Value {
  const { stride, padding, groups } = geometry;
  const [outputs, channelsPerGroup, kernelHeight, kernelWidth] = expectFourAxes(weight, 'conv2d');
  const [top, left, bottom, right] = padding;
  const around = [
    kernelHeight - 1 - top,
    kernelWidth - 1 - left,
    kernelHeight - 1 - bottom,
    kernelWidth - 1 - right,
  ];
  if (stride > 1 || around.some((n) => n < 0)) return transposedConv(g, x, weight, geometry);
  const kernel = mirrored(
    reshape(weight, [groups, outputs / groups, channelsPerGroup, kernelHeight * kernelWidth]),
  );
  const shape = [groups * channelsPerGroup, outputs / groups, kernelHeight, kernelWidth];
  return conv2d(g, reshape(transpose(kernel, [0, 2, 1, 3]), shape), {
    padding: around as unknown as Sides,
    groups,
  });
}

function transposedConv(g: Value, x: Value, weight: Value, geometry: Geometry): Value {
  const { stride, groups, padding } = geometry;
  const [below, after] = paddingRead(g, x, weight, geometry);
  return applyOne(CONV_TRANSPOSE, [g, weight], x.shape, {
    strides: [stride, stride],
    pads: [padding[0], padding[1], Math.max(below, 0), Math.max(after, 0)],
    output_padding: [Math.max(-below, 0), Math.max(-after, 0)],
    group: groups,
    kernel_shape: weight.shape.slice(2),
  });
}

/** Reverses the last axis by a product with a permutation: many times faster than slicing backwards. */
function mirrored(kernels: Value): Value {
  const positions = kernels.shape.at(-1)!;
  if (positions === 1) return kernels;
  const data = new Float32Array(positions ** 2);
  for (let i = 0; i < positions; i++) data[i * positions + positions - 1 - i] = 1;
  return matmul(kernels, constant({ dtype: 'float32', shape: [positions, positions], data }));
}

/**
 * The gradient of the weight is a correlation of the input with the output's gradient over pictures and pixels:
 * one volume convolution with the pictures as channels, the gradient as a kernel as large as the picture, and
 * the input's channels as a third axis of space. `1 B H W i` with kernels `[o, B, H', W', 1]` to `1 o kh kw i`.
 */
function weightGradient(g: Value, x: Value, weight: Value, geometry: Geometry): Value {
  const { stride, groups, padding } = geometry;
  const [outputs, channelsPerGroup, kernelHeight, kernelWidth] = expectFourAxes(weight, 'conv2d');
  const [batch, , outHeight, outWidth] = expectFourAxes(g, 'conv2d');
  const [top, left, bottom, right] = padding;
  const isPointwise = kernelHeight * kernelWidth * stride === 1 && top + left + bottom + right === 0;
  if (isPointwise && groups === 1) {
    // Picture by picture: pictures need not be brought beside each other, and products are shorter.
    const pixels = outHeight * outWidth;
    const rows = reshape(g, [batch, outputs, pixels]);
    const columns = reshape(x, [batch, channelsPerGroup, pixels]);
    return reshape(sum(matmul(rows, swapLastAxes(columns)), { axes: [0] }), weight.shape);
  }
  const [below, after] = paddingRead(g, x, weight, geometry);
  const read = pad2d(x, { bottom: Math.min(below, 0), right: Math.min(after, 0) });
  const [, , height, width] = expectFourAxes(read, 'conv2d');
  const volume = reshape(channelsLast(read, groups), [1, groups * batch, height, width, channelsPerGroup]);
  const kernel = reshape(channelsFirst(g), [outputs, batch, outHeight, outWidth, 1]);
  const product = volumeConv(volume, kernel, {
    extents: [kernelHeight, kernelWidth],
    padding: [top, left, Math.max(below, 0), Math.max(after, 0)],
    ...{ stride, groups },
  });
  // Last, so that it is written where it is handed out.
  const plain = transpose(reshape(product, product.shape.slice(1)), [0, 3, 1, 2]);
  return applyOne(KERNEL_GRADIENT, [plain, g, x], weight.shape, {
    strides: [stride, stride],
    pads: [...padding],
    group: groups,
  });
}

/** `1 g·B H W i` with kernels `[o, B, H', W', 1]` to `1 o kh kw i`; `stride` lies between the places that a kernel reads. */
export function volumeConv(
  volume: Value,
  kernel: Value,
  {
    extents,
    padding: [top, left, bottom, right],
    stride,
    groups,
  }: Geometry & { readonly extents: readonly [height: number, width: number] },
): Value {
  const [outputs, , height, width] = kernel.shape as [number, number, number, number];
  return applyOne(VOLUME_CONV, [volume, kernel], [1, outputs, ...extents, volume.shape[4]!], {
    strides: [1, 1, 1],
    dilations: [stride, stride, 1],
    pads: [top, left, 0, bottom, right, 0],
    group: groups,
    kernel_shape: [height, width, 1],
  });
}

/**
 * How many rows and columns of padding the last kernel positions really read, below and to the right;
 * negative if they leave out pixels of the picture itself (a stride that does not divide).
 */
function paddingRead(
  g: Value,
  x: Value,
  weight: Value,
  { stride, padding: [top, left] }: Geometry,
): [number, number] {
  const reach = (axis: number): number => (g.shape[axis]! - 1) * stride + weight.shape[axis]!;
  return [reach(2) - top - x.shape[2]!, reach(3) - left - x.shape[3]!];
}

/** `B C H W` to `C B H W`: no work for a batch of one. */
function channelsFirst(x: Value): Value {
  return transpose(x, [1, 0, 2, 3]);
}

/** `B g·C H W` to `g B H W C`. */
function channelsLast(x: Value, groups: number): Value {
  if (groups === 1) return transpose(x, [0, 2, 3, 1]);
  const [batch, channels, height, width] = expectFourAxes(x, 'conv2d');
  return transpose(reshape(x, [batch, groups, channels / groups, height, width]), [1, 0, 3, 4, 2]);
}

function geometryOf({ attributes }: GraphNode): Geometry {
  const [stride] = attributes.strides as readonly number[];
  return {
    stride: stride!,
    padding: attributes.pads as unknown as Sides,
    groups: attributes.group as number,
  };
}
