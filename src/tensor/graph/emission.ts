// From the symbolic graph to an ONNX model: walks what the outputs need, once, operands before results, and
// writes equal subexpressions a single time.

import type { AnyTensor } from '../host-tensor.ts';
import type { OnnxModel, OnnxNode, OnnxValueInfo } from '../onnx-model.ts';
import { blockedConvolutions, type Lowering } from './blocked-convolution.ts';
import { aliased } from './custom-gradient.ts';
import { type GraphNode, graphError, type Operator, type Value } from './value.ts';
import { winogradConvolutions } from './winograd-convolution.ts';
import { winogradKernelGradients } from './winograd-kernel-gradient.ts';

/** What to emit: named outputs, and the data of those parameters that become initialisers. */
export type EmissionOptions = {
  readonly name: string;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly weights?: Readonly<Record<string, AnyTensor>>;
  /**
   * The CPU's block of channels (`Device.convolutionBlock`), for graphs whose weights are fed: convolutions then
   * run in blocked layout, large ones by minimal filtering. Such a model runs only on CPUs with that block.
   */
  readonly convolutionBlock?: number | undefined;
  /**
   * Whether attention is one operator of ONNX Runtime's own, which never holds all scores: quicker, and far less memory
   * for large pictures. Such a model has no gradient and runs on ONNX Runtime alone.
   */
  readonly usesFusedForms?: boolean | undefined;
  /**
   * Whether large convolutions go by minimal filtering (`winogradConvolutions`), for weights that stay, as they do with a
   * `convolutionBlock` for fed ones. For CPUs that have such a block: elsewhere it is slower. Default false.
   */
  readonly usesWinograd?: boolean | undefined;
};

const IDENTITY: Operator = { type: 'Identity' };
// Constants up to this size are compared by content, larger ones by identity.
const SMALL_CONSTANT_BYTES = 256;

/**
 * Emits the model that computes the outputs. Inputs are found by walking; parameters without data in
 * `weights` become inputs under their names. Names depend on the graph alone: equal graphs, equal models.
 * @throws BadInputError if two leaves share a name or a weight's shape does not fit.
 */
export function emitModel({
  name,
  outputs,
  weights = {},
  convolutionBlock,
  usesFusedForms = false,
  usesWinograd = false,
}: EmissionOptions): OnnxModel {
  const lowerings = [
    ...(usesWinograd || convolutionBlock !== undefined ? [winogradConvolutions(convolutionBlock)] : []),
    ...(convolutionBlock === undefined
      ? []
      : [winogradKernelGradients(convolutionBlock), blockedConvolutions(convolutionBlock)]),
  ];
  const standIn = standInsWith((node) => firstOf(lowerings, node), usesFusedForms);
  const emission = new Emission(weights, standIn);
  const named = Object.entries(outputs);
  for (const [outputName, value] of named) emission.reserveOutput(outputName, value);
  const nodes = nodesFor(
    named.map(([, value]) => value),
    standIn,
  );
  // Copies that name an output stand right behind what they copy: a runtime that starts from a model's last nodes would
  // else begin with all of them, and keep everything until the end.
  const byNode = new Map<GraphNode | undefined, [string, Value][]>();
  for (const entry of named) {
    const { source } = entry[1];
    const node = source.kind === 'result' ? source.node : undefined;
    byNode.set(node, [...(byNode.get(node) ?? []), entry]);
  }
  for (const node of nodes) {
    emission.addNode(node);
    for (const [outputName, value] of byNode.get(node) ?? []) emission.addOutput(outputName, value);
  }
  for (const [outputName, value] of byNode.get(undefined) ?? []) emission.addOutput(outputName, value);
  return { name, ...emission.result(Object.keys(outputs)) };
}

/** The parameters that the outputs depend on, in the order of first use. */
export function parametersOf(outputs: readonly Value[]): Value[] {
  const found = new Map<string, Value>();
  const visit = (value: Value): void => {
    if (value.source.kind === 'parameter' && !found.has(value.source.name))
      found.set(value.source.name, value);
  };
  for (const node of nodesFor(outputs)) node.inputs.forEach(visit);
  outputs.forEach(visit);
  return [...found.values()];
}

/** The name of an input or a parameter. @throws BadInputError for any other value. */
export function nameOf(value: Value): string {
  if (value.source.kind === 'input' || value.source.kind === 'parameter') return value.source.name;
  throw graphError('expected an input or a parameter, got a computed value');
}

/** The nodes that the values need, operands first. */
export function nodesFor(
  values: readonly Value[],
  standIn: StandIns = standInsWith(() => undefined, false),
): GraphNode[] {
  const order: GraphNode[] = [];
  const seen = new Set<GraphNode>();
  const stack = values.toReversed().map((value) => ({ value, isLeaving: false }));
  while (stack.length > 0) {
    const { value, isLeaving } = stack.pop()!;
    if (value.source.kind !== 'result') continue;
    const { node } = value.source;
    if (isLeaving) {
      order.push(node);
    } else if (!seen.has(node)) {
      seen.add(node);
      stack.push({ value, isLeaving: true });
      const other = standIn(node);
      for (const operand of other === undefined ? node.inputs.toReversed() : [other])
        stack.push({ value: operand, isLeaving: false });
    }
  }
  return order;
}

/** The value that is emitted in place of a node's output: an alias's original, a lowered form, or none. */
type StandIns = (node: GraphNode) => Value | undefined;

