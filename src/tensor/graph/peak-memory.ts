// How much memory a graph's values need at once, walked in the order in which a runtime computes them.

import { elementCount } from '../host-tensor.ts';
import { nodesFor } from './emission.ts';
import type { GraphNode, Value } from './value.ts';

/** Operators whose result is their first input seen otherwise. */
const VIEWS: ReadonlySet<string> = new Set(['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);
const FLOAT_BYTES = 4;

/**
 * The most bytes that computed values hold at one moment, each kept from its node to its last use; outputs stay.
 * Leaves do not count. A bound from the graph alone: what an operator needs inside, and what a runtime saves by computing
 * in place, is not in it.
 * @param into further outputs, which go to memory that is there anyway and do not count
 */
export function peakValueBytes(outputs: readonly Value[], into: readonly Value[] = []): number {
  const all = [...outputs, ...into];
  const nodes = nodesFor(all);
  const elsewhere = new Set(into.map(ownerOf));
  const lastUse = new Map<GraphNode, number>();
  const note = (value: Value, at: number): void => {
    const owner = ownerOf(value);
    if (owner !== undefined) lastUse.set(owner, at);
  };
  for (const [at, node] of nodes.entries()) for (const operand of node.inputs) note(operand, at);
  for (const value of all) note(value, nodes.length);
  const ending = new Map<number, GraphNode[]>();
  for (const [node, at] of lastUse) ending.set(at, [...(ending.get(at) ?? []), node]);
  let [held, peak] = [0, 0];
  for (const [at, node] of nodes.entries()) {
    if (!isView(node) && !elsewhere.has(node)) held += bytesOf(node);
    peak = Math.max(peak, held);
    for (const ended of ending.get(at) ?? []) if (!elsewhere.has(ended)) held -= bytesOf(ended);
  }
  return peak;
}

function ownerOf(value: Value): GraphNode | undefined {
  if (value.source.kind !== 'result') return undefined;
  const { node } = value.source;
  return isView(node) ? ownerOf(node.inputs[0]!) : node;
}

function isView({ operator }: GraphNode): boolean {
  return operator.isAlias === true || VIEWS.has(operator.type);
}

function bytesOf({ outputs }: GraphNode): number {
  return outputs.reduce((sum, { shape }) => sum + FLOAT_BYTES * elementCount(shape), 0);
}
