// What finishes a rendered picture, against the plain references: openness, a lens, a JPEG's loss.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCompressionKernel, createLensKernel, createOpennessKernel } from '../../src/kernels/index.ts';
import { compressionSteps } from '../../src/synthesis/compression.ts';
import { developmentOf, type LensTraits } from '../../src/synthesis/lens.ts';
import { opennessInput } from '../../src/synthesis/openness.ts';
import { referenceCompression } from '../../src/synthesis/reference-compression.ts';
import { referenceDevelopment } from '../../src/synthesis/reference-lens.ts';
import { referenceOpenness } from '../../src/synthesis/reference-openness.ts';
import { createRandom } from '../../src/tensor/index.ts';

const SIZES = [
  [40, 24],
  [37, 21],
  [3, 5],
  [1, 1],
] as const;

test('pixels are as open to light as in the plain reference, to the last bit but one', () => {
  const openness = createOpennessKernel();
  for (const [width, height] of SIZES) {
    const random = createRandom(width);
    // A slope with a step, bumps, and holes through which nothing is seen.
    const depths = Float32Array.from({ length: width * height }, (_, i) => {
      const slope = 1 + 0.002 * (i % width) + ((i % width) * 2 > width ? 0.02 : 0);
      return random.uniform() < 0.1 ? Infinity : slope + (random.uniform() < 0.3 ? 0.004 : 0);
    });
    const input = opennessInput({ width, height, depths }, 900);
    const [own, reference] = [openness(input), referenceOpenness(input)];
    own.forEach((value, i) => {
      assert.ok(Math.abs(value - reference[i]!) < 2e-7, `pixel ${i}: ${value}, expected ${reference[i]}`);
    });
    if (width > 3) assert.ok(own.some((value) => value < 0.9) && own.some((value) => value === 1));
  }
});

const LENS: LensTraits = {
  ...{ softness: 0.7, contrast: 0.4, saturation: 1.2, noise: 2, jpegQuality: null },
  whiteBalance: [1.05, 1, 0.95],
};

test('light is developed to the bytes of the plain reference, blurred or sharp', () => {
  const develop = createLensKernel();
  for (const [width, height] of SIZES) {
    for (const softness of [0, 0.7]) {
      const random = createRandom(height);
      // Too dark and too bright for a byte, too.
      const linear = Float32Array.from({ length: width * height * 3 }, () => 3 * random.normal() ** 3);
      const inputs = (): ReturnType<typeof developmentOf> =>
        developmentOf(linear.slice(), { width, height }, { ...LENS, softness: (softness * 256) / width }, 5);
      const [own, reference] = [develop(inputs()), referenceDevelopment(inputs())];
      // Sums of floats in another order round otherwise.
      const differing = own.filter((value, i) => value !== reference[i]);
      const largest = Math.max(...own.map((value, i) => Math.abs(value - reference[i]!)));
      assert.ok(softness === 0 ? differing.length === 0 : largest <= 1, `${width} x ${height}: ${largest}`);
      assert.ok(differing.length <= own.length / 100, `${differing.length} of ${own.length} differ`);
    }
  }
});

test('a JPEG loses what it loses in the plain reference', () => {
  const compress = createCompressionKernel();
  for (const [width, height] of SIZES) {
    for (const quality of [30, 60, 95]) {
      const random = createRandom(quality);
      const data = Uint8Array.from(
        { length: width * height * 3 },
        (_, i) => 40 + (i % 111) + 60 * random.uniform(),
      );
      const [own, reference] = [0, 1].map(() => ({ width, height, data: data.slice() }));
      compress(own!, compressionSteps(quality));
      referenceCompression(reference!, compressionSteps(quality));
      // A coefficient half-way between two steps may go either way.
      const differing = own!.data.filter((value, i) => Math.abs(value - reference!.data[i]!) > 1);
      assert.ok(
        differing.length <= own!.data.length / 50,
        `${differing.length} of ${own!.data.length} differ`,
      );
    }
  }
});
