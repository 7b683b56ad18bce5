// Several nodes at once: a rule for their gradient, where a shorter way exists than through each of them, and one
// operator in their place, where a runtime has it.

import { type Attributes, applyOne, type GraphNode, type Operator, type Value } from './value.ts';

/**
 * The same value, whose gradient passes by `rule` straight to `inputs`, past the nodes that computed it.
 * @param rule from the gradient of the result, whole, to those of the inputs, in order; undefined is none
 */
export function withGradient(
  result: Value,
  inputs: readonly Value[],
  rule: (gradient: Value) => readonly (Value | undefined)[],
): Value {
  const operator = {
    type: 'Identity',
    isAlias: true,
    gradient: (_: unknown, [g]: readonly (Value | undefined)[]) => [undefined, ...rule(g!)],
  };
  return applyOne(operator, [result, ...inputs], result.shape);
}

/** One operator that computes what several nodes do. */
export type FusedForm = {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
};

/** The same value; `emitModel` puts the fused form in its place where `usesFusedForms` asks for it. */
export function withFusedForm(result: Value, { type, domain, inputs, attributes }: FusedForm): Value {
  const operator: Operator = {
    type,
    domain,
    isAlias: true,
    takesBroadcastGradient: true,
    gradient: (_, [g]) => [g],
  };
  return applyOne(operator, [result, ...inputs], result.shape, attributes);
}

/** What stands for an alias in a model: its first input, or its fused form where it has one and that is wanted. */
export function aliased(
  { operator, inputs, attributes, outputs }: GraphNode,
  usesFusedForms: boolean,
): Value {
  const [result, ...operands] = inputs as [Value, ...Value[]];
  if (!usesFusedForms || operator.domain === undefined) return result;
  return applyOne({ type: operator.type, domain: operator.domain }, operands, outputs[0]!.shape, attributes);
}