function standInsWith(lowering: Lowering, usesFusedForms: boolean): StandIns {
  const known = new Map<GraphNode, Value | undefined>();
  return (node) => {
    if (!known.has(node))
      known.set(node, lowering(node) ?? (node.operator.isAlias ? aliased(node, usesFusedForms) : undefined));
    return known.get(node);
  };
}

/** The first form that a lowering gives. */
function firstOf(lowerings: readonly Lowering[], node: GraphNode): Value | undefined {
  for (const lowering of lowerings) {
    const form = lowering(node);
    if (form !== undefined) return form;
  }
  return undefined;
}

class Emission {
  readonly #weights: Readonly<Record<string, AnyTensor>>;
  readonly #standIn: StandIns;
  readonly #names = new Map<Value, string>();
  readonly #reserved = new Map<Value, string>();
  readonly #leaves = new Map<string, Value>();
  readonly #nodesByKey = new Map<string, readonly string[]>();
  readonly #constants = new Map<string | AnyTensor, string>();
  readonly #nodes: OnnxNode[] = [];
  readonly #inputs: OnnxValueInfo[] = [];
  readonly #outputs: OnnxValueInfo[] = [];
  readonly #intermediates: OnnxValueInfo[] = [];
  readonly #initialisers: Record<string, AnyTensor> = {};

  constructor(weights: Readonly<Record<string, AnyTensor>>, standIn: StandIns) {
    this.#weights = weights;
    this.#standIn = standIn;
  }

  /** Lets a computed output carry its name from the start, so that no copy is needed to name it. */
  reserveOutput(name: string, value: Value): void {
    if (value.source.kind !== 'result') return;
    const other = this.#standIn(value.source.node);
    if (other !== undefined) this.reserveOutput(name, other);
    else if (!this.#reserved.has(value)) this.#reserved.set(value, name);
  }

  addNode(node: GraphNode): void {
    const { operator, inputs, attributes, outputs } = node;
    const other = this.#standIn(node);
    if (other !== undefined) {
      this.#names.set(outputs[0]!, this.#nameOf(other));
      return;
    }
    const inputNames = inputs.map((value) => this.#nameOf(value));
    const key = `${operator.domain ?? ''}:${operator.type}(${inputNames.join()})${JSON.stringify(attributes)}`;
    let outputNames = this.#nodesByKey.get(key);
    if (outputNames === undefined) {
      const base = `${operator.type}_${this.#nodes.length}`;
      outputNames = outputs.map((value, i) => this.#reserved.get(value) ?? (i === 0 ? base : `${base}_${i}`));
      this.#nodesByKey.set(key, outputNames);
      for (const [i, { dtype, shape }] of outputs.entries()) {
        this.#intermediates.push({ name: outputNames[i]!, dtype, shape });
      }
      const domain = operator.domain === undefined ? {} : { domain: operator.domain };
      this.#nodes.push({
        op: operator.type,
        inputs: inputNames,
        outputs: outputNames,
        attributes,
        name: base,
        ...domain,
      });
    }
    outputs.forEach((value, i) => {
      this.#names.set(value, outputNames[i]!);
    });
  }

  addOutput(name: string, value: Value): void {
    if (this.#leaves.has(name))
      throw graphError(`the name "${name}" stands for an input and an output`, 'rename one of them');
    const computed = this.#nameOf(value);
    if (computed !== name) {
      this.#nodes.push({ op: IDENTITY.type, inputs: [computed], outputs: [name], name: `output_${name}` });
    }
    this.#outputs.push({ name, dtype: value.dtype, shape: value.shape });
  }

  /** @param outputNames in the order in which the model is to have them */
  result(outputNames: readonly string[]): Omit<OnnxModel, 'name'> {
    const byName = new Map(this.#outputs.map((output) => [output.name, output]));
    return {
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs: outputNames.map((name) => byName.get(name)!),
      intermediates: this.#intermediates,
      initialisers: this.#initialisers,
    };
  }

  #nameOf(value: Value): string {
    let name = this.#names.get(value);
    if (name === undefined) {
      name = value.source.kind === 'constant' ? this.#addConstant(value.source.tensor) : this.#addLeaf(value);
      this.#names.set(value, name);
    }
    return name;
  }

  #addConstant(tensor: AnyTensor): string {
    const isSmall = tensor.data.byteLength <= SMALL_CONSTANT_BYTES;
    const key = isSmall ? `${tensor.dtype}[${tensor.shape}]${tensor.data}` : tensor;
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = `constant_${this.#constants.size}`;
      this.#constants.set(key, name);
      this.#initialisers[name] = tensor;
    }
    return name;
  }

  #addLeaf(value: Value): string {
    const name = nameOf(value);
    const known = this.#leaves.get(name);
    if (known !== undefined) {
      if (known.dtype === value.dtype && `${known.shape}` === `${value.shape}`) return name;
      throw graphError(
        `the name "${name}" stands for [${known.shape}] and for [${value.shape}]`,
        'rename one of them',
      );
    }
    this.#leaves.set(name, value);
    const weight = value.source.kind === 'parameter' ? this.#weights[name] : undefined;
    if (weight === undefined) {
      this.#inputs.push({ name, dtype: value.dtype, shape: value.shape });
    } else {
      if (`${weight.shape}` !== `${value.shape}`) {
        throw graphError(
          `expected "${name}" of shape [${value.shape}], got a weight [${weight.shape}]`,
          'check that the weights belong to this configuration',
        );
      }
      this.#initialisers[name] = weight;
    }
    return name;
  }
}
