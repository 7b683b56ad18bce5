// How each TensorFlow operator is said in ONNX. TensorFlow's pictures are B H W C, ONNX's B C H W: picture
// operators keep their values channels-first, everything else asks for TensorFlow's order back.
// Source: the operator definitions of TensorFlow (tensorflow/core/ops) and ONNX opset 21.

import { type AnyTensor, elementCount } from '../../src/tensor/index.ts';
import type { GraphEmitter, Value } from './graph-emitter.ts';
import type { TfAttribute, TfNode } from './tfjs-graph.ts';

type Rule = (graph: GraphEmitter, inputs: readonly Value[], node: TfNode) => Promise<Value>;

const PICTURE = { isChannelsFirst: true } as const;

/** Emits one TensorFlow node. */
export function convertNode(graph: GraphEmitter, inputs: readonly Value[], node: TfNode): Promise<Value> {
  const rule = RULES[node.op];
  if (rule === undefined) throw new Error(`no rule for the operator ${node.op} (${node.name})`);
  return rule(graph, inputs, node);
}

/** The value in TensorFlow's own axis order. */
export async function channelsLast(graph: GraphEmitter, value: Value): Promise<Value> {
  return value.isChannelsFirst ? graph.emit('Transpose', [value], { perm: [0, 2, 3, 1] }) : value;
}

async function channelsFirst(graph: GraphEmitter, value: Value): Promise<Value> {
  return value.isChannelsFirst ? value : graph.emit('Transpose', [value], { perm: [0, 3, 1, 2] }, PICTURE);
}

const numbersOf = (value: Value): number[] => Array.from(value.example.data as ArrayLike<number>, Number);
const intsOf = (attribute: TfAttribute | undefined): number[] => (attribute?.list?.i ?? []).map(Number);
const textOf = (coded: string | undefined): string => atob(coded ?? '');
const maskOf = (node: TfNode, name: string): number => Number(node.attributes[name]?.i ?? 0);

/** Elementwise operators: channels-first as long as a picture meets only pictures and constants. */
const elementwise =
  (op: string): Rule =>
  async (graph, inputs) => {
    const isPicture = inputs.some((v) => v.isChannelsFirst) && inputs.every(mayJoinPicture);
    if (!isPicture) {
      const plain = await Promise.all(inputs.map((value) => channelsLast(graph, value)));
      return graph.emit(op, plain);
    }
    const joined = await Promise.all(inputs.map((value) => joinPicture(graph, value)));
    return graph.emit(op, joined, {}, PICTURE);
  };

function mayJoinPicture(value: Value): boolean {
  return value.isChannelsFirst || (value.isConstant && [0, 1, 3, 4].includes(value.example.shape.length));
}

async function joinPicture(graph: GraphEmitter, value: Value): Promise<Value> {
  const { shape } = value.example;
  if (value.isChannelsFirst || elementCount(shape) === 1) return value;
  const full = [...[1, 1, 1].slice(0, 4 - shape.length), ...shape];
  if (full.length === 4 && full[1] === 1 && full[2] === 1) {
    return graph.emit('Reshape', [value, graph.ints([full[0]!, full[3]!, 1, 1])], {}, PICTURE);
  }
  return channelsFirst(graph, await graph.emit('Reshape', [value, graph.ints(full)]));
}

/** Padding `SAME` puts the odd pixel at the end. */
function samePads(
  extents: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
): number[] {
  const totals = extents.map((extent, i) => {
    const steps = Math.ceil(extent / strides[i]!);
    return Math.max(0, (steps - 1) * strides[i]! + kernel[i]! - extent);
  });
  return [...totals.map((t) => Math.floor(t / 2)), ...totals.map((t) => t - Math.floor(t / 2))];
}

function windowAttributes(node: TfNode, picture: Value, kernel: readonly number[]) {
  const strides = intsOf(node.attributes.strides).slice(1, 3);
  const isSame = textOf(node.attributes.padding?.s) === 'SAME';
  const pads = isSame ? samePads(picture.example.shape.slice(2), kernel, strides) : [0, 0, 0, 0];
  return { kernel_shape: kernel, strides, pads };
}

