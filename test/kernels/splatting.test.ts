// The two forms of the splatting kernel, with and without fused products and sums, give the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canFuseSplatting, SplattingKernel } from '../../src/kernels/index.ts';
import { allowFusedKernels } from '../../src/node/fused-kernels.ts';
import { randomScene, randomValues, relativeDifference } from '../gaussians/random-scenes.ts';

allowFusedKernels();

const SIZE = { width: 64, height: 50, channels: 8 };

/** Images and gradients of a random scene, by one form of the kernel. */
function splat(isFused: boolean): Readonly<Record<string, Float32Array>> {
  const { camera, ...scene } = randomScene({ ...SIZE, seed: 22, count: 800, isTurned: true });
  const { rotation, translation } = camera.cameraFromWorld;
  const lens = [camera.focalXPx, camera.focalYPx, camera.centreXPx, camera.centreYPx];
  const pixels = SIZE.width * SIZE.height;
  const kernel = new SplattingKernel({ isFused });
  const images = { features: new Float32Array(pixels * 8), alpha: new Float32Array(pixels) };
  const numbers = Float64Array.of(...Array.from(rotation), ...Array.from(translation), ...lens);
  kernel.forward({ ...SIZE, ...scene, rotations: scene.rotations!, camera: numbers }, images);
  const gradients = {
    means: new Float32Array(scene.means.length),
    scales: new Float32Array(scene.scales.length),
    rotations: new Float32Array(scene.rotations!.length),
    opacities: new Float32Array(scene.opacities.length),
    features: new Float32Array(scene.features.length),
  };
  kernel.backward(randomValues(7, pixels * 8), randomValues(8, pixels), gradients);
  return { image: images.features, alpha: images.alpha, ...gradients };
}

const skip = canFuseSplatting() ? false : 'this host has no fused products and sums (relaxed SIMD)';

test('the fused form of the kernel agrees with the plain one, forward and backward', { skip }, () => {
  const [plain, fused] = [splat(false), splat(true)];
  for (const [name, expected] of Object.entries(plain)) {
    const difference = relativeDifference(fused[name]!, expected);
    assert.ok(difference < 1e-5, `${name}: ${difference}`);
  }
  assert.notDeepEqual(fused, plain, 'the host must not run one form twice');
});
