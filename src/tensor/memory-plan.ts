// What a model will hold while it runs, before it runs. How ONNX Runtime plans memory is modelled, not asked: nodes run in the
// order in which it finds them from the results, results that only look at a buffer in another shape take none,
// elementwise operators write over an operand that nobody needs any more (products take a buffer, as the runtime's own
// requests for memory show), a result takes the buffer of a dead one of its very shape, and a buffer is given back after its
// last reuse, so that one which serves the first and the last block is held in between. Convolutions hold a copy of their
// picture in blocked layout, the fused attention queries, keys and values once more, by head.
// Source: its allocation planner, onnxruntime/core/framework/allocation_planner.cc. docs/paper-scale.md compares plans
// with what was measured.

import { type ArenaPiece, ArenaPlan } from './arena-plan.ts';
import { elementCount } from './host-tensor.ts';
import type { OnnxModel, OnnxNode, OnnxValueInfo } from './onnx-model.ts';

/** Bytes that a model needs. */
export type MemoryPlan = {
  /** Weights: initialisers, and inputs of which `isWeight` says so. */
  readonly weightBytes: number;
  /** Other inputs, and outputs. */
  readonly boundaryBytes: number;
  /** The most that lives between inputs and outputs at one time, outputs included as they come. */
  readonly activationBytes: number;
  /** What of it an arena comes to hold, where the session keeps one (`keepsMemory`): see `ArenaPlan`. */
  readonly arenaBytes: number;
};

const BYTES = { float32: 4, int32: 4, int64: 8, float16: 2, uint8: 1, bool: 1 } as const;
const VIEWS = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten']);
const ELEMENTWISE = new Set([
  ...[
    'Add',
    'Sub',
    'Div',
    'Neg',
    'Exp',
    'Sqrt',
    'Sigmoid',
    'Tanh',
    'Erf',
    'Relu',
    'LeakyRelu',
    'Clip',
    'Reciprocal',
  ],
  ...['Where', 'Softmax', 'Pow', 'Abs', 'Log'],
]);

/**
 * Plans a model as `emitModel` gives it.
 * @param isWeight whether an input holds weights that stay from run to run
 * @param options `reuses`: false where its extents are to be left open, so that no buffer serves twice
 */
export function planMemory(
  model: OnnxModel,
  isWeight: (name: string) => boolean = () => false,
  { reuses = true }: { readonly reuses?: boolean } = {},
): MemoryPlan {
  const sizes = new Map<string, number>();
  const measure = ({ name, shape, dtype }: OnnxValueInfo): number => {
    const bytes = elementCount(shape.map(Number)) * BYTES[dtype];
    sizes.set(name, bytes);
    return bytes;
  };
  for (const [name, { data }] of Object.entries(model.initialisers)) sizes.set(name, data.byteLength);
  const weights = new Set(Object.keys(model.initialisers));
  let boundaryBytes = 0;
  for (const info of model.inputs) {
    const bytes = measure(info);
    if (isWeight(info.name)) weights.add(info.name);
    else boundaryBytes += bytes;
  }
  for (const info of model.intermediates ?? []) measure(info);
  for (const info of model.outputs) boundaryBytes += measure(info);
  return {
    weightBytes: [...weights].reduce((sum, name) => sum + sizes.get(name)!, 0),
    boundaryBytes,
    ...heldBetween({ ...model, nodes: inRunOrder(model.nodes) }, sizes, reuses, weights),
  };
}

/**
 * Nodes in the order in which ONNX Runtime runs them: it goes back from those whose results no other node takes, the last one
 * first, and to the last of a node's operands first. Source: `Graph::ReverseDFSFrom`, onnxruntime/core/graph/graph.cc.
 */
export function inRunOrder(nodes: readonly OnnxNode[]): readonly OnnxNode[] {
  const makers = new Map(nodes.flatMap(({ outputs }, i) => outputs.map((name) => [name, i] as const)));
  const operands = nodes.map(({ inputs }) =>
    [...new Set(inputs.flatMap((name) => makers.get(name) ?? []))].sort((a, b) => a - b),
  );
  const isTaken = new Set(operands.flat());
  const stack = nodes.flatMap((_, i) => (isTaken.has(i) ? [] : [{ i, isLeaving: false }]));
  const seen = new Set<number>();
  const order: OnnxNode[] = [];
  while (stack.length > 0) {
    const { i, isLeaving } = stack.pop()!;
    if (isLeaving) order.push(nodes[i]!);
    if (isLeaving || seen.has(i)) continue;
    seen.add(i);
    stack.push({ i, isLeaving: true }, ...operands[i]!.map((operand) => ({ i: operand, isLeaving: false })));
  }
  return order;
}

type Buffer = { readonly bytes: number; readonly from: number; to: number };

