// The plain reference: its gradients against finite differences, and values known by formula.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SplatScene } from '../../src/gaussians/index.ts';
import { splatReference, splatReferenceBackward } from '../../src/gaussians/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import { ALPHA_MIN, LOW_PASS_PX2 } from '../../src/kernels/index.ts';
import { gradientError } from './finite-differences.ts';
import { randomScene, randomValues } from './random-scenes.ts';

type Scene64 = SplatScene<Float64Array>;
const STEPS = { means: 1e-7, scales: 1e-8, rotations: 1e-6, opacities: 1e-7, features: 1e-5 } as const;
type Name = keyof typeof STEPS;
const NAMES = Object.keys(STEPS) as Name[];
const namesOf = (scene: Scene64): Name[] => NAMES.filter((name) => scene[name] !== undefined);

function inFloat64(scene: SplatScene): Scene64 {
  const [means, scales] = [Float64Array.from(scene.means), Float64Array.from(scene.scales)];
  const [opacities, features] = [Float64Array.from(scene.opacities), Float64Array.from(scene.features)];
  const rotations = scene.rotations && Float64Array.from(scene.rotations);
  return { ...scene, means, scales, rotations, opacities, features };
}

/** A random linear loss of the images, its gradients, and the checker's verdict on one of them. */
function problemOf(scene: Scene64): {
  gradients: ReturnType<typeof splatReferenceBackward>;
  errorOf: (name: Name, gradient: Float64Array) => number;
} {
  const pixels = scene.camera.width * scene.camera.height;
  const weights = Float64Array.from(randomValues(91, pixels * scene.channels));
  const alphaWeights = Float64Array.from(randomValues(92, pixels));
  const lossOf = (name: Name, at: Float64Array): number => {
    const { features, alpha } = splatReference({ ...scene, [name]: at });
    const sum = features.reduce((total, value, i) => total + value * weights[i]!, 0);
    return alpha.reduce((total, value, i) => total + value * alphaWeights[i]!, sum);
  };
  return {
    gradients: splatReferenceBackward(scene, { features: weights, alpha: alphaWeights }),
    errorOf: (name, gradient) =>
      gradientError({ loss: (at) => lossOf(name, at), at: scene[name]!, gradient, step: STEPS[name] }),
  };
}

const OVERLAPPING = { count: 24, channels: 3, width: 20, height: 16 };
const scenes = {
  balls: inFloat64(randomScene({ ...OVERLAPPING, seed: 5 })),
  ellipsoids: inFloat64(randomScene({ ...OVERLAPPING, seed: 25, isTurned: true })),
};

for (const [kind, scene] of Object.entries(scenes)) {
  for (const name of namesOf(scene)) {
    test(`the gradient to ${name} of ${kind} agrees with finite differences`, () => {
      const { gradients, errorOf } = problemOf(scene);
      const error = errorOf(name, gradients[name]!);
      assert.ok(error <= 1e-5, `relative error ${error}`);
    });

    test(`a gradient to ${name} of ${kind} with one element off by a thousandth is caught`, () => {
      const { gradients, errorOf } = problemOf(scene);
      const wrong = gradients[name]!.slice();
      const largest = wrong.reduce(
        (best, value, i) => (Math.abs(value) > Math.abs(wrong[best]!) ? i : best),
        0,
      );
      wrong[largest]! *= 1.001;
      assert.ok(errorOf(name, wrong) > 1e-5);
    });
  }
}

test('the gradients agree with finite differences where the Jacobian is clamped, beyond the field of view', () => {
  const camera = frontCamera(16, 16, 10);
  const scene: Scene64 = {
    camera,
    channels: 1,
    // x/z of 1.2 and y/z of -1.1 lie beyond 1.3 times the half field of 0.8.
    means: Float64Array.of(1.2, 0.1, -1, -0.1, 1.15, -1.05),
    scales: Float64Array.of(0.5, 0.4),
    opacities: Float64Array.of(0.8, 0.6),
    features: Float64Array.of(0.9, -0.7),
  };
  assert.ok(splatReference(scene).alpha.some((value) => value > 0.1));
  const rotations = Float64Array.of(1, 0.2, -0.3, 0.4, 0.5, -0.6, 0.7, 0.2);
  const ellipsoids = { ...scene, rotations, scales: Float64Array.of(0.5, 0.3, 0.2, 0.4, 0.6, 0.2) };
  for (const clamped of [scene, ellipsoids]) {
    const { gradients, errorOf } = problemOf(clamped);
    for (const name of namesOf(clamped)) {
      const error = errorOf(name, gradients[name]!);
      assert.ok(error <= 1e-5, `${name}: relative error ${error}`);
    }
  }
});

test('ellipsoids with three equal scales are balls, however they are turned', () => {
  const ball = scenes.balls;
  const scales = Float64Array.from(
    { length: ball.scales.length * 3 },
    (_, i) => ball.scales[Math.floor(i / 3)]!,
  );
  const turned = { ...ball, scales, rotations: Float64Array.from(randomValues(3, ball.scales.length * 4)) };
  const [expected, actual] = [splatReference(ball).features, splatReference(turned).features];
  assert.ok(actual.every((value, i) => Math.abs(value - expected[i]!) < 1e-12));
});

/** One Gaussian of `sigmaPx` pixels on the axis of a camera. */
function single(sigmaPx: number, opacity: number, size = 64): Scene64 {
  const camera = frontCamera(size, size, 100);
  return {
    camera,
    channels: 1,
    means: Float64Array.of(0, 0, -1),
    scales: Float64Array.of(sigmaPx / 100),
    opacities: Float64Array.of(opacity),
    features: Float64Array.of(1),
  };
}

test('splatting a single Gaussian conserves its mass, less what the cut at 1/255 takes', () => {
  for (const [sigmaPx, opacity] of [
    [3, 0.1],
    [5, 0.5],
    [8, 0.9],
  ] as const) {
    const mass = splatReference(single(sigmaPx, opacity)).alpha.reduce((sum, value) => sum + value, 0);
    const expected = 2 * Math.PI * (sigmaPx ** 2 + LOW_PASS_PX2) * (opacity - ALPHA_MIN);
    assert.ok(Math.abs(mass / expected - 1) < 0.01, `${mass} of ${expected}`);
  }
});

test('a pixel centre on the mean gets the opacity, and at most 0.99', () => {
  const odd = (opacity: number): number => splatReference(single(2, opacity, 33)).alpha[16 * 33 + 16]!;
  assert.ok(Math.abs(odd(0.4) - 0.4) < 1e-12);
  assert.ok(Math.abs(odd(1) - 0.99) < 1e-12);
});

test('a near Gaussian covers a far one in the proportion of its opacity', () => {
  const scene = single(2, 0.4, 33);
  const pair: Scene64 = {
    ...scene,
    means: Float64Array.of(0, 0, -2, 0, 0, -1),
    scales: Float64Array.of(0.04, 0.02),
    opacities: Float64Array.of(0.5, 0.4),
    features: Float64Array.of(10, 1),
  };
  const middle = splatReference(pair).features[16 * 33 + 16]!;
  assert.ok(Math.abs(middle - (0.4 * 1 + 0.6 * 0.5 * 10)) < 1e-12);
});
