// The field on a small head: where Gaussians sit, what they start as, gradients, files, another head.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  activateField,
  activateFieldBackward,
  bindGaussians,
  fieldMetadata,
  fieldParameters,
  initialiseField,
  poseGaussians,
  readField,
  rebindField,
} from '../../src/gaussians/index.ts';
import { gradientError } from './finite-differences.ts';
import { squareHead } from './square-head.ts';

const head = squareHead();

test('a Gaussian sits at every texel centre inside a triangle, and nowhere else', () => {
  const { texels, triangles } = bindGaussians(head, { uvSize: 8 });
  // The chart covers u in [0, 1/2], all of v: columns 0 to 3 of each row.
  const expected = Array.from({ length: 32 }, (_, i) => (i >> 2) * 8 + (i & 3));
  assert.deepEqual([...texels], expected);
  assert.deepEqual(new Set(triangles), new Set([0, 1]));
});

test('a Gaussian is posed where its texel lies on the surface', () => {
  const binding = bindGaussians(head, { uvSize: 8 });
  const means = poseGaussians(binding, head.template);
  for (const [i, texel] of binding.texels.entries()) {
    const [u, v] = [((texel % 8) + 0.5) / 8, (Math.floor(texel / 8) + 0.5) / 8];
    // The square runs from x = -1 to 1 over u in [0, 1/2] and from y = 1 down to -1 over v.
    const expected = [4 * u - 1, 1 - 2 * v, 0];
    expected.forEach((value, axis) => {
      assert.ok(Math.abs(means[3 * i + axis]! - value) < 1e-6);
    });
  }
});

test('Gaussians follow the vertices', () => {
  const binding = bindGaussians(head, { uvSize: 8 });
  const moved = head.template.map((value, i) => value + (i % 3 === 2 ? 5 : 0));
  const means = poseGaussians(binding, moved);
  assert.ok(means.every((value, i) => i % 3 !== 2 || Math.abs(value - 5) < 1e-6));
});

test('only the parts that are asked for carry Gaussians, and lashes only when asked for', () => {
  const withLashes = squareHead(['skin', 'lashes']);
  assert.ok(bindGaussians(withLashes, { uvSize: 8 }).triangles.every((triangle) => triangle === 0));
  const lashesAlone = bindGaussians(withLashes, { uvSize: 8, parts: ['lashes'] }).triangles;
  assert.ok(lashesAlone.length > 0 && lashesAlone.every((triangle) => triangle === 1));
});

test('a fresh field has opacity 0.1, the distance to the nearest neighbour as scale, features near zero', () => {
  const binding = bindGaussians(head, { uvSize: 8 });
  const { features, opacities, scales } = activateField(initialiseField(binding, head.template, 1));
  assert.equal(features.length, binding.texels.length * 8);
  assert.ok(opacities.every((value) => Math.abs(value - 0.1) < 1e-6));
  // Neighbours are 0.5 apart along x and 0.25 along y.
  assert.ok(scales.every((value) => Math.abs(value - 0.25) < 1e-6));
  assert.ok(features.every((value) => Math.abs(value) < 0.6) && features.some((value) => value !== 0));
});

test('a seed repeats a field, another seed gives another', () => {
  const binding = bindGaussians(head, { uvSize: 8 });
  const make = (seed: number): Float32Array => initialiseField(binding, head.template, seed).features.data;
  assert.deepEqual(make(3), make(3));
  assert.notDeepEqual(make(3), make(4));
});

test('the gradient through the activations agrees with finite differences', () => {
  const raw = Float64Array.of(0.3, -1.2, -2.1, -0.4);
  const loss = (x: Float64Array): number =>
    2 * Math.tanh(x[0]!) - 3 * Math.tanh(x[1]!) + 5 / (1 + Math.exp(-x[2]!)) + 7 * Math.exp(x[3]!);
  const activated = {
    channels: 2,
    features: Float32Array.of(Math.tanh(0.3), Math.tanh(-1.2)),
    opacities: Float32Array.of(1 / (1 + Math.exp(2.1))),
    scales: Float32Array.of(Math.exp(-0.4)),
  };
  const gradients = activateFieldBackward(activated, {
    features: Float32Array.of(2, -3),
    opacities: Float32Array.of(5),
    scales: Float32Array.of(7),
  });
  const gradient = Float64Array.of(...gradients.features, ...gradients.opacity, ...gradients.scale);
  const error = gradientError({ loss, at: raw, gradient, step: 1e-5 });
  assert.ok(error < 1e-6, `${error}`);
});

test('gradients of a batch add up', () => {
  const field = activateField(initialiseField(bindGaussians(head, { uvSize: 4 }), head.template, 1));
  const ones = {
    features: new Float32Array(field.features.length).fill(1),
    opacities: new Float32Array(field.opacities.length).fill(1),
    scales: new Float32Array(field.scales.length).fill(1),
  };
  const once = activateFieldBackward(field, ones);
  const twice = activateFieldBackward(field, ones, activateFieldBackward(field, ones));
  assert.ok(once.scale.every((value, i) => value !== 0 && Math.abs(twice.scale[i]! - 2 * value) < 1e-6));
});

test('a field comes back from its tensors and metadata', () => {
  const field = initialiseField(bindGaussians(head, { uvSize: 8 }), head.template, 5);
  assert.deepEqual(readField(fieldParameters(field), fieldMetadata(field)), field);
  assert.equal(readField({}, {}), null);
});

test('a field whose metadata is missing is refused', () => {
  const field = initialiseField(bindGaussians(head, { uvSize: 8 }), head.template, 5);
  assert.throws(() => readField(fieldParameters(field), {}), { code: 'bad-gaussian-field' });
});

test('a field moves to a head with other texels: shared ones are kept, the others start fresh', () => {
  const half = bindGaussians(squareHead(['skin', 'lashes']), { uvSize: 8 });
  const field = initialiseField(half, head.template, 5);
  field.opacity.data.fill(2);
  const binding = bindGaussians(head, { uvSize: 8 });
  const rebound = rebindField(field, binding, head.template, 6);
  const kept = new Set(field.texels);
  assert.ok(kept.size < binding.texels.length);
  for (const [row, texel] of rebound.texels.entries()) {
    const expected = kept.has(texel) ? 2 : Math.fround(Math.log(1 / 9));
    assert.ok(Math.abs(rebound.opacity.data[row]! - expected) < 1e-6);
  }
  const other = bindGaussians(head, { uvSize: 4 });
  assert.throws(() => rebindField(field, other, head.template, 6), { code: 'uv-size-mismatch' });
});
