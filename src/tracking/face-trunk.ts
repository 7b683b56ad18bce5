// The first layers of the landmark network as a graph of their own: what a face looks like, place by place, in
// the network's eyes. Evaluation measures with it and training may learn from it. Its blocks are those of BlazeFace
// (Bazarevsky et al., 2019): a depthwise and a pointwise convolution beside a shortcut.

import { type Scope, zeroed } from '../nn/index.ts';
import {
  add,
  conv2d,
  maximum,
  mul,
  neg,
  pad,
  relu,
  slice,
  spaceToDepth,
  sub,
  type Value,
} from '../tensor/index.ts';

/** Channels of each map; every map has half the side of the one before, the first half of the picture's. */
const WIDTHS = [16, 32, 64, 128, 128] as const;
const BLOCKS = 2;

/**
 * Maps `B C H W` of pictures `B 3 S S` in [0, 1], finest first.
 * @param maps how many, 1 to 5; S is a multiple of 2 ** maps
 */
export function faceTrunk(scope: Scope, pictures: Value, maps: number = WIDTHS.length): Value[] {
  const found: Value[] = [];
  let x = pictures;
  for (const [level, width] of WIDTHS.slice(0, maps).entries()) {
    const at = scope.at(level);
    x = level === 0 ? stem(at.at('down'), x, width) : block(at.at('down'), x, { width, stride: 2 });
    for (let i = 0; i < BLOCKS; i++) x = block(at.at(i), x, { width, stride: 1 });
    found.push(x);
  }
  return found;
}

/** The step that halves the picture: TensorFlow's padding, which adds below and to the right alone. */
const AFTER = [0, 0, 1, 1] as const;

function stem(scope: Scope, x: Value, width: number): Value {
  const weight = scope.parameter('weight', [width, x.shape[1]!, 3, 3], zeroed);
  const bias = scope.parameter('bias', [width], zeroed);
  return bend(scope, conv2d(x, weight, { bias, stride: 2, padding: AFTER }));
}

function block(scope: Scope, x: Value, { width, stride }: { width: number; stride: 1 | 2 }): Value {
  const channels = x.shape[1]!;
  const depthwise = scope.parameter('depthwise', [channels, 1, 3, 3], zeroed);
  const weight = scope.parameter('weight', [width, channels, 1, 1], zeroed);
  const bias = scope.parameter('bias', [width], zeroed);
  const padding = stride === 2 ? AFTER : 1;
  const looked = conv2d(x, depthwise, { stride, padding, groups: channels });
  const shortcut = stride === 2 ? pad(maxPool(x), { axis: 1, before: 0, after: width - channels }) : x;
  return bend(scope, add(shortcut, conv2d(looked, weight, { bias })));
}

/** A line that bends at zero, with a slope below it of each channel's own. */
function bend(scope: Scope, x: Value): Value {
  const slope = scope.parameter('slope', [x.shape[1]!, 1, 1], zeroed);
  return sub(relu(x), mul(slope, relu(neg(x))));
}

/** The largest of each 2 x 2 pixels. */
function maxPool(x: Value): Value {
  const channels = x.shape[1]!;
  const folded = spaceToDepth(x, 2);
  const parts = [0, 1, 2, 3].map((k) =>
    slice(folded, { axis: 1, start: k * channels, end: (k + 1) * channels }),
  );
  return parts.reduce((most, part) => maximum(most, part));
}