/** Takes and gives back every buffer in the order of the run. */
function heldBetween(
  model: OnnxModel,
  sizes: ReadonlyMap<string, number>,
  reuses: boolean,
  weights: ReadonlySet<string>,
): Pick<MemoryPlan, 'activationBytes' | 'arenaBytes'> {
  const { nodes } = model;
  const buffers = plannedBuffers(model, sizes, reuses, weights);
  const taken = byNode(buffers, ({ from }) => from);
  const given = byNode(buffers, ({ to }) => to);
  const pieces = new Map<Buffer, ArenaPiece>();
  const arena = new ArenaPlan();
  let [live, peak] = [0, 0];
  for (const [i, node] of nodes.entries()) {
    for (const buffer of taken.get(i) ?? []) {
      live += buffer.bytes;
      pieces.set(buffer, arena.take(buffer.bytes));
    }
    const scratchBytes = scratchOf(node, sizes);
    peak = Math.max(peak, live + scratchBytes);
    if (scratchBytes > 0) arena.give(arena.take(scratchBytes));
    for (const buffer of given.get(i) ?? []) {
      live -= buffer.bytes;
      arena.give(pieces.get(buffer)!);
    }
  }
  return { activationBytes: peak, arenaBytes: arena.writtenBytes };
}

function byNode(
  buffers: readonly Buffer[],
  nodeOf: (buffer: Buffer) => number,
): ReadonlyMap<number, readonly Buffer[]> {
  const groups = new Map<number, Buffer[]>();
  for (const buffer of buffers) {
    const group = groups.get(nodeOf(buffer));
    if (group === undefined) groups.set(nodeOf(buffer), [buffer]);
    else group.push(buffer);
  }
  return groups;
}

/** Every buffer with the nodes between which it is held. */
function plannedBuffers(
  { nodes, inputs, outputs, intermediates = [] }: OnnxModel,
  sizes: ReadonlyMap<string, number>,
  reuses: boolean,
  weights: ReadonlySet<string>,
): readonly Buffer[] {
  const views = viewsOf(nodes);
  const rootOf = (name: string): string => views.get(name) ?? name;
  const shapes = new Map([...intermediates, ...outputs].map(({ name, shape }) => [name, shape.join()]));
  const lastUse = new Map<string, number>();
  for (const [i, node] of nodes.entries()) {
    for (const name of node.inputs) lastUse.set(rootOf(name), i);
  }
  for (const { name } of outputs) lastUse.set(rootOf(name), nodes.length);
  const given = new Set([...inputs.map(({ name }) => name), ...weights]);
  const buffers: Buffer[] = [];
  const held = new Map<string, Buffer>();
  const free = new Map<string, Buffer[]>();
  for (const [i, node] of nodes.entries()) {
    const dying = [...new Set(node.inputs.map(rootOf))].filter(
      (name) => !given.has(name) && lastUse.get(name) === i && held.has(name),
    );
    const results = node.outputs.filter((name) => name !== '' && rootOf(name) === name);
    for (const name of results) {
      const shape = shapes.get(name) ?? '';
      const over =
        reuses && ELEMENTWISE.has(node.op)
          ? dying.find((other) => shapes.get(other) === shape && !results.includes(other))
          : undefined;
      const last = lastUse.get(name) ?? i;
      const buffer = over === undefined ? free.get(shape)?.pop() : held.get(over);
      if (over !== undefined) dying.splice(dying.indexOf(over), 1);
      if (buffer === undefined) buffers.push({ bytes: sizes.get(name) ?? 0, from: i, to: last });
      else buffer.to = Math.max(buffer.to, last);
      held.set(name, buffer ?? buffers.at(-1)!);
    }
    if (!reuses) continue;
    for (const name of [...dying, ...results.filter((result) => (lastUse.get(result) ?? i) === i)]) {
      const shape = shapes.get(name) ?? '';
      free.set(shape, [...(free.get(shape) ?? []), held.get(name)!]);
    }
  }
  return buffers;
}

/** The buffer that each view looks at. */
function viewsOf(nodes: readonly OnnxNode[]): ReadonlyMap<string, string> {
  const buffers = new Map<string, string>();
  for (const { op, inputs, outputs } of nodes) {
    if (VIEWS.has(op)) buffers.set(outputs[0]!, buffers.get(inputs[0]!) ?? inputs[0]!);
  }
  return buffers;
}

/** What an operator holds besides its operands and results; in blocked layout convolutions hold nothing. */
function scratchOf({ op, domain, inputs }: OnnxNode, sizes: ReadonlyMap<string, number>): number {
  const bytes = (name: string | undefined): number => sizes.get(name ?? '') ?? 0;
  if ((op === 'Conv' && domain === undefined) || op === 'ConvTranspose') return bytes(inputs[0]);
  if (op === 'MultiHeadAttention') return inputs.slice(0, 3).reduce((sum, name) => sum + bytes(name), 0);
  return 0;
}
