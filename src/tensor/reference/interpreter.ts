// Evaluates a symbolic graph directly, in float64 and without any back end: slow, plain, and the measure of
// everything that is emitted.

import { type GraphNode, graphError, type Value } from '../graph/value.ts';
import type { Dense } from './dense.ts';
import { MEANINGS } from './operators.ts';

/**
 * The elements of each output.
 * @param feeds data of the inputs and parameters by name, whatever their type, as numbers
 * @throws BadInputError if something needed is not fed.
 */
export function interpret(
  outputs: readonly Value[],
  feeds: Readonly<Record<string, Float64Array>>,
): Float64Array[] {
  const results = new Map<GraphNode, readonly Dense[]>();
  const arrayOf = (value: Value): Dense => {
    const { source, shape } = value;
    switch (source.kind) {
      case 'constant':
        return { shape, data: Float64Array.from(source.tensor.data as Iterable<number | bigint>, Number) };
      case 'result':
        return resultsOf(source.node)[source.output]!;
      default: {
        const data = feeds[source.name];
        if (data === undefined) throw graphError(`expected data for "${source.name}", got none`);
        return { shape, data };
      }
    }
  };
  const resultsOf = (node: GraphNode): readonly Dense[] => {
    const known = results.get(node);
    if (known !== undefined) return known;
    // An alias is its first input, whatever operator may stand for it elsewhere.
    const type = node.operator.isAlias ? 'Identity' : node.operator.type;
    const meaning = MEANINGS[type];
    if (meaning === undefined) throw graphError(`the reference does not know the operator ${type}`);
    const shapes = node.outputs.map(({ shape }) => shape);
    const computed = meaning(node.inputs.map(arrayOf), node.attributes, shapes);
    results.set(node, computed);
    return computed;
  };
  return outputs.map((output) => arrayOf(output).data);
}
