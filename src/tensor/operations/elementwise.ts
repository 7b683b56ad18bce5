// Elementwise arithmetic with NumPy broadcasting, and comparisons.

import {
  applyOne,
  asValue,
  constant,
  graphError,
  type Operand,
  type Operator,
  scalarOf,
  type Value,
} from '../graph/value.ts';
import { broadcastShapes, sumToShape } from './broadcasting.ts';

const ADD: Operator = {
  type: 'Add',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [a, b], outputs: [y] }, [g]) => [sumToShape(g!, y!, a!), sumToShape(g!, y!, b!)],
};

const SUB: Operator = {
  type: 'Sub',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [a, b], outputs: [y] }, [g]) => [sumToShape(g!, y!, a!), neg(sumToShape(g!, y!, b!))],
};

const MUL: Operator = {
  type: 'Mul',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [a, b], outputs: [y] }, [g]) => [
    sumToShape(mul(g!, b!), y!, a!),
    a === b ? sumToShape(mul(g!, a!), y!, b!) : sumToShape(mul(g!, a!), y!, b!),
  ],
};

const DIV: Operator = {
  type: 'Div',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [a, b], outputs: [y] }, [g]) => {
    const quotient = div(g!, b!);
    return [sumToShape(quotient, y!, a!), neg(sumToShape(mul(quotient, y!), y!, b!))];
  },
};

// Ties give half of the gradient to either side, so that the two always add up to the whole.
const MAX: Operator = {
  type: 'Max',
  gradient: ({ inputs: [a, b], outputs: [y] }, [g]) => extremumGradient(g!, y!, a!, b!, greater(a!, b!)),
};

const MIN: Operator = {
  type: 'Min',
  gradient: ({ inputs: [a, b], outputs: [y] }, [g]) => extremumGradient(g!, y!, a!, b!, greater(b!, a!)),
};

const NEG: Operator = { type: 'Neg', takesBroadcastGradient: true, gradient: (_, [g]) => [neg(g!)] };

const SQRT: Operator = {
  type: 'Sqrt',
  takesBroadcastGradient: true,
  gradient: ({ outputs: [y] }, [g]) => [div(mul(g!, 0.5), y!)],
};

const RECIPROCAL: Operator = {
  type: 'Reciprocal',
  takesBroadcastGradient: true,
  gradient: ({ outputs: [y] }, [g]) => [neg(mul(g!, square(y!)))],
};

const EXP: Operator = {
  type: 'Exp',
  takesBroadcastGradient: true,
  gradient: ({ outputs: [y] }, [g]) => [mul(g!, y!)],
};

const LOG: Operator = {
  type: 'Log',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [x] }, [g]) => [div(g!, x!)],
};

const ABS: Operator = {
  type: 'Abs',
  takesBroadcastGradient: true,
  gradient: ({ inputs: [x] }, [g]) => [mul(g!, applyOne(SIGN, [x!], x!.shape))],
};

const SIGN: Operator = { type: 'Sign' };

const WHERE: Operator = {
  type: 'Where',
  gradient: ({ inputs: [condition, a, b], outputs: [y] }, [g]) => [
    undefined,
    sumToShape(where(condition!, g!, 0), y!, a!),
    sumToShape(where(condition!, 0, g!), y!, b!),
  ],
};

const GREATER: Operator = { type: 'Greater' };
const CAST_TO_FLOAT: Operator = { type: 'Cast' };

/** a + b. */
export function add(a: Operand, b: Operand): Value {
  return binary(ADD, a, b, (p, q) => p + q, { neutralLeft: 0, neutralRight: 0 });
}

/** a - b. */
export function sub(a: Operand, b: Operand): Value {
  return binary(SUB, a, b, (p, q) => p - q, { neutralRight: 0 });
}

/** a * b; products with known numbers are folded into one. */
export function mul(a: Operand, b: Operand): Value {
  const factor = scalarOf(asValue(b));
  const earlier = factor === undefined ? undefined : scaledValue(asValue(a));
  if (earlier !== undefined) return mul(earlier.value, earlier.factor * factor!);
  return binary(MUL, a, b, (p, q) => p * q, { neutralLeft: 1, neutralRight: 1 });
}

/** a / b. */
export function div(a: Operand, b: Operand): Value {
  return binary(DIV, a, b, (p, q) => p / q, { neutralRight: 1 });
}

/** The larger of a and b. */
export function maximum(a: Operand, b: Operand): Value {
  return binary(MAX, a, b, Math.max, {});
}

