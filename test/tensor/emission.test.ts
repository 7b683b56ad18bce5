// What the emitted models compute on ONNX Runtime, against the reference interpreter; and how they are emitted.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createDevice } from '../../src/node/onnx-device.ts';
import {
  type AnyTensor,
  add,
  constant,
  conv2d,
  emitModel,
  encodeOnnxModel,
  exp,
  gradients,
  input,
  interpret,
  mul,
  nameOf,
  type OnnxModel,
  parameter,
  parametersOf,
  square,
  sum,
  tensor,
  type Value,
} from '../../src/tensor/index.ts';
import { OPERATOR_CASES } from './operator-cases.ts';
import { randomFeeds } from './random-feeds.ts';

const TOLERANCE = 2e-5;

async function runModel(
  model: OnnxModel,
  feeds: Record<string, AnyTensor>,
): Promise<Record<string, AnyTensor>> {
  const device = await createDevice('cpu');
  await using session = await device.createSession(encodeOnnxModel(model), { threads: 1 });
  return await session.run(feeds);
}

function asTensors(values: readonly Value[], data: Record<string, Float64Array>): Record<string, AnyTensor> {
  const entries = values.map((value) => [
    nameOf(value),
    tensor(Float32Array.from(data[nameOf(value)]!), value.shape),
  ]);
  return Object.fromEntries(entries) as Record<string, AnyTensor>;
}

describe('ONNX Runtime and the reference agree, forward and backward, for', () => {
  for (const { title, build, isPositive = false, hasNoGradient = false } of OPERATOR_CASES) {
    test(title, async () => {
      const result = build();
      const parameters = parametersOf([result]);
      const derivatives = hasNoGradient ? [] : gradients(sum(square(result)), parameters);
      const outputs = Object.fromEntries([result, ...derivatives].map((value, i) => [`output${i}`, value]));
      const data = randomFeeds(parameters, { isPositive });
      const expected = interpret(Object.values(outputs), data);
      const got = await runModel(emitModel({ name: 'case', outputs }), asTensors(parameters, data));
      Object.keys(outputs).forEach((name, i) => {
        assert.deepEqual(got[name]!.shape, outputs[name]!.shape);
        expected[i]!.forEach((wanted, j) => {
          const error = Math.abs(Number(got[name]!.data[j]) - wanted) / Math.max(1, Math.abs(wanted));
          assert.ok(error < TOLERANCE, `${name}[${j}]: expected ${wanted}, got ${got[name]!.data[j]}`);
        });
      });
    });
  }
});

test('blocked convolutions compute what plain ones do, forward and backward', async (t) => {
  const { convolutionBlock } = await createDevice('cpu');
  if (convolutionBlock === undefined) return t.skip('this processor has no blocked convolutions');
  const x = input('x', [1, 32, 64, 64]);
  const weight = parameter('w', [32, 32, 3, 3]);
  const y = conv2d(x, weight, { bias: parameter('b', [32]), padding: 1 });
  const [toX, toWeight] = gradients(sum(square(y)), [x, weight]);
  const outputs = { y, toX: toX!, toWeight: toWeight! };
  const leaves = [x, weight, parameter('b', [32])];
  const feeds = asTensors(leaves, randomFeeds(leaves));
  const plain = await runModel(emitModel({ name: 'plain', outputs }), feeds);
  const blockedModel = emitModel({ name: 'blocked', outputs, convolutionBlock });
  assert.equal(
    blockedModel.nodes.filter(({ op, domain }) => op === 'Conv' && domain !== undefined).length,
    2,
  );
  const blocked = await runModel(blockedModel, feeds);
  for (const name of Object.keys(outputs)) {
    const scale = Array.from(plain[name]!.data, Number).reduce(
      (most, value) => Math.max(most, Math.abs(value)),
      0,
    );
    Array.from(plain[name]!.data, Number).forEach((wanted, i) => {
      const error = Math.abs(Number(blocked[name]!.data[i]) - wanted) / scale;
      assert.ok(error < TOLERANCE, `${name}[${i}] differs by ${error} of the largest`);
    });
  }
});

describe('an emitted model', () => {
  const x = input('x', [2]);
  const weight = parameter('w', [2]);

  test('computes equal subexpressions once', () => {
    const model = emitModel({ name: 'm', outputs: { y: add(exp(x), mul(exp(x), weight)) } });
    assert.equal(model.nodes.filter(({ op }) => op === 'Exp').length, 1);
  });

  test('feeds parameters without data and bakes those with data', () => {
    const outputs = { y: mul(x, weight) };
    const fed = emitModel({ name: 'm', outputs });
    assert.deepEqual(
      fed.inputs.map(({ name }) => name),
      ['x', 'w'],
    );
    const baked = emitModel({ name: 'm', outputs, weights: { w: tensor(Float32Array.of(1, 2), [2]) } });
    assert.deepEqual(
      baked.inputs.map(({ name }) => name),
      ['x'],
    );
    assert.deepEqual([...baked.initialisers.w!.data], [1, 2]);
  });

  test('is the same, byte for byte, for the same network built again', () => {
    const build = (): Uint8Array => {
      const picture = input('picture', [1, 2, 4, 4]);
      const kernel = parameter('kernel', [2, 2, 3, 3]);
      const loss = sum(square(conv2d(picture, kernel, { padding: 1 })));
      const [derivative] = gradients(loss, [kernel]);
      return encodeOnnxModel(emitModel({ name: 'm', outputs: { loss, derivative: derivative! } }));
    };
    assert.deepEqual(build(), build());
  });

  test('may give an input or a constant straight out', async () => {
    const model = emitModel({ name: 'm', outputs: { y: x, z: constant(3) } });
    const { y, z } = await runModel(model, { x: tensor(Float32Array.of(1, 2), [2]) });
    assert.deepEqual([...y!.data], [1, 2]);
    assert.deepEqual([...z!.data], [3]);
  });

  test('is refused if one name stands for two shapes', () => {
    const outputs = { y: add(parameter('w', [2]), parameter('w', [1])) };
    assert.throws(() => emitModel({ name: 'm', outputs }), /the name "w" stands for \[2\] and for \[1\]/);
  });

  test('is refused if a weight has another shape than its parameter', () => {
    const weights = { w: tensor(Float32Array.of(1), [1]) };
    assert.throws(
      () => emitModel({ name: 'm', outputs: { y: weight }, weights }),
      /expected "w" of shape \[2\], got/,
    );
  });
});
