// A model in 16-bit floats where they hold, in fp32 where they do not. Convolutions and matrix products are computed in
// halves, and what lies between them follows; norms, softmaxes, sums, exponentials, quotients and products with long sums
// are fp32's, and the large results of norms and softmaxes are narrowed again. What is fed and what comes out stays as it was.
// Source: Micikevicius et al., "Mixed precision training", 2018, sections 3.1 and 3.3.

import { MissingResourceError } from '../errors/index.ts';
import type { Device } from './device.ts';
import { toHalf } from './half.ts';
import { type AnyTensor, elementCount, type Tensor } from './host-tensor.ts';
import type { OnnxModel, OnnxNode, OnnxValueInfo } from './onnx-model.ts';

/** What a network computes in: fp32 throughout, or 16-bit floats where they hold. */
export const PRECISIONS = ['fp32', 'fp16'] as const;
export type Precision = (typeof PRECISIONS)[number];

/**
 * A model in the precision that is asked for.
 * @throws MissingResourceError where that is fp16 and the device has no kernels for it
 */
export function inPrecision(
  model: OnnxModel,
  precision: Precision,
  device: Device,
  options: HalvesOptions = {},
): OnnxModel {
  if (precision === 'fp32') return model;
  if (device.computesHalves === true) return withHalves(model, options);
  throw new MissingResourceError({
    code: 'no-halves',
    message: `expected a device that computes in 16-bit floats, but ${device.name} does not here`,
    hint: 'use a GPU whose driver has them (shader-f16 in WebGPU), or precision fp32',
  });
}

/** What of a model's inputs is weights: they take the precision of what they meet. */
export type HalvesOptions = {
  readonly isWeight?: (name: string) => boolean;
  /** Whether weights are fed in fp32 and narrowed at each run, as those that learn are. Default false. */
  readonly keepsWeights?: boolean;
};

type Width = 'half' | 'wide';

/** Computed in halves whatever they are given, but for those with long sums. */
const PRODUCTS: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvTranspose', 'MatMul', 'Gemm', 'MultiHeadAttention'],
]);
/** Computed in fp32 whatever they are given. */
const WIDE: ReadonlySet<string> = new Set([
  ...['LayerNormalization', 'Softmax', 'ReduceSum', 'ReduceMean', 'ReduceMax'],
  ...['Exp', 'Log', 'Sqrt', 'Div', 'Reciprocal', 'Softplus'],
  // ONNX Runtime's adds no halves on WebGPU.
  'ScatterND',
]);
/** Of these the first result is as large as what it is made of, and goes on as that was. */
const NARROWED: ReadonlySet<string> = new Set(['LayerNormalization', 'Softmax']);
/**
 * WebGPU's kernels add halves in halves, which errs as the root of the count: over 16,384 pixels by 2 %. So do the gradients of
 * weights, and attention over many tokens. Sums with a weight are no longer than its channels, and stay.
 */
const MOST_TERMS = 1024;
const [FLOAT, HALF] = [1, 10];

/**
 * The model in mixed precision. Without `isWeight` all inputs are fed values, weights are what it carries.
 * @param model as `emitModel` gives it, with its intermediate values
 */
export function withHalves(model: OnnxModel, options: HalvesOptions = {}): OnnxModel {
  const widths = widthsOf(model, options);
  return new Rewriting(model, widths, options).run();
}

/** Whether each node is computed in halves, in the nodes' order. */
function widthsOf(model: OnnxModel, { isWeight = () => false }: HalvesOptions): readonly Width[] {
  const floats = floatsOf(model);
  const shapes = new Map(valuesOf(model).map(({ name, shape }) => [name, shape.map(Number)]));
  const weights = new Set(Object.keys(model.initialisers));
  for (const { name } of model.inputs) if (isWeight(name)) weights.add(name);
  /** Of what is computed or fed; weights and constants have none of their own. */
  const homes = new Map<string, Width>();
  for (const { name, dtype } of model.inputs)
    if (dtype === 'float32' && !isWeight(name)) homes.set(name, 'wide');
  return model.nodes.map((node): Width => {
    const inputs = floatInputs(node, floats);
    const met = inputs.flatMap((name) => homes.get(name) ?? []);
    // A turned weight is a weight: it is what the product wants that comes next.
    const isOfWeights =
      met.length === 0 && inputs.some((name) => weights.has(name) && !(name in model.initialisers));
    const follows: Width = met.includes('half') || isOfWeights ? 'half' : 'wide';
    const isOfComputed = !node.inputs.slice(0, 2).some((name) => weights.has(name));
    const product: Width = isOfComputed && termsOf(node, shapes) > MOST_TERMS ? 'wide' : 'half';
    const width = PRODUCTS.has(node.op) ? product : WIDE.has(node.op) ? 'wide' : follows;
    for (const [i, name] of node.outputs.entries()) {
      if (isOfWeights && width === 'half') weights.add(name);
      else if (floats.has(name)) homes.set(name, i === 0 && NARROWED.has(node.op) ? follows : width);
    }
    return width;
  });
}

