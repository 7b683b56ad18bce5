// Convolutions in ONNX Runtime's blocked layout for CPUs (channels in blocks as wide as a vector register).
// The runtime chooses it by itself only for weights that never change; in training they do, so the graph says
// it: the domain `com.microsoft.nchwc` holds the operators that the runtime's own rewriting would insert.
// Source: onnxruntime/core/optimizer/nchwc_transformer.cc (operators, weight layout `O/b I/b kh kw b_i b_o`).

import { reshape } from '../operations/shape.ts';
import { applyOne, type GraphNode, type Operator, type Value } from './value.ts';

/** Gives another form of a node's output, or `undefined` to leave it as it is. */
export type Lowering = (node: GraphNode) => Value | undefined;

const DOMAIN = 'com.microsoft.nchwc';
export const REORDER_INPUT: Operator = { type: 'ReorderInput', domain: DOMAIN };
export const BLOCKED_CONV: Operator = { type: 'Conv', domain: DOMAIN };
export const REORDER_OUTPUT: Operator = { type: 'ReorderOutput', domain: DOMAIN };

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
    const blockedInput = applyOne(REORDER_INPUT, [x], x.shape, { channels_last: 0 });
    const filter = blockedWeight(weight);
    const operands = bias === undefined ? [blockedInput, filter] : [blockedInput, filter, bias];
    const y = applyOne(BLOCKED_CONV, operands, shape, { ...attributes, dilations: [1, 1] });
    return applyOne(REORDER_OUTPUT, [y], shape, { channels: outChannels, channels_last: 0 });
  };
}

/**
 * A weight `[o, i, kh, kw]` in the order of blocks, `o/b i/b kh kw b_i b_o`. What brings pictures to blocks does both halves of
 * that, in vectors and on all threads, where a transposition takes single values on one.
 */
export function blockedWeight(weight: Value): Value {
  const [outChannels, inChannels, ...kernel] = weight.shape as [number, number, ...number[]];
  const positions = kernel.reduce((product, extent) => product * extent, 1);
  const inBlocks = (channels: number, x: Value, batch: number): Value => {
    const shape = [batch, channels, (inChannels * outChannels * positions) / (batch * channels), 1];
    return applyOne(REORDER_INPUT, [reshape(x, shape)], shape, { channels_last: 0 });
  };
  return reshape(inBlocks(outChannels, inBlocks(inChannels, weight, outChannels), 1), weight.shape);
}