const convolution: Rule = async (graph, [image, filter, bias, slope], node) => {
  const picture = await channelsFirst(graph, image!);
  const isDepthwise = node.op.includes('Depthwise');
  const [height, width, channels] = filter!.example.shape as [number, number, number, number];
  // Filters are H W in out; a depthwise one is H W channels 1.
  const weights = await graph.emit('Transpose', [filter!], {
    perm: isDepthwise ? [2, 3, 0, 1] : [3, 2, 0, 1],
  });
  const attributes = {
    ...windowAttributes(node, picture, [height, width]),
    group: isDepthwise ? channels : 1,
  };
  const operands = bias === undefined ? [picture, weights] : [picture, weights, bias];
  const result = await graph.emit('Conv', operands, attributes, PICTURE);
  return activation(graph, result, slope, node);
};

async function activation(
  graph: GraphEmitter,
  value: Value,
  slope: Value | undefined,
  node: TfNode,
): Promise<Value> {
  const fused = (node.attributes.fused_ops?.list?.s ?? []).map(textOf).filter((op) => op !== 'BiasAdd');
  const layout = { isChannelsFirst: value.isChannelsFirst };
  if (fused.length === 0) return value;
  if (fused[0] === 'Relu') return graph.emit('Relu', [value], {}, layout);
  if (fused[0] === 'Prelu') return prelu(graph, [value, slope!], node);
  throw new Error(`no rule for the fused activation ${fused[0]} (${node.name})`);
}

const prelu: Rule = async (graph, [value, slope]) => {
  const picture = await channelsFirst(graph, value!);
  const channels = elementCount(slope!.example.shape);
  const perChannel = await graph.emit('Reshape', [slope!, graph.ints([channels, 1, 1])]);
  return graph.emit('PRelu', [picture, perChannel], {}, PICTURE);
};

/** The transposed convolution; its filter is H W out in. */
const deconvolution: Rule = async (graph, [sizes, filter, image], node) => {
  const picture = await channelsFirst(graph, image!);
  const weights = await graph.emit('Transpose', [filter!], { perm: [3, 2, 0, 1] });
  const kernel = filter!.example.shape.slice(0, 2);
  const strides = intsOf(node.attributes.strides).slice(1, 3);
  const pads = samePads(numbersOf(sizes!).slice(1, 3), kernel, strides);
  return graph.emit('ConvTranspose', [picture, weights], { kernel_shape: kernel, strides, pads }, PICTURE);
};

const pool =
  (op: string): Rule =>
  async (graph, [image], node) => {
    const picture = await channelsFirst(graph, image!);
    const kernel = intsOf(node.attributes.ksize).slice(1, 3);
    return graph.emit(op, [picture], windowAttributes(node, picture, kernel), PICTURE);
  };

const pad: Rule = async (graph, [image, paddings]) => {
  const p = numbersOf(paddings!);
  const starts = [p[0]!, p[6]!, p[2]!, p[4]!];
  const ends = [p[1]!, p[7]!, p[3]!, p[5]!];
  return graph.emit(
    'Pad',
    [await channelsFirst(graph, image!), graph.ints([...starts, ...ends])],
    {},
    PICTURE,
  );
};

const resize: Rule = async (graph, [image, size]) => {
  const picture = await channelsFirst(graph, image!);
  const [batch, channels, height, width] = picture.example.shape as [number, number, number, number];
  const [newHeight, newWidth] = numbersOf(size!) as [number, number];
  const scales = [1, 1, newHeight / height, newWidth / width];
  if (batch !== 1 || channels < 1) throw new Error('pictures are resized one at a time');
  const factor = graph.constant({ dtype: 'float32', shape: [4], data: Float32Array.from(scales) });
  const none = graph.constant({ dtype: 'float32', shape: [0], data: new Float32Array(0) });
  const attributes = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' };
  return graph.emit('Resize', [picture, none, factor], attributes, PICTURE);
};

