// What each ONNX operator means, in plain float64 loops: the reference that emitted models are compared with,
// and through which gradients are checked by finite differences. Source: the ONNX operator specification.

import type { Attributes } from '../graph/value.ts';
import { countOf, type Dense, elementAt, fold, forEachIndex, generate } from './dense.ts';

/** Computes the outputs of one node, whose shapes the graph has inferred. */
type Meaning = (
  inputs: readonly Dense[],
  attributes: Attributes,
  shapes: readonly (readonly number[])[],
) => Dense[];

const unary =
  (compute: (x: number) => number): Meaning =>
  ([x]) => [{ shape: x!.shape, data: x!.data.map(compute) }];

const binary =
  (compute: (a: number, b: number) => number): Meaning =>
  ([a, b], _, [shape]) => [generate(shape!, (index) => compute(elementAt(a!, index), elementAt(b!, index)))];

const reduction =
  (
    start: number,
    step: (a: number, x: number) => number,
    finish = (total: number, _count: number) => total,
  ): Meaning =>
  ([x, axes], _, [shape]) => {
    const { data } = fold(x!, Array.from(axes!.data), start, step);
    const count = countOf(x!.shape) / data.length;
    return [{ shape: shape!, data: data.map((total) => finish(total, count)) }];
  };

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const numberIn = (attributes: Attributes, name: string): number => {
  const value = attributes[name];
  return typeof value === 'number' ? value : (value as { float: number }).float;
};
const listIn = (attributes: Attributes, name: string): readonly number[] =>
  attributes[name] as readonly number[];

