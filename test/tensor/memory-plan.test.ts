import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  emitModel,
  gemm,
  input,
  inRunOrder,
  parameter,
  planMemory,
  relu,
  reshape,
} from '../../src/tensor/index.ts';

const x = input('x', [4, 8]);
const KILO = 4 * 8 * 4;
const planOf = (outputs: Parameters<typeof emitModel>[0]['outputs']) =>
  planMemory(emitModel({ name: 'planned', outputs }), (name) => name === 'w');

test('weights, what goes in and out, and what lies between are told apart', () => {
  const y = gemm(gemm(x, parameter('w', [8, 8])), parameter('w', [8, 8]));
  const { weightBytes, boundaryBytes, activationBytes } = planOf({ y });
  assert.deepEqual([weightBytes, boundaryBytes], [8 * 8 * 4, 2 * KILO]);
  assert.equal(activationBytes, 2 * KILO);
});

test('elementwise operators write over what nobody needs any more, and views take nothing', () => {
  const w = parameter('w', [8, 8]);
  const once = planOf({ y: relu(gemm(x, w)) });
  assert.equal(once.activationBytes, KILO);
  const kept = gemm(x, w);
  assert.equal(planOf({ y: add(relu(kept), kept) }).activationBytes, 2 * KILO);
  assert.equal(planOf({ y: reshape(gemm(x, w), [8, 4]) }).activationBytes, KILO);
});

test('a buffer that a later result of its shape takes is held in between', () => {
  const [wide, narrow] = [parameter('w', [8, 64]), parameter('v', [64, 8])];
  const loop = (value: typeof x): typeof x => gemm(gemm(value, wide), narrow);
  // One wide buffer and one narrow one serve both loops, and both live throughout.
  assert.equal(planOf({ y: loop(loop(x)) }).activationBytes, 4 * 64 * 4 + KILO);
});

test('nodes run from the last result back, and outputs that copy another stand behind it', () => {
  const first = relu(gemm(x, parameter('w', [8, 8])));
  const last = gemm(first, parameter('v', [8, 8]));
  const { nodes } = emitModel({ name: 'order', outputs: { first, again: first, last } });
  assert.deepEqual(
    nodes.map(({ op }) => op),
    ['Gemm', 'Relu', 'Identity', 'Gemm'],
  );
  assert.deepEqual(
    inRunOrder(nodes).map(({ outputs }) => outputs[0]),
    [nodes[0]!.outputs[0], 'first', 'last', 'again'],
  );
});
