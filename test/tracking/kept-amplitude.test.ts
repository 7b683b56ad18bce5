// Giving units back the amplitude that the fit took.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameState } from '../../src/tracking/head-state.ts';
import { plainGains, widenFrames, widenUnits } from '../../src/tracking/kept-amplitude.ts';

function frame(...expression: number[]): FrameState {
  return {
    rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    translation: new Float64Array(3),
    hinges: new Float64Array(6),
    expression: Float64Array.from(expression),
  };
}

test('a unit goes as many times as far from rest as its gain says, rest by its own, and stays between 0 and 1', () => {
  const gains = {
    ...plainGains(6),
    motion: Float32Array.of(2, 1, 2, 2, 2, 1),
    rest: Float32Array.of(1, 1, 1, 1, 1.5, 1),
    offset: Float32Array.of(0, 0, 0, 0, 0, -0.1),
  };
  const units = Float64Array.of(0.3, 0.5, 0.9, 0.05, 0.3, 0.3);
  const widened = widenUnits(units, [0.2, 0.2, 0.2, 0.2, 0.2, 0.2], gains);
  const expected = [0.4, 0.5, 1, 0, 0.5, 0.2];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(widened[i]! - value) < 1e-6, `${widened}`);
});

test('what a person shows in most frames of a clip stays where it is', () => {
  const frames = [...Array.from({ length: 7 }, () => frame(0.25, 0.5)), frame(0.5, 0.25), frame(0.375, 0.5)];
  const widened = widenFrames(frames, { ...plainGains(2), motion: Float32Array.of(2, 3) });
  assert.deepEqual([...widened[0]!.expression], [0.25, 0.5]);
  assert.deepEqual([...widened[7]!.expression], [0.75, 0]);
  assert.deepEqual([...widened[8]!.expression], [0.5, 0.5]);
  assert.equal(widened[3]!.rotation, frames[3]!.rotation);
});

test('lids that hang are lifted, and eyes that stay closed stay so', () => {
  const gains = { ...plainGains(1), rest: Float32Array.of(0.7) };
  const of = (value: number, rest: number): number => widenUnits(Float64Array.of(value), [rest], gains)[0]!;
  assert.ok(Math.abs(of(0.4, 0.4) - 0.28) < 1e-6);
  assert.ok(Math.abs(of(0.9, 0.4) - 0.78) < 1e-6);
  assert.equal(of(0.95, 0.95), 0.95);
});

test("of a gaze's middle a share is believed, of its motion all, and a far one wholly", () => {
  const gaze = { usual: [0, 0.05], share: [1, 0.5] } as const;
  const turned = (pitch: number): FrameState => ({
    ...frame(0.5),
    hinges: Float64Array.of(0, 0.3, 0.1, pitch + 0.02, 0.1, pitch - 0.02),
  });
  const settled = (...pitches: number[]): number[][] =>
    widenFrames(pitches.map(turned), { ...plainGains(1), gaze }).map(({ hinges }) => [...hinges]);
  const near = settled(0.15, 0.15, 0.25);
  for (const [i, expected] of [0.1, 0.1, 0.2].entries()) {
    assert.ok(Math.abs(near[i]![3]! - (expected + 0.02)) < 1e-6, `${near[i]}`);
    assert.ok(Math.abs(near[i]![5]! - (expected - 0.02)) < 1e-6, `${near[i]}`);
    assert.deepEqual([near[i]![0], near[i]![1], near[i]![2]], [0, 0.3, 0.1]);
  }
  const far = settled(0.5, 0.5, 0.4);
  assert.ok(Math.abs(far[0]![3]! - 0.52) < 1e-6 && Math.abs(far[2]![3]! - 0.42) < 1e-6, `${far}`);
});
