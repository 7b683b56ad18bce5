// The symbolic graph: immutable values, each either a leaf (input, parameter, constant) or the result of one
// ONNX operator. Builders in `operations` infer shapes; `gradients` and `emitModel` walk what they built.

import { BadInputError } from '../../errors/index.ts';
import { type AnyTensor, type DType, elementCount } from '../host-tensor.ts';
import type { OnnxAttribute } from '../onnx-model.ts';

/** A symbolic array with a static shape. Made by the builders of `tensor`, never by hand. */
export type Value = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Where the value comes from; read by `tensor` alone. */
  readonly source: ValueSource;
};

/** What most builders take: a value, or a plain number that becomes a scalar constant. */
export type Operand = Value | number;

/** What a value is: fed, named weight, known, or computed. */
export type ValueSource =
  | { readonly kind: 'input' | 'parameter'; readonly name: string }
  | { readonly kind: 'constant'; readonly tensor: AnyTensor }
  | { readonly kind: 'result'; readonly node: GraphNode; readonly output: number };

/** One application of an operator. */
export type GraphNode = {
  readonly operator: Operator;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
};

/** Attributes of a node, as ONNX names them. */
export type Attributes = Readonly<Record<string, OnnxAttribute>>;

/** An ONNX operator with its rule for gradients; defined beside the builder that applies it. */
export type Operator = {
  /** ONNX operator type, e.g. `Conv`. */
  readonly type: string;
  /** ONNX domain; absent for the default one. */
  readonly domain?: string;
  /** Gradients of the inputs; absent where none exists (comparisons, casts). */
  readonly gradient?: GradientRule;
  /** True where the rule works for a gradient that only broadcasts to the output's shape. */
  readonly takesBroadcastGradient?: boolean;
  /** True for a node that stands for its first input and is not emitted (`withGradient`). */
  readonly isAlias?: boolean;
};

/**
 * Gives the gradient of each input from those of the outputs. `undefined` among the output's gradients means
 * zero; `undefined` in the answer means that no gradient flows there. What nobody uses is never emitted, so
 * rules state all gradients.
 */
export type GradientRule = (
  node: GraphNode,
  outputGradients: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

/** A value that is fed at run time under its name. */
export function input(name: string, shape: readonly number[], dtype: DType = 'float32'): Value {
  return leaf(dtype, shape, { kind: 'input', name });
}

/** A named float32 weight: an initialiser if `emitModel` is given its data, an input otherwise. */
export function parameter(name: string, shape: readonly number[]): Value {
  return leaf('float32', shape, { kind: 'parameter', name });
}

/** A known value; a number becomes a float32 scalar. */
export function constant(value: number | AnyTensor): Value {
  const tensor: AnyTensor =
    typeof value === 'number' ? { dtype: 'float32', shape: [], data: Float32Array.of(value) } : value;
  return leaf(tensor.dtype, tensor.shape, { kind: 'constant', tensor });
}

/** A constant of int64 indices or extents, with one axis. */
export function indices(values: readonly number[]): Value {
  return constant({ dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) });
}

/** Turns a plain number into a scalar constant. */
export function asValue(operand: Operand): Value {
  return typeof operand === 'number' ? constant(operand) : operand;
}

/** The number that a constant holds, if it is a constant of one element. */
export function scalarOf(value: Value): number | undefined {
  if (value.source.kind !== 'constant' || elementCount(value.shape) !== 1) return undefined;
  return Number(value.source.tensor.data[0]);
}

/** Applies an operator whose outputs' types are already inferred. */
export function apply(
  operator: Operator,
  inputs: readonly Value[],
  outputTypes: readonly { readonly dtype: DType; readonly shape: readonly number[] }[],
  attributes: Attributes = {},
): Value[] {
  const outputs: Value[] = [];
  const node: GraphNode = { operator, inputs, attributes, outputs };
  outputTypes.forEach(({ dtype, shape }, output) => {
    outputs.push({ dtype, shape, source: { kind: 'result', node, output } });
  });
  return outputs;
}

/** Applies an operator with one output. */
export function applyOne(
  operator: Operator,
  inputs: readonly Value[],
  shape: readonly number[],
  attributes: Attributes = {},
  dtype: DType = inputs[0]!.dtype,
): Value {
  return apply(operator, inputs, [{ dtype, shape }], attributes)[0]!;
}

/** The error of a builder that was given shapes or settings that do not fit. */
export function graphError(
  message: string,
  hint = 'check the shapes where the network is defined',
): BadInputError {
  return new BadInputError({ code: 'graph-shape', message, hint });
}

/** Turns a possibly negative axis into its index. @throws BadInputError if there is no such axis. */
export function axisIndex(
  axis: number,
  value: { readonly shape: readonly number[] },
  operation: string,
): number {
  const rank = value.shape.length;
  const index = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || index < 0 || index >= rank) {
    throw graphError(`${operation} expected an axis of shape [${value.shape}], got ${axis}`);
  }
  return index;
}

function leaf(dtype: DType, shape: readonly number[], source: ValueSource): Value {
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw graphError(`expected a shape of whole extents, got [${shape}]`);
  }
  return { dtype, shape: [...shape], source };
}
