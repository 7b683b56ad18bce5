// Convolutions in ONNX Runtime's blocked layout for CPUs (channels in blocks as wide as a vector register).
// The runtime chooses it by itself only for weights that never change; in training they do, so the graph says
// it: the domain `com.microsoft.nchwc` holds the operators that the runtime's own rewriting would insert.
// Source: onnxruntime/core/optimizer/nchwc_transformer.cc (operators, weight layout `O/b I/b kh kw b_i b_o`).

import { reshape, transpose } from '../operations/shape.ts';
import { applyOne, type GraphNode, type Operator, type Value } from './value.ts';

/** Gives another form of a node's output, or `undefined` to leave it as it is. */
export type Lowering = (node: GraphNode) => Value | undefined;

const DOMAIN = 'com.microsoft.nchwc';
const REORDER_INPUT: Operator = { type: 'ReorderInput', domain: DOMAIN };
export const BLOCKED_CONV: Operator = { type: 'Conv', domain: DOMAIN };
const REORDER_OUTPUT: Operator = { type: 'ReorderOutput', domain: DOMAIN };

// For fewer pixels, rearranging the weights costs more than the layout gains (measured, batch included).
const MIN_PIXELS = 2048;

/** Lowers convolutions over many pixels whose channels fill blocks of the given width. */
export function blockedConvolutions(block: number): Lowering {
  return ({ operator, inputs, attributes, outputs }) => {
    const [x, weight, bias] = inputs as [Value, Value, Value?];
    if (operator.type !== 'Conv' || operator.domain !== undefined || weight.shape.length !== 4)
      return undefined;
    const [outChannels, inChannels, kernelHeight, kernelWidth] = weight.shape as [
      number,
      number,
      number,
      number,
    ];
    const { shape } = outputs[0]!;
    const pixels = shape[0]! * shape[2]! * shape[3]!;
    const fills = attributes.group === 1 && outChannels % block === 0 && inChannels % block === 0;
    if (!fills || pixels < MIN_PIXELS || kernelHeight * kernelWidth === 1) return undefined;
    const filter = reshape(transpose(outputsInBlocks(weight, block), [0, 1, 3, 4, 2, 5]), weight.shape);
    const operands = bias === undefined ? [intoBlocks(x), filter] : [intoBlocks(x), filter, bias];
    const y = applyOne(BLOCKED_CONV, operands, shape, { ...attributes, dilations: [1, 1] });
    return outOfBlocks(y);
  };
}

/** `B C H W` in blocks of channels. */
export function intoBlocks(x: Value): Value {
  return applyOne(REORDER_INPUT, [x], x.shape, { channels_last: 0 });
}

/** `B C H W` of blocks. */
export function outOfBlocks(x: Value): Value {
  return applyOne(REORDER_OUTPUT, [x], x.shape, { channels: x.shape[1]!, channels_last: 0 });
}

/** `B H W C` of blocks. */
export function outOfBlocksChannelsLast(x: Value): Value {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  return applyOne(REORDER_OUTPUT, [x], [batch, height, width, channels], { channels, channels_last: 1 });
}

/**
 * A weight `[o, i, kh, kw]` as `[o/b, i/b, b, kh, kw, b]`, outputs last. What brings pictures to blocks does this in vectors and
 * on all threads; what is left moves whole blocks, where one transposition would take single values on one thread.
 */
export function outputsInBlocks(weight: Value, block: number): Value {
  const [outChannels, inChannels, ...kernel] = weight.shape as [number, number, ...number[]];
  const positions = kernel.reduce((product, extent) => product * extent, inChannels);
  const shape = [1, outChannels, positions, 1];
  return reshape(intoBlocks(reshape(weight, shape)), [
    outChannels / block,
    inChannels / block,
    block,
    ...kernel,
    block,
  ]);
}
