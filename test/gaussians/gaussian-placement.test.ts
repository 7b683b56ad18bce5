// The anisotropic field: its axes stand on the triangles and turn with them; it is learned, kept and moved
// like the isotropic one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActivatedField, SplatImages } from '../../src/gaussians/index.ts';
import {
  activateField,
  activateFieldBackward,
  bindGaussians,
  fieldMetadata,
  fieldParameters,
  initialiseField,
  placeGaussians,
  readField,
  rebindField,
  Splatter,
} from '../../src/gaussians/index.ts';
import { frontCamera, invertRotation, rotate, rotationFromAxisAngle } from '../../src/geometry/index.ts';
import { relativeDifference } from './random-scenes.ts';
import { squareHead } from './square-head.ts';

const head = squareHead();
const binding = bindGaussians(head, { uvSize: 8 });
const fresh = initialiseField(binding, head.template, 3, { channels: 2, isAnisotropic: true });

/** Long where u grows, short across, flat along the normal. */
const stretched: ActivatedField = activateField(fresh);
for (let i = 0; i < stretched.scales.length; i += 3) stretched.scales.set([0.4, 0.1, 0.01], i);

/** The square, slanted so that no two depths are equal, before a camera at the origin; both are turned about it. */
function splatTurned(axisAngle: readonly number[]): SplatImages {
  const turn = rotationFromAxisAngle(axisAngle);
  const vertices = new Float32Array(head.template.length);
  for (let v = 0; v < vertices.length; v += 3) {
    const [x, y, z] = head.template.subarray(v, v + 3) as unknown as [number, number, number];
    vertices.set(rotate(turn, [0.3 + x, y - 0.2, z - 5 + 0.31 * x + 0.17 * y]), v);
  }
  const front = frontCamera(40, 32, 60);
  const back = invertRotation(turn);
  const rotation = [0, 3, 6].flatMap((row) =>
    [0, 1, 2].map((column) =>
      [0, 1, 2].reduce((sum, k) => sum + front.cameraFromWorld.rotation[row + k]! * back[3 * k + column]!, 0),
    ),
  );
  const camera = { ...front, cameraFromWorld: { rotation, translation: [0, 0, 0] } };
  return new Splatter().forward({ camera, ...placeGaussians(binding, stretched, vertices), ...stretched });
}

test('on an unturned square the axes are those of the world', () => {
  const { rotations } = placeGaussians(binding, stretched, head.template);
  for (let i = 0; i < rotations!.length; i++) {
    assert.ok(Math.abs(rotations![i]! - (i % 4 === 0 ? 1 : 0)) < 1e-6);
  }
});

test('an isotropic field has no rotations', () => {
  const field = activateField(initialiseField(binding, head.template, 3));
  assert.equal(placeGaussians(binding, field, head.template).rotations, undefined);
});

test('Gaussians long along u are wide on the image of the square', () => {
  const middle = binding.texels.indexOf(4 * 8 + 2);
  const opacities = stretched.opacities.map((_, i) => (i === middle ? 0.9 : 0));
  const vertices = head.template.map((value, i) => value - (i % 3 === 2 ? 5 : 0));
  const { alpha } = new Splatter().forward({
    camera: frontCamera(64, 64, 60),
    ...placeGaussians(binding, stretched, vertices),
    ...stretched,
    opacities,
  });
  const spread = (coordinate: (pixel: number) => number): number => {
    const mass = alpha.data.reduce((sum, value) => sum + value, 0);
    const mean = alpha.data.reduce((sum, value, p) => sum + (value * coordinate(p)) / mass, 0);
    return alpha.data.reduce((sum, value, p) => sum + (value * (coordinate(p) - mean) ** 2) / mass, 0);
  };
  // 0.4 and 0.1 m at 5 m and 60 px focal length are 4.8 and 1.2 px; the low-pass adds 0.3 px^2.
  const [wide, high] = [spread((p) => p % 64), spread((p) => Math.floor(p / 64))];
  assert.ok(
    Math.abs(wide - (4.8 ** 2 + 0.3)) < 1 && Math.abs(high - (1.2 ** 2 + 0.3)) < 0.1,
    `${wide} ${high}`,
  );
});

test('an anisotropic field turns with the head, by any angle about any axis', () => {
  const expected = splatTurned([0, 0, 0]);
  assert.ok(expected.alpha.data.some((value) => value > 0.1));
  const turns = [
    [3.1, 0, 0],
    [0, 3.1, 0],
    [0, 0, 3.1],
    [0.4, -0.7, 0.2],
    [-1.5, 1.2, 1.1],
    [1.9, 1.9, -0.6],
  ];
  for (const turn of turns) {
    const { features, alpha } = splatTurned(turn);
    assert.ok(relativeDifference(features.data, expected.features.data) < 1e-4, `turned by ${turn}`);
    assert.ok(relativeDifference(alpha.data, expected.alpha.data) < 1e-4, `turned by ${turn}`);
  }
});

test('a triangle without area leaves its Gaussians unturned instead of undefined', () => {
  const { means, rotations } = placeGaussians(binding, stretched, new Float32Array(head.template.length));
  assert.ok(means.every((value) => value === 0));
  assert.ok(rotations!.every((value, i) => value === (i % 4 === 0 ? 1 : 0)));
});

test('each of the three scales has its own gradient', () => {
  const gradients = activateFieldBackward(stretched, {
    features: new Float32Array(stretched.features.length),
    opacities: new Float32Array(stretched.opacities.length),
    scales: Float32Array.from({ length: stretched.scales.length }, (_, i) => (i % 3) + 1),
  });
  const expected = [0.4, 0.2, 0.03];
  assert.ok(gradients.scale.every((value, i) => Math.abs(value - expected[i % 3]!) < 1e-6));
});

test('an anisotropic field comes back from its tensors and metadata', () => {
  assert.deepEqual(fresh.scale.shape, [binding.texels.length, 3]);
  assert.deepEqual(readField(fieldParameters(fresh), fieldMetadata(fresh)), fresh);
});

test('a moved anisotropic field keeps the three scales of the texels that both heads have', () => {
  const half = bindGaussians(squareHead(['skin', 'lashes']), { uvSize: 8 });
  const field = initialiseField(half, head.template, 5, { isAnisotropic: true });
  field.scale.data.forEach((_, i, scales) => {
    scales[i] = -1 - (i % 3);
  });
  const rebound = rebindField(field, binding, head.template, 6);
  assert.deepEqual(rebound.scale.shape, [binding.texels.length, 3]);
  const kept = new Set(field.texels);
  for (const [row, texel] of rebound.texels.entries()) {
    const scales = [...rebound.scale.data.subarray(3 * row, 3 * row + 3)];
    const expected = kept.has(texel) ? [-1, -2, -3] : [scales[0], scales[0], scales[0]];
    assert.deepEqual(scales, expected);
  }
});