/** The meanings by operator type. */
export const MEANINGS: Readonly<Record<string, Meaning>> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Max: binary(Math.max),
  Min: binary(Math.min),
  Greater: binary((a, b) => (a > b ? 1 : 0)),
  Neg: unary((x) => -x),
  Sign: unary(Math.sign),
  Abs: unary(Math.abs),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Tanh: unary(Math.tanh),
  Sigmoid: unary(sigmoid),
  Erf: unary(erf),
  Gelu: unary((x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2))),
  Relu: unary((x) => Math.max(x, 0)),
  Clip: ([x, low, high]) => [
    {
      shape: x!.shape,
      data: x!.data.map((value) => Math.min(Math.max(value, low!.data[0]!), high!.data[0]!)),
    },
  ],
  Softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Identity: unary((x) => x),
  Cast: unary((x) => x),
  LeakyRelu: ([x], attributes) => [
    { shape: x!.shape, data: x!.data.map((v) => (v > 0 ? v : v * numberIn(attributes, 'alpha'))) },
  ],
  QuickGelu: ([x], attributes) => [
    { shape: x!.shape, data: x!.data.map((v) => v * sigmoid(v * numberIn(attributes, 'alpha'))) },
  ],
  Where: ([condition, a, b], _, [shape]) => [
    generate(shape!, (index) => elementAt(elementAt(condition!, index) === 1 ? a! : b!, index)),
  ],

  Reshape: ([x], _, [shape]) => [{ shape: shape!, data: x!.data }],
  Expand: ([x], _, [shape]) => [generate(shape!, (index) => elementAt(x!, index))],
  Transpose: ([x], attributes, [shape]) => {
    const permutation = listIn(attributes, 'perm');
    return [
      generate(shape!, (index) =>
        elementAt(
          x!,
          permutation.map((_, axis) => index[permutation.indexOf(axis)]!),
        ),
      ),
    ];
  },
  Concat: (parts, attributes, [shape]) => {
    const axis = numberIn(attributes, 'axis');
    return [
      generate(shape!, (index) => {
        let position = index[axis]!;
        const part = parts.find(({ shape: { [axis]: extent } }) => {
          if (position < extent!) return true;
          position -= extent!;
          return false;
        });
        return elementAt(part!, index.with(axis, position));
      }),
    ];
  },
  Split: ([x], attributes, shapes) => {
    const axis = numberIn(attributes, 'axis');
    let start = 0;
    return shapes.map((shape) => {
      const from = start;
      start += shape[axis]!;
      return generate(shape, (index) => elementAt(x!, index.with(axis, index[axis]! + from)));
    });
  },
  Slice: ([x, starts, , axes, steps], _, [shape]) => {
    const axis = axes!.data[0]!;
    const step = steps!.data[0]!;
    const start = starts!.data[0]! < 0 ? starts!.data[0]! + x!.shape[axis]! : starts!.data[0]!;
    return [generate(shape!, (index) => elementAt(x!, index.with(axis, start + step * index[axis]!)))];
  },
  Pad: ([x, pads], _, [shape]) => [
    generate(shape!, (index) => {
      const source = index.map((position, axis) => position - pads!.data[axis]!);
      return source.every((position, axis) => position >= 0 && position < x!.shape[axis]!)
        ? elementAt(x!, source)
        : 0;
    }),
  ],
  DepthToSpace: ([x], attributes, [shape]) => {
    const block = numberIn(attributes, 'blocksize');
    const [, channels] = shape!;
    return [
      generate(shape!, ([b, c, h, w]) => {
        const channel = ((h! % block) * block + (w! % block)) * channels! + c!;
        return elementAt(x!, [b!, channel, Math.floor(h! / block), Math.floor(w! / block)]);
      }),
    ];
  },
  Gather: ([table, rows], _, [shape]) => [
    generate(shape!, (index) => elementAt(table!, [elementAt(rows!, index.slice(0, -1)), index.at(-1)!])),
  ],
  ScatterND: ([x, targets, updates]) => {
    const data = x!.data.slice();
    const width = x!.shape[1]!;
    updates!.data.forEach((update, i) => {
      data[targets!.data[Math.floor(i / width)]! * width + (i % width)]! += update;
    });
    return [{ shape: x!.shape, data }];
  },
  Resize: ([x], _, [shape]) => {
    const factors = shape!.map((extent, axis) => extent / x!.shape[axis]!);
    return [
      generate(shape!, (index) =>
        elementAt(
          x!,
          index.map((position, axis) => Math.floor(position / factors[axis]!)),
        ),
      ),
    ];
  },
  AveragePool: ([x], attributes, [shape]) => {
    const [factor] = listIn(attributes, 'kernel_shape') as [number];
    return [
      generate(shape!, ([b, c, h, w]) => {
        let total = 0;
        for (let i = 0; i < factor ** 2; i++) {
          total += elementAt(x!, [b!, c!, h! * factor + Math.floor(i / factor), w! * factor + (i % factor)]);
        }
        return total / factor ** 2;
      }),
    ];
  },

  ReduceSum: reduction(0, (a, x) => a + x),
  ReduceMean: reduction(
    0,
    (a, x) => a + x,
    (total, count) => total / count,
  ),
  ReduceMax: reduction(Number.NEGATIVE_INFINITY, Math.max),
  Softmax: ([x], attributes) => {
    const axes = [numberIn(attributes, 'axis')];
    const largest = fold(x!, axes, Number.NEGATIVE_INFINITY, Math.max);
    const powers = generate(x!.shape, (index) => Math.exp(elementAt(x!, index) - elementAt(largest, index)));
    const totals = fold(powers, axes, 0, (a, p) => a + p);
    return [generate(x!.shape, (index) => elementAt(powers, index) / elementAt(totals, index))];
  },
  LayerNormalization: ([x, scale, bias], attributes) => {
    const axis = x!.shape.length - 1;
    const extent = x!.shape[axis]!;
    const total = fold(x!, [axis], 0, (a, v) => a + v);
    const average = { shape: total.shape, data: total.data.map((v) => v / extent) };
    const centred = generate(x!.shape, (index) => elementAt(x!, index) - elementAt(average, index));
    const squares = fold(centred, [axis], 0, (a, v) => a + v * v);
    const inverse = squares.data.map((v) => 1 / Math.sqrt(v / extent + numberIn(attributes, 'epsilon')));
    const deviation = { shape: squares.shape, data: inverse };
    const normal = generate(
      x!.shape,
      (index) =>
        elementAt(centred, index) * elementAt(deviation, index) * elementAt(scale!, index) +
        elementAt(bias!, index),
    );
    return [normal, average, deviation];
  },
  BatchNormalization: ([x, scale, bias, average, variance], attributes) => [
    generate(x!.shape, (index) => {
      const channel = index[1]!;
      const deviation = Math.sqrt(variance!.data[channel]! + numberIn(attributes, 'epsilon'));
      return (
        ((elementAt(x!, index) - average!.data[channel]!) / deviation) * scale!.data[channel]! +
        bias!.data[channel]!
      );
    }),
  ],

  MatMul: ([a, b], _, [shape]) => [
    generate(shape!, (index) => {
      let total = 0;
      for (let k = 0; k < a!.shape.at(-1)!; k++) {
        total += elementAt(a!, index.with(-1, k)) * elementAt(b!, index.with(-2, k));
      }
      return total;
    }),
  ],
  Gemm: ([a, b, bias], attributes, [shape]) => {
    const isATransposed = attributes.transA === 1;
    const isBTransposed = attributes.transB === 1;
    const inner = a!.shape[isATransposed ? 0 : 1]!;
    return [
      generate(shape!, ([row, column]) => {
        let total = bias === undefined ? 0 : elementAt(bias, [row!, column!]);
        for (let k = 0; k < inner; k++) {
          const left = elementAt(a!, isATransposed ? [k, row!] : [row!, k]);
          total += left * elementAt(b!, isBTransposed ? [column!, k] : [k, column!]);
        }
        return total;
      }),
    ];
  },
  Conv: ([x, weight, bias], attributes, [shape]) => {
    const { strides, dilations, pads, kernel } = geometryOf(attributes, weight!);
    const [outputs, perGroup] = weight!.shape as [number, number];
    const outputsPerGroup = outputs / numberIn(attributes, 'group');
    return [
      generate(shape!, ([b, o, ...at]) => {
        const firstChannel = Math.floor(o! / outputsPerGroup) * perGroup;
        let total = bias === undefined ? 0 : bias.data[o!]!;
        forEachIndex([perGroup, ...kernel], ([c, ...k]) => {
          const source = at.map(
            (position, axis) => position * strides[axis]! + k[axis]! * dilations[axis]! - pads[axis]!,
          );
          if (source.some((position, axis) => position < 0 || position >= x!.shape[axis + 2]!)) return;
          total += elementAt(x!, [b!, firstChannel + c!, ...source]) * elementAt(weight!, [o!, c!, ...k]);
        });
        return total;
      }),
    ];
  },
  ConvTranspose: ([x, weight], attributes, [shape]) => {
    const { strides, pads, kernel } = geometryOf(attributes, weight!);
    const [inputs, perGroup] = weight!.shape as [number, number];
    const inputsPerGroup = inputs / numberIn(attributes, 'group');
    return [
      generate(shape!, ([b, o, ...at]) => {
        const firstChannel = Math.floor(o! / perGroup) * inputsPerGroup;
        let total = 0;
        forEachIndex([inputsPerGroup, ...kernel], ([c, ...k]) => {
          const source = at.map((position, axis) => (position + pads[axis]! - k[axis]!) / strides[axis]!);
          if (
            source.some(
              (position, axis) =>
                !(position >= 0 && position < x!.shape[axis + 2]! && Number.isInteger(position)),
            )
          )
            return;
          const channel = firstChannel + c!;
          total +=
            elementAt(x!, [b!, channel, ...source]) * elementAt(weight!, [channel, o! % perGroup, ...k]);
        });
        return total;
      }),
    ];
  },
};

/** Steps, spacings and leading padding of a convolution over any number of axes, and its kernel's extents. */
function geometryOf(attributes: Attributes, weight: Dense) {
  const kernel = weight.shape.slice(2);
  const strides = listIn(attributes, 'strides');
  const dilations = 'dilations' in attributes ? listIn(attributes, 'dilations') : kernel.map(() => 1);
  return { kernel, strides, dilations, pads: listIn(attributes, 'pads') };
}

/** The error function, to float64's precision: its series near 0, a continued fraction far from it. */
function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let term = x;
    let total = x;
    for (let n = 1; Math.abs(term) > 1e-18; n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = 0;
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / (Math.sqrt(Math.PI) * (size + fraction)));
}