const stridedSlice: Rule = async (graph, [value, begin, end, strides], node) => {
  const plain = await channelsLast(graph, value!);
  const { shape } = plain.example;
  if (maskOf(node, 'new_axis_mask') !== 0) throw new Error(`new axes in a slice (${node.name})`);
  const rows = { begin: numbersOf(begin!), end: numbersOf(end!), strides: numbersOf(strides!) };
  const ellipsis = Math.log2(maskOf(node, 'ellipsis_mask'));
  const ranges: { axis: number; begin: number; end: number; stride: number; shrinks: boolean }[] = [];
  rows.begin.forEach((_, i) => {
    if (i === ellipsis) return;
    // Entries after the ellipsis count from the back.
    const axis = ellipsis >= 0 && i > ellipsis ? shape.length - (rows.begin.length - i) : i;
    const shrinks = ((maskOf(node, 'shrink_axis_mask') >> i) & 1) === 1;
    const isOpenBegin = ((maskOf(node, 'begin_mask') >> i) & 1) === 1;
    const isOpenEnd = ((maskOf(node, 'end_mask') >> i) & 1) === 1;
    const start = isOpenBegin ? 0 : rows.begin[i]!;
    const stop = shrinks
      ? start === -1
        ? shape[axis]!
        : start + 1
      : isOpenEnd
        ? shape[axis]!
        : rows.end[i]!;
    ranges.push({ axis, begin: start, end: stop, stride: shrinks ? 1 : rows.strides[i]!, shrinks });
  });
  const sliced = await graph.emit('Slice', [
    plain,
    graph.ints(ranges.map((r) => r.begin)),
    graph.ints(ranges.map((r) => r.end)),
    graph.ints(ranges.map((r) => r.axis)),
    graph.ints(ranges.map((r) => r.stride)),
  ]);
  const dropped = ranges.filter((r) => r.shrinks).map((r) => r.axis);
  return dropped.length === 0 ? sliced : graph.emit('Squeeze', [sliced, graph.ints(dropped)]);
};

/** An operator with the same meaning in both, on values in TensorFlow's order. */
const plain =
  (op: string, attributes = {}): Rule =>
  async (graph, inputs) =>
    graph.emit(op, await Promise.all(inputs.map((value) => channelsLast(graph, value))), attributes);

/** Operators whose last input becomes an `axes` input of whole numbers. */
const reduce =
  (op: string): Rule =>
  async (graph, [value, axes], node) => {
    const keepdims = node.attributes.keep_dims?.b === true ? 1 : 0;
    return graph.emit(op, [await channelsLast(graph, value!), graph.ints(numbersOf(axes!))], { keepdims });
  };

const matmul: Rule = async (graph, [a, b, bias], node) => {
  const flip = async (value: Value, isFlipped: boolean): Promise<Value> => {
    const last = value.example.shape.length - 1;
    const axes = value.example.shape.map((_, i) => i);
    const perm = [...axes.slice(0, -2), last, last - 1];
    return isFlipped ? graph.emit('Transpose', [value], { perm }) : value;
  };
  const { adj_x, adj_y, transpose_a, transpose_b } = node.attributes;
  const left = await flip(await channelsLast(graph, a!), adj_x?.b === true || transpose_a?.b === true);
  const right = await flip(await channelsLast(graph, b!), adj_y?.b === true || transpose_b?.b === true);
  const product = await graph.emit('MatMul', [left, right]);
  const sum = bias === undefined ? product : await graph.emit('Add', [product, bias]);
  return activation(graph, sum, undefined, node);
};

/** ONNX has no two-argument arctangent; half angles are right everywhere but on the negative x axis. */
const atan2: Rule = async (graph, [y, x]) => {
  const two = graph.constant({ dtype: 'float32', shape: [], data: Float32Array.of(2) });
  const squares = await Promise.all([x!, y!].map((value) => graph.emit('Mul', [value, value])));
  const radius = await graph.emit('Sqrt', [await graph.emit('Add', squares)]);
  const slope = await graph.emit('Div', [y!, await graph.emit('Add', [radius, x!])]);
  return graph.emit('Mul', [await graph.emit('Atan', [slope]), two]);
};

const zerosLike: Rule = async (graph, [value]) => {
  const { dtype, shape } = (await channelsLast(graph, value!)).example;
  const count = elementCount(shape);
  const data = dtype === 'int32' ? new Int32Array(count) : new Float32Array(count);
  return graph.constant({ dtype, shape, data } as AnyTensor);
};

