// The landmark network's first layers as a graph of our own: what the converted network answered, and what a loss on it teaches.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParameterSet, fixedScope } from '../../src/nn/index.ts';
import { createDevice, loadFaceTrunk } from '../../src/node/index.ts';
import type { Tensor } from '../../src/tensor/index.ts';
import { emitModel, encodeOnnxModel, gradients, input, tensor } from '../../src/tensor/index.ts';
import { faceTrunk } from '../../src/tracking/index.ts';
import { perceptualLoss } from '../../src/training/losses.ts';

const device = await createDevice('cpu');
const weights = await loadFaceTrunk();

/** Waves of light, `1 3 S S` in [0.1, 0.9]. */
function waves(side: number, phase = 0): Tensor {
  const data = Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const channel = Math.floor(i / side ** 2);
    const [x, y] = [i % side, Math.floor(i / side) % side];
    return 0.5 + 0.4 * Math.sin(0.07 * (channel + 1) * x + 0.05 * y * (3 - channel) + phase);
  });
  return tensor(data, [1, 3, side, side]);
}

test('the trunk answers as the network that it was taken from', async () => {
  // Mean absolute value, and the value of entry 1234, of each map of the converted ONNX graph.
  const known = [
    [1.36866, 0.01485],
    [1.62845, 3.32295],
    [1.19155, 7.18883],
    [1.14319, 0.08634],
    [3.11562, 2.34093],
  ] as const;
  const maps = faceTrunk(createParameterSet().scope, input('image', [1, 3, 192, 192]));
  const outputs = Object.fromEntries(maps.map((map, i) => [`map${i}`, map]));
  await using session = await device.createSession(
    encodeOnnxModel(emitModel({ name: 'trunk', weights, outputs })),
  );
  const answer = (await session.run({ image: waves(192) })) as Record<string, Tensor>;
  for (const [i, [mean, entry]] of known.entries()) {
    const { data } = answer[`map${i}`]!;
    const own = data.reduce((sum, value) => sum + Math.abs(value), 0) / data.length;
    assert.ok(Math.abs(own - mean) < 1e-4, `map ${i}: ${own}`);
    assert.ok(Math.abs(data[1234]! - entry) < 1e-4, `map ${i}: ${data[1234]}`);
  }
});

test('the loss is nothing for equal pictures, and a step against its gradient brings others nearer', async () => {
  const side = 32;
  const [a, b] = [input('a', [1, 3, side, side]), input('b', [1, 3, side, side])];
  const loss = perceptualLoss(a, b, weights);
  const [slope] = gradients(loss, [a]);
  await using session = await device.createSession(
    encodeOnnxModel(emitModel({ name: 'loss', outputs: { loss, slope: slope! } })),
  );
  const measure = async (one: Tensor, other: Tensor): Promise<Record<string, Tensor>> =>
    (await session.run({ a: one, b: other })) as Record<string, Tensor>;
  const [first, second] = [waves(side), waves(side, 1)];
  assert.equal((await measure(second, second)).loss!.data[0], 0);
  const before = await measure(first, second);
  const steepness = before.slope!.data.reduce((sum, g) => sum + g * g, 0);
  const step = 1e-3 / Math.sqrt(steepness);
  const nearer = first.data.map((value, i) => value - step * before.slope!.data[i]!);
  const after = await measure(tensor(nearer, first.shape), second);
  const expected = step * steepness;
  const found = before.loss!.data[0]! - after.loss!.data[0]!;
  assert.ok(Math.abs(found - expected) < 0.05 * expected, `${found} for ${expected}`);
});

test('weights that are not there are named', () => {
  assert.throws(() => faceTrunk(fixedScope({}), input('image', [1, 3, 32, 32])), {
    code: 'fixed-weights',
    message: /"0\.down\.weight" of \[16,3,3,3\], got none/,
  });
});
