import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom, deriveSeed } from '../../src/tensor/index.ts';

test('one seed gives one sequence, and its state continues it', () => {
  const a = createRandom(7);
  const b = createRandom(7);
  const head = [a.uniform(), a.normal(), a.integer(10)];
  assert.deepEqual(head, [b.uniform(), b.normal(), b.integer(10)]);
  assert.equal(createRandom(a.state).uniform(), b.uniform());
});

test('normals have mean 0 and variance 1 within sampling error', () => {
  const values = createRandom(1).fillNormal(new Float32Array(20_000));
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05);
});

test('derived seeds differ by part and by order', () => {
  const seeds = [
    deriveSeed(1, 2),
    deriveSeed(1, 3),
    deriveSeed(2, 2),
    deriveSeed(1, 2, 3),
    deriveSeed(1, 3, 2),
  ];
  assert.equal(new Set(seeds).size, seeds.length);
});
