// Models in mixed precision: what is held in halves and what is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDevice } from '../../src/node/index.ts';
import {
  add,
  attention,
  conv2d,
  emitModel,
  encodeOnnxModel,
  groupNorm,
  inPrecision,
  input,
  layerNorm,
  linear,
  matmul,
  type OnnxModel,
  parameter,
  reshape,
  silu,
  transpose,
  type Value,
  withHalves,
} from '../../src/tensor/index.ts';

const NAMES = ['conv', 'convBias', 'scale', 'bias', 'normScale', 'normBias', 'linear', 'linearBias'];
const isWeight = (name: string): boolean => NAMES.includes(name);

/** A convolution, both norms, a linear layer, attention and a residual. */
function network(): OnnxModel {
  const [conv, bias] = [parameter('conv', [4, 4, 3, 3]), parameter('convBias', [4])];
  const x = conv2d(input('x', [1, 4, 4, 4]), conv, { bias, padding: 1 });
  const norm = { groups: 2, scale: parameter('scale', [4]), bias: parameter('bias', [4]) };
  const tokens = transpose(reshape(silu(groupNorm(x, norm)), [1, 4, 16]), [0, 2, 1]);
  const normal = layerNorm(tokens, { scale: parameter('normScale', [4]), bias: parameter('normBias', [4]) });
  const query: Value = linear(normal, parameter('linear', [4, 4]), parameter('linearBias', [4]));
  const y = add(attention({ query, key: normal, value: normal, heads: 2 }), tokens);
  return emitModel({ name: 'network', outputs: { y } });
}

const typesOf = (model: OnnxModel): ReadonlyMap<string, string> =>
  new Map([
    ...[...model.inputs, ...(model.intermediates ?? []), ...model.outputs].map(
      ({ name, dtype }) => [name, dtype] as const,
    ),
    ...Object.entries(model.initialisers).map(([name, { dtype }]) => [name, dtype] as const),
  ]);

test('products are held in halves, norms and softmaxes in fp32, what goes in and out stays', () => {
  const model = withHalves(network(), { isWeight });
  const types = typesOf(model);
  const seen = new Map<string, Set<string>>();
  for (const { op, inputs } of model.nodes) {
    const kinds = inputs.map((name) => types.get(name)!).filter((type) => type.startsWith('float'));
    if (op !== 'Cast') seen.set(op, new Set([...(seen.get(op) ?? []), ...kinds]));
  }
  for (const op of ['Conv', 'Gemm', 'MatMul', 'Add', 'Sigmoid'])
    assert.deepEqual([...seen.get(op)!], ['float16'], op);
  for (const op of ['LayerNormalization', 'Softmax']) assert.deepEqual([...seen.get(op)!], ['float32'], op);
  for (const { name } of [...network().inputs, ...network().outputs].filter(({ name }) => !isWeight(name)))
    assert.equal(types.get(name), 'float32', name);
});

test('weights take the precision of what they meet, and stay in fp32 where they learn', () => {
  const widths = (model: OnnxModel): Record<string, string> =>
    Object.fromEntries(
      model.inputs.filter(({ name }) => isWeight(name)).map(({ name, dtype }) => [name, dtype]),
    );
  const narrow = widths(withHalves(network(), { isWeight }));
  for (const name of NAMES) assert.equal(narrow[name], name.startsWith('norm') ? 'float32' : 'float16', name);
  const kept = widths(withHalves(network(), { isWeight, keepsWeights: true }));
  assert.deepEqual(new Set(Object.values(kept)), new Set(['float32']));
});

test('long sums of computed values are in fp32, a gradient of a weight over many pixels say', () => {
  const long = (tokens: number): string => {
    const [a, b] = [input('a', [2, 4, tokens]), input('b', [2, tokens, 4])];
    const model = withHalves(emitModel({ name: 'long', outputs: { y: matmul(a, b) } }));
    return typesOf(model).get(model.nodes.find(({ op }) => op === 'MatMul')!.inputs[0]!)!;
  };
  assert.deepEqual([long(1024), long(1025)], ['float16', 'float32']);
});

test('every node comes after what it reads, and no value is made twice', () => {
  const { nodes, inputs, initialisers, outputs } = withHalves(network(), { isWeight });
  const known = new Set([...inputs.map(({ name }) => name), ...Object.keys(initialisers)]);
  for (const { name, inputs: read, outputs: made } of nodes) {
    for (const one of read) assert.ok(one === '' || known.has(one), `${name} reads ${one}`);
    for (const one of made) {
      assert.ok(!known.has(one), `${one} is made twice`);
      known.add(one);
    }
  }
  for (const { name } of outputs) assert.ok(known.has(name), name);
});

test('a processor is refused in one line, fp32 is taken as it is', async () => {
  const cpu = await createDevice('cpu');
  const model = network();
  assert.equal(inPrecision(model, 'fp32', cpu), model);
  assert.throws(() => inPrecision(model, 'fp16', cpu), {
    name: 'MissingResourceError',
    code: 'no-halves',
    message: 'expected a device that computes in 16-bit floats, but cpu does not here',
  });
  await using session = await cpu.createSession(
    encodeOnnxModel(withHalves(model, { isWeight, keepsWeights: true })),
  );
  assert.deepEqual(new Set(session.inputNames), new Set(model.inputs.map(({ name }) => name)));
});
