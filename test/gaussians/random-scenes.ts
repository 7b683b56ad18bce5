// Scenes of random Gaussians before a turned camera, and random gradients of their images.

import type { SplatScene } from '../../src/gaussians/index.ts';
import type { Camera } from '../../src/geometry/index.ts';
import { frontCamera, multiplyRotations, rotationFromAxisAngle } from '../../src/geometry/index.ts';
import { createRandom } from '../../src/tensor/index.ts';

/** What `randomScene` makes. */
export type SceneOptions = {
  readonly seed: number;
  readonly count: number;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  /** Ellipsoids, one to three times as long as thick, instead of balls. */
  readonly isTurned?: boolean;
};

/** Gaussians of 1 to 4 pixels over the whole image and somewhat beyond, 0.6 to 0.8 m away. */
export function randomScene(options: SceneOptions): SplatScene {
  const { seed, count, channels, width, height, isTurned = false } = options;
  const random = createRandom(seed);
  const front = frontCamera(width, height, Math.max(width, height) * 1.2);
  const camera: Camera = {
    ...front,
    focalYPx: front.focalXPx * 1.1,
    centreXPx: width * 0.53,
    cameraFromWorld: {
      rotation: multiplyRotations(rotationFromAxisAngle([0.1, -0.2, 0.3]), front.cameraFromWorld.rotation),
      translation: [0.02, -0.01, 0.03],
    },
  };
  const { rotation: r, translation: t } = camera.cameraFromWorld;
  const means = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const z = random.uniform(0.6, 0.8);
    const x = ((random.uniform(-0.1, 1.1) * width - camera.centreXPx) / camera.focalXPx) * z - t[0]!;
    const y = ((random.uniform(-0.1, 1.1) * height - camera.centreYPx) / camera.focalYPx) * z - t[1]!;
    for (let j = 0; j < 3; j++) {
      means[3 * i + j] = r[j]! * x + r[3 + j]! * y + r[6 + j]! * (z - t[2]!);
    }
  }
  const pixel = 0.7 / camera.focalXPx;
  const balls: SplatScene = {
    camera,
    channels,
    means,
    scales: Float32Array.from({ length: count }, () => random.uniform(1, 4) * pixel),
    opacities: Float32Array.from({ length: count }, () => random.uniform(0.05, 0.95)),
    features: Float32Array.from({ length: count * channels }, () => random.uniform(-1, 1)),
  };
  if (!isTurned) return balls;
  return {
    ...balls,
    scales: Float32Array.from({ length: count * 3 }, () => random.uniform(1, 3) * pixel),
    rotations: random.fillNormal(new Float32Array(count * 4)),
  };
}

/** Values in [-1, 1). */
export function randomValues(seed: number, length: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => random.uniform(-1, 1));
}

/** The largest difference, relative to the largest expected magnitude. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    magnitude = Math.max(magnitude, Math.abs(expected[i]!));
  }
  if (actual.length !== expected.length || Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
  return difference === 0 ? 0 : difference / magnitude;
}