/** How many products each result of a node sums up. */
function termsOf(
  { op, inputs, attributes }: OnnxNode,
  shapes: ReadonlyMap<string, readonly number[]>,
): number {
  const [left, right] = [shapes.get(inputs[0]!) ?? [], shapes.get(inputs[1]!) ?? []];
  if (op === 'Conv') return elementCount(right.slice(1));
  if (op === 'Gemm') return left.at(attributes?.transA === 1 ? 0 : 1)!;
  return op === 'MatMul' ? left.at(-1)! : 0;
}

class Rewriting {
  readonly #model: OnnxModel;
  readonly #widths: readonly Width[];
  readonly #floats: ReadonlySet<string>;
  /** The forms that a value is held in, by name. */
  readonly #forms = new Map<string, Partial<Record<Width, string>>>();
  readonly #nodes: OnnxNode[] = [];
  readonly #initialisers: Record<string, AnyTensor> = {};
  readonly #inputs: readonly OnnxValueInfo[];
  readonly #narrowed: OnnxValueInfo[] = [];
  readonly #shapes: ReadonlyMap<string, OnnxValueInfo['shape']>;

  constructor(model: OnnxModel, widths: readonly Width[], options: HalvesOptions) {
    const { isWeight = () => false, keepsWeights = false } = options;
    this.#model = model;
    this.#widths = widths;
    this.#floats = floatsOf(model);
    this.#shapes = new Map(valuesOf(model).map(({ name, shape }) => [name, shape]));
    const wanted = new Set<string>();
    for (const [i, node] of model.nodes.entries())
      if (widths[i] === 'wide') for (const name of node.inputs) wanted.add(name);
    this.#inputs = model.inputs.map((info) => {
      const { name, dtype } = info;
      const isNarrow = dtype === 'float32' && isWeight(name) && !keepsWeights && !wanted.has(name);
      this.#forms.set(name, { [isNarrow ? 'half' : 'wide']: name });
      return isNarrow ? { ...info, dtype: 'float16' } : info;
    });
  }

  run(): OnnxModel {
    for (const [i, node] of this.#model.nodes.entries()) this.#addNode(node, this.#widths[i]!);
    for (const { name, dtype } of this.#model.outputs) if (dtype === 'float32') this.#as(name, 'wide');
    return {
      ...this.#model,
      ...{ nodes: this.#nodes, inputs: this.#inputs, initialisers: this.#initialisers },
      intermediates: [...(this.#model.intermediates ?? []), ...this.#narrowed],
    };
  }

  #addNode(node: OnnxNode, width: Width): void {
    const cast = new Set(floatInputs(node, this.#floats));
    const inputs = node.inputs.map((name) => this.#as(name, cast.has(name) ? width : 'wide'));
    const outputs = node.outputs.map((name) => {
      if (!this.#floats.has(name)) return name;
      const held = width === 'half' ? this.#halfOf(name) : name;
      this.#forms.set(name, { [width]: held });
      return held;
    });
    this.#nodes.push({ ...node, inputs, outputs });
  }

  /** The name under which a value is held in a width; it is cast where it is not yet. */
  #as(name: string, width: Width): string {
    const known = this.#model.initialisers[name];
    const forms = this.#forms.get(name) ?? {};
    const held = forms[width];
    if (held !== undefined || name === '') return held ?? name;
    const made = width === 'half' ? this.#halfOf(name) : name;
    this.#forms.set(name, { ...forms, [width]: made });
    if (known !== undefined) {
      this.#initialisers[made] = width === 'half' ? halved(known as Tensor) : known;
    } else if (this.#floats.has(name)) {
      const other = forms[width === 'half' ? 'wide' : 'half']!;
      const to = width === 'half' ? HALF : FLOAT;
      this.#nodes.push({
        op: 'Cast',
        inputs: [other],
        outputs: [made],
        attributes: { to },
        name: `to.${made}`,
      });
    }
    return made;
  }

  #halfOf(name: string): string {
    const half = `${name}.half`;
    this.#narrowed.push({ name: half, dtype: 'float16', shape: this.#shapes.get(name) ?? [] });
    return half;
  }
}

function halved({ shape, data }: Tensor): AnyTensor {
  return { dtype: 'float16', shape, data: toHalf(data) };
}

/** Inputs that may be either: all floats, but for what a resizing takes as numbers. */
function floatInputs({ op, inputs }: OnnxNode, floats: ReadonlySet<string>): readonly string[] {
  return (op === 'Resize' ? inputs.slice(0, 1) : inputs).filter((name) => floats.has(name));
}

function floatsOf(model: OnnxModel): ReadonlySet<string> {
  const initialisers = Object.entries(model.initialisers).map(([name, { dtype }]) => ({ name, dtype }));
  const all = [...valuesOf(model), ...initialisers];
  return new Set(all.filter(({ dtype }) => dtype === 'float32').map(({ name }) => name));
}

function valuesOf({ inputs, outputs, intermediates = [] }: OnnxModel): readonly OnnxValueInfo[] {
  return [...inputs, ...intermediates, ...outputs];
}
