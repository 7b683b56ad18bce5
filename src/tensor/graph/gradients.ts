// Gradients by reverse accumulation: from a scalar loss back through the rules of the operators.

import { isSameShape } from '../operations/broadcasting.ts';
import { add } from '../operations/elementwise.ts';
import { expand, zerosOf } from '../operations/shape.ts';
import { applyOne, asValue, type GraphNode, graphError, type Operator, type Value } from './value.ts';

const IDENTITY: Operator = { type: 'Identity' };

/** The same values, through which no gradient flows. */
export function stopGradient(x: Value): Value {
  return applyOne(IDENTITY, [x], x.shape);
}

/**
 * The gradients of a scalar loss, one value per entry of `wrt`, each of its entry's shape.
 * What the loss does not depend on gets zeros.
 * @throws BadInputError if the loss is not a scalar, or the path goes through an operator without a gradient.
 */
export function gradients(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.some((extent) => extent !== 1)) {
    throw graphError(
      `gradients expected a loss of one element, got [${loss.shape}]`,
      'take the mean or the sum first',
    );
  }
  return pullBack(loss, asValue(1), wrt).map((g, i) => g ?? zerosOf(wrt[i]!.shape));
}

/**
 * Carries the gradient of `result` back to `wrt`, whose entries are taken as leaves; undefined for those that it does not
 * depend on. Operators without a rule stop the gradient, as `stopGradient` does.
 */
export function pullBack(result: Value, gradient: Value, wrt: readonly Value[]): (Value | undefined)[] {
  const targets = new Set(wrt.map(identityOf));
  const order = nodesTowards(result, targets);
  const gathered = new Map<Identity, Value>([[identityOf(result), gradient]]);
  for (const node of order.reverse()) {
    const outputGradients = node.outputs.map((output) => gradientOf(output, node.operator, gathered));
    if (node.operator.gradient === undefined || outputGradients.every((g) => g === undefined)) continue;
    const inputGradients = node.operator.gradient(node, outputGradients);
    node.inputs.forEach((operand, i) => {
      const g = inputGradients[i];
      if (g === undefined || operand.source.kind === 'constant') return;
      const before = gathered.get(identityOf(operand));
      gathered.set(identityOf(operand), before === undefined ? g : add(before, g));
    });
  }
  return wrt.map((value) => {
    const g = gathered.get(identityOf(value));
    return g === undefined ? undefined : whole(g, value.shape);
  });
}

/** Leaves are the same where their names are, so that a weight may be declared at each of its uses. */
type Identity = Value | string;

function identityOf(value: Value): Identity {
  const { source } = value;
  return source.kind === 'parameter' || source.kind === 'input' ? `${source.kind} ${source.name}` : value;
}

function gradientOf(
  output: Value,
  operator: Operator,
  gathered: ReadonlyMap<Identity, Value>,
): Value | undefined {
  const g = gathered.get(identityOf(output));
  return g === undefined || operator.takesBroadcastGradient ? g : whole(g, output.shape);
}

function whole(gradient: Value, shape: readonly number[]): Value {
  return isSameShape(gradient.shape, shape) ? gradient : expand(gradient, shape);
}

/** The nodes between the targets and the result that a gradient passes, in topological order. */
function nodesTowards(result: Value, targets: ReadonlySet<Identity>): GraphNode[] {
  const reaches = new Map<Value | GraphNode, boolean>();
  const order: GraphNode[] = [];
  const stack: { value: Value; isLeaving: boolean }[] = [{ value: result, isLeaving: false }];
  const reachesTarget = (value: Value): boolean =>
    targets.has(identityOf(value)) ||
    (value.source.kind === 'result' && reaches.get(value.source.node) === true);
  while (stack.length > 0) {
    const { value, isLeaving } = stack.pop()!;
    if (value.source.kind !== 'result' || targets.has(identityOf(value))) continue;
    const { node } = value.source;
    if (isLeaving) {
      const isOnPath = node.operator.gradient !== undefined && node.inputs.some(reachesTarget);
      reaches.set(node, isOnPath);
      if (isOnPath) order.push(node);
    } else if (!reaches.has(node)) {
      reaches.set(node, false);
      stack.push({ value, isLeaving: true });
      for (const operand of node.inputs) stack.push({ value: operand, isLeaving: false });
    }
  }
  return order;
}