/** The smaller of a and b. */
export function minimum(a: Operand, b: Operand): Value {
  return binary(MIN, a, b, Math.min, {});
}

/** x limited to [low, high]; the gradient is zero outside. */
export function clip(x: Value, low: number, high: number): Value {
  return maximum(minimum(x, high), low);
}

/** -x. */
export function neg(x: Value): Value {
  const known = scalarOf(x);
  return known !== undefined && x.shape.length === 0 ? constant(-known) : applyOne(NEG, [x], x.shape);
}

/** x². */
export function square(x: Value): Value {
  return mul(x, x);
}

/** The square root; the gradient at 0 is infinite. */
export function sqrt(x: Value): Value {
  return applyOne(SQRT, [x], x.shape);
}

/** 1 / x. */
export function reciprocal(x: Value): Value {
  return applyOne(RECIPROCAL, [x], x.shape);
}

/** e to the power of x. */
export function exp(x: Value): Value {
  return applyOne(EXP, [x], x.shape);
}

/** The natural logarithm. */
export function log(x: Value): Value {
  return applyOne(LOG, [x], x.shape);
}

/** |x|; the gradient at 0 is 0. */
export function abs(x: Value): Value {
  return applyOne(ABS, [x], x.shape);
}

/** a where the condition holds, b elsewhere. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  if (condition.dtype !== 'bool') throw graphError(`where expected a bool condition, got ${condition.dtype}`);
  const [x, y] = alike(a, b, 'where');
  const shape = broadcastShapes(condition.shape, broadcastShapes(x.shape, y.shape, 'where'), 'where');
  return applyOne(WHERE, [condition, x, y], shape, {}, x.dtype);
}

/** Where a > b, as bool. No gradient flows through it. */
export function greater(a: Operand, b: Operand): Value {
  const [x, y] = alike(a, b, 'greater');
  return applyOne(GREATER, [x, y], broadcastShapes(x.shape, y.shape, 'greater'), {}, 'bool');
}

/** 1 where the condition holds, 0 elsewhere, or whole numbers as float32. No gradient flows through it. */
export function toFloat(x: Value): Value {
  return x.dtype === 'float32' ? x : applyOne(CAST_TO_FLOAT, [x], x.shape, { to: 1 }, 'float32');
}

function binary(
  operator: Operator,
  left: Operand,
  right: Operand,
  fold: (a: number, b: number) => number,
  { neutralLeft, neutralRight }: { neutralLeft?: number; neutralRight?: number },
): Value {
  const [a, b] = alike(left, right, operator.type);
  const shape = broadcastShapes(a.shape, b.shape, operator.type);
  const knownA = scalarOf(a);
  const knownB = scalarOf(b);
  if (knownA !== undefined && knownB !== undefined && shape.length === 0 && a.dtype === 'float32') {
    return constant(fold(knownA, knownB));
  }
  if (knownB !== undefined && knownB === neutralRight && shape.length === a.shape.length) return a;
  if (knownA !== undefined && knownA === neutralLeft && shape.length === b.shape.length) return b;
  return applyOne(operator, [a, b], shape);
}

function alike(left: Operand, right: Operand, operation: string): [Value, Value] {
  const a = asValue(left);
  const b = asValue(right);
  if (a.dtype !== b.dtype)
    throw graphError(`${operation} expected two values of one type, got ${a.dtype} and ${b.dtype}`);
  return [a, b];
}

function scaledValue(value: Value): { value: Value; factor: number } | undefined {
  if (value.source.kind !== 'result' || value.source.node.operator !== MUL) return undefined;
  const [a, b] = value.source.node.inputs as [Value, Value];
  const factor = scalarOf(b);
  return factor === undefined || b.shape.length > 0 ? undefined : { value: a, factor };
}

function extremumGradient(g: Value, y: Value, a: Value, b: Value, aWins: Value): Value[] {
  const bWins = greater(y, a);
  // a's share: 1 where only a reaches the extremum, 1/2 at ties, 0 elsewhere.
  const aLoses = y.source.kind === 'result' && y.source.node.operator === MAX ? bWins : greater(a, y);
  const shareOfA = mul(sub(add(toFloat(aWins), 1), toFloat(aLoses)), 0.5);
  const toA = mul(g, shareOfA);
  return [sumToShape(toA, y, a), sumToShape(sub(g, toA), y, b)];
}
