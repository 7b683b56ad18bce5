// What an arena comes to hold for requests whose answers follow from its rules by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArenaPlan } from '../../src/tensor/arena-plan.ts';

const MB = 2 ** 20;

test('a piece that is given back serves again, and neighbours that are free serve as one', () => {
  const arena = new ArenaPlan();
  const [first, second] = [arena.take(MB / 4), arena.take(MB / 4)];
  arena.give(first);
  arena.give(second);
  arena.give(arena.take(MB / 2));
  assert.equal(arena.writtenBytes, MB / 2);
  // Given back in the other order, they join as well.
  const [third, fourth] = [arena.take(MB / 4), arena.take(MB / 4)];
  arena.give(fourth);
  arena.give(third);
  arena.take(MB / 2);
  assert.equal(arena.writtenBytes, MB / 2);
});

test('regions are powers of two, and only what is written to of them counts', () => {
  const arena = new ArenaPlan();
  arena.take(5 * MB);
  assert.equal(arena.writtenBytes, 5 * MB);
  // The region has 8 MB: three are left, and serve without another one.
  arena.take(3 * MB);
  // The next one has 8 MB again, and from then on what fits into as much again.
  arena.take(MB);
  assert.equal(arena.writtenBytes, 9 * MB);
});

test('a small piece in a large free one makes the next large one write to memory of its own', () => {
  const arena = new ArenaPlan();
  arena.give(arena.take(64 * MB));
  const small = arena.take(MB);
  assert.equal(arena.writtenBytes, 64 * MB);
  const large = arena.take(64 * MB);
  assert.equal(arena.writtenBytes, 128 * MB);
  arena.give(small);
  arena.give(large);
  // The smallest that fits is taken; of two alike the first.
  arena.take(64 * MB);
  arena.take(64 * MB);
  assert.equal(arena.writtenBytes, 128 * MB);
});

test('a free piece that is little larger is taken whole', () => {
  const arena = new ArenaPlan();
  arena.give(arena.take(64 * MB));
  const whole = arena.take(63 * MB);
  const other = arena.take(MB / 2);
  assert.ok(arena.writtenBytes > 64 * MB, 'what is left of the first is not used');
  arena.give(whole);
  arena.give(other);
});