const shapeOf: Rule = async (graph, [value]) => {
  const { shape } = value!.example;
  const order = value!.isChannelsFirst ? [0, 2, 3, 1].map((axis) => shape[axis]!) : shape;
  return graph.constant({ dtype: 'int32', shape: [order.length], data: Int32Array.from(order) });
};

const pack: Rule = async (graph, inputs, node) => {
  const axis = maskOf(node, 'axis');
  const grown = await Promise.all(
    inputs.map((value) => graph.emit('Unsqueeze', [value, graph.ints([axis])])),
  );
  return graph.emit('Concat', grown, { axis });
};

const CAST_TO: Record<string, number> = { DT_FLOAT: 1, DT_INT32: 6 };

const RULES: Readonly<Record<string, Rule>> = {
  Identity: async (_graph, [value]) => value!,
  Add: elementwise('Add'),
  AddV2: elementwise('Add'),
  AddN: async (graph, inputs, node) => {
    const add = elementwise('Add');
    let sum = inputs[0]!;
    for (const value of inputs.slice(1)) sum = await add(graph, [sum, value], node);
    return sum;
  },
  Sub: elementwise('Sub'),
  Mul: elementwise('Mul'),
  Minimum: elementwise('Min'),
  Maximum: elementwise('Max'),
  Relu: elementwise('Relu'),
  Sigmoid: elementwise('Sigmoid'),
  Relu6: async (graph, [value], node) => {
    const six = graph.constant({ dtype: 'float32', shape: [], data: Float32Array.of(6) });
    return elementwise('Min')(graph, [await elementwise('Relu')(graph, [value!], node), six], node);
  },
  Prelu: prelu,
  Conv2D: convolution,
  _FusedConv2D: convolution,
  DepthwiseConv2dNative: convolution,
  Conv2DBackpropInput: deconvolution,
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AveragePool'),
  Pad: pad,
  ResizeBilinear: resize,
  Reshape: async (graph, [value, shape]) =>
    graph.emit('Reshape', [await channelsLast(graph, value!), graph.ints(numbersOf(shape!))]),
  Shape: shapeOf,
  StridedSlice: stridedSlice,
  Pack: pack,
  ConcatV2: async (graph, inputs) => {
    const parts = await Promise.all(inputs.slice(0, -1).map((value) => channelsLast(graph, value)));
    return graph.emit('Concat', parts, { axis: numbersOf(inputs.at(-1)!)[0]! });
  },
  ExpandDims: async (graph, [value, axis]) =>
    graph.emit('Unsqueeze', [await channelsLast(graph, value!), graph.ints(numbersOf(axis!))]),
  GatherV2: async (graph, [value, indices, axis]) =>
    graph.emit('Gather', [await channelsLast(graph, value!), indices!], { axis: numbersOf(axis!)[0]! }),
  Transpose: async (graph, [value, perm]) =>
    graph.emit('Transpose', [await channelsLast(graph, value!)], { perm: numbersOf(perm!) }),
  Tile: async (graph, [value, repeats]) =>
    graph.emit('Tile', [await channelsLast(graph, value!), graph.ints(numbersOf(repeats!))]),
  Fill: async (graph, [shape, value]) => graph.emit('Expand', [value!, graph.ints(numbersOf(shape!))]),
  Range: plain('Range'),
  ZerosLike: zerosLike,
  Cast: async (graph, [value], node) =>
    graph.emit('Cast', [await channelsLast(graph, value!)], {
      to: CAST_TO[node.attributes.DstT?.type ?? '']!,
    }),
  MatMul: matmul,
  BatchMatMulV2: matmul,
  _FusedMatMul: matmul,
  Softmax: plain('Softmax', { axis: -1 }),
  Mean: reduce('ReduceMean'),
  Min: reduce('ReduceMin'),
  Max: reduce('ReduceMax'),
  Atan2: atan2,
  Cos: plain('Cos'),
  Sin: plain('Sin'),
  Neg: plain('Neg'),
  Floor: plain('Floor'),
  LessEqual: plain('LessOrEqual'),
  GreaterEqual: plain('GreaterOrEqual'),
  LogicalAnd: plain('And'),
};
