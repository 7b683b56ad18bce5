// Emits an ONNX graph node by node and, as each is emitted, runs it on an example input. So every value's
// shape is known without a shape rule per operator, and whatever depends on constants alone becomes a
// constant: the shape arithmetic of TensorFlow graphs folds away.

import { InferenceSession } from 'onnxruntime-node';
import {
  type AnyTensor,
  encodeOnnxModel,
  fromHalf,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  toHalf,
} from '../../src/tensor/index.ts';

/** A value of the graph under construction. */
export type Value = {
  readonly name: string;
  /** What the value is for the example input. */
  readonly example: AnyTensor;
  /** True where it does not depend on the graph's input. */
  readonly isConstant: boolean;
  /** True where a 4-D value lies as B C H W although TensorFlow thinks B H W C. */
  readonly isChannelsFirst: boolean;
};

/** Constants of at least this many elements are stored as float16 where that loses nothing. */
const SMALLEST_HALF_TENSOR = 64;

/** Collects nodes and the constants that they use. */
export class GraphEmitter {
  readonly #nodes: OnnxNode[] = [];
  readonly #initialisers: Record<string, AnyTensor> = {};
  readonly #feeds: Value[] = [];
  #count = 0;

  input(name: string, example: AnyTensor): Value {
    const value = { name, example, isConstant: false, isChannelsFirst: true };
    this.#feeds.push(value);
    return value;
  }

  constant(example: AnyTensor): Value {
    return { name: `constant${this.#count++}`, example, isConstant: true, isChannelsFirst: false };
  }

  ints(values: readonly number[]): Value {
    const data = BigInt64Array.from(values, BigInt);
    return this.constant({ dtype: 'int64', shape: [values.length], data });
  }

  /** Adds one node with one output; the layout flag is the caller's word for the result. */
  async emit(
    op: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    options: { readonly isChannelsFirst?: boolean; readonly name?: string } = {},
  ): Promise<Value> {
    const name = options.name ?? `${op.toLowerCase()}${this.#count++}`;
    const example = await runNode(op, inputs, attributes);
    const isConstant = inputs.every((input) => input.isConstant);
    if (!isConstant) {
      const names = inputs.map((input) => this.#use(input));
      this.#nodes.push({ op, inputs: names, outputs: [name], attributes });
    }
    return { name, example, isConstant, isChannelsFirst: options.isChannelsFirst ?? false };
  }

  /** The finished model; `outputs` maps public names to values, which are renamed by an Identity. */
  model(name: string, outputs: Readonly<Record<string, Value>>): OnnxModel {
    const renames = Object.entries(outputs).map(([publicName, value]) => ({
      op: 'Identity',
      inputs: [value.name],
      outputs: [publicName],
    }));
    const describe = (publicName: string, { example }: Value) => ({
      name: publicName,
      dtype: example.dtype,
      shape: example.shape,
    });
    const nodes = withoutDeadNodes([...this.#nodes, ...renames], Object.keys(outputs));
    const used = new Set(nodes.flatMap(({ inputs }) => inputs));
    const initialisers = Object.entries(this.#initialisers).filter(([constant]) => used.has(constant));
    return {
      name,
      nodes,
      inputs: this.#feeds.map((feed) => describe(feed.name, feed)),
      outputs: Object.entries(outputs).map(([publicName, value]) => describe(publicName, value)),
      initialisers: Object.fromEntries(initialisers),
    };
  }

  #use(value: Value): string {
    if (!value.isConstant || value.name in this.#initialisers) return value.name;
    const half = losslessHalf(value.example);
    if (half === null) {
      this.#initialisers[value.name] = value.example;
      return value.name;
    }
    const stored = `${value.name}.half`;
    if (!(stored in this.#initialisers)) {
      this.#initialisers[stored] = half;
      this.#nodes.push({ op: 'Cast', inputs: [stored], outputs: [value.name], attributes: { to: 1 } });
    }
    return value.name;
  }
}

function losslessHalf(tensor: AnyTensor): AnyTensor | null {
  if (tensor.dtype !== 'float32' || tensor.data.length < SMALLEST_HALF_TENSOR) return null;
  const data = toHalf(tensor.data);
  const restored = fromHalf(data);
  const isExact = tensor.data.every((value, i) => restored[i] === value);
  return isExact ? { dtype: 'float16', shape: tensor.shape, data } : null;
}

function withoutDeadNodes(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  const needed = new Set(outputs);
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((output) => needed.has(output))) return false;
    for (const input of node.inputs) needed.add(input);
    return true;
  });
  return kept.reverse();
}

/** Runs a single operator on the examples of its inputs; flattened, so that no rank need be declared. */
async function runNode(
  op: string,
  inputs: readonly Value[],
  attributes: Readonly<Record<string, OnnxAttribute>>,
): Promise<AnyTensor> {
  const names = inputs.map((_, i) => `x${i}`);
  const dtype = outputType(op, inputs, attributes);
  const all: AnyTensor = { dtype: 'int64', shape: [1], data: BigInt64Array.of(-1n) };
  const model = encodeOnnxModel({
    name: op,
    nodes: [
      { op, inputs: names, outputs: ['y'], attributes },
      { op: 'Reshape', inputs: ['y', 'all'], outputs: ['flat'] },
      { op: 'Shape', inputs: ['y'], outputs: ['shape'] },
    ],
    inputs: [],
    outputs: [
      { name: 'flat', dtype, shape: ['n'] },
      { name: 'shape', dtype: 'int64', shape: ['r'] },
    ],
    initialisers: {
      all,
      ...Object.fromEntries(inputs.map((input, i) => [names[i]!, input.example])),
    },
  });
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const { flat, shape } = await session.run({});
  const extents = Array.from(shape!.data as BigInt64Array, Number);
  const example = { dtype, shape: extents, data: flat!.data } as AnyTensor;
  await session.release();
  return example;
}

function outputType(
  op: string,
  inputs: readonly Value[],
  attributes: Readonly<Record<string, OnnxAttribute>>,
): AnyTensor['dtype'] {
  if (op === 'LessOrEqual' || op === 'GreaterOrEqual' || op === 'And') return 'bool';
  if (op === 'Cast') return attributes.to === 1 ? 'float32' : attributes.to === 6 ? 'int32' : 'int64';
  return inputs[0]!.example.dtype;
}
