// How subjects look: what a camera, a tailor and a smile do, and that looks leave a seed's person alone.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeHead } from '../../src/head/index.ts';
import { compress } from '../../src/synthesis/compression.ts';
import { createTailor, sampleGarment } from '../../src/synthesis/garment.ts';
import { createNoise } from '../../src/synthesis/noise.ts';
import { creasesOf } from '../../src/synthesis/skin-relief.ts';
import { sampleTraits } from '../../src/synthesis/traits.ts';
import { createRandom } from '../../src/tensor/index.ts';

const HEAD = decodeHead(
  new Uint8Array(readFileSync(new URL('../../models/head/embedded.head', import.meta.url))),
);

test('a seed keeps its identity, age and camera: benches compare with figures of earlier versions', () => {
  const near = (value: number, expected: number): void =>
    assert.ok(Math.abs(value - expected) < 1e-4, `${value}, expected ${expected}`);
  for (const [seed, first, sum, age, focalRatio, down] of [
    [7, -0.58041, -4.4565, 0.1031, 2.29293, -0.01317],
    [500000, 0.05307, 10.053, 0.7084, 1.37006, -0.02186],
  ] as const) {
    const traits = sampleTraits(seed, HEAD);
    near(traits.identity[0]!, first);
    near(
      traits.identity.reduce((total, value) => total + value, 0),
      sum,
    );
    near(traits.age, age);
    near(traits.camera.focalRatio, focalRatio);
    near(traits.camera.offset[1], down);
  }
});

test('compression leaves an even picture alone and costs more the lower its quality', () => {
  const [width, height] = [37, 21];
  const even = { width, height, data: new Uint8Array(width * height * 3).fill(128) };
  compress(even, 60);
  assert.ok(even.data.every((value) => Math.abs(value - 128) <= 1));
  const random = createRandom(3);
  const original = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    Math.min(255, 40 + (i % 111) + 60 * random.uniform()),
  );
  const loss = (quality: number): number => {
    const picture = { width, height, data: original.slice() };
    compress(picture, quality);
    return picture.data.reduce((sum, value, i) => sum + (value - original[i]!) ** 2, 0) / original.length;
  };
  const [fine, coarse] = [loss(95), loss(40)];
  assert.ok(fine < coarse && coarse < 900, `squared error ${fine} and ${coarse}`);
});

test('every garment leaves the chin bare and covers the chest, the nape below the hair and the shoulders', () => {
  for (let seed = 0; seed < 60; seed++) {
    const garment = sampleGarment(createRandom(seed), seed % 2 === 0);
    const tailor = createTailor(garment, createNoise(seed));
    const point = { inside: 0, albedo: new Float32Array(3), tilt: new Float32Array(3) };
    const isDressed = (x: number, y: number, z: number): boolean => {
      tailor(x, y, z, point);
      return point.inside > 0;
    };
    const wears = `seed ${seed}: ${garment.neckline}, ${garment.layer}`;
    assert.ok(!isDressed(0, -0.098, 0.02), wears);
    assert.ok(isDressed(0, -0.29, -0.02), wears);
    assert.ok(isDressed(0, -0.19, -0.17), wears);
    assert.ok(isDressed(0.15, -0.2, -0.08) && isDressed(-0.15, -0.2, -0.08), wears);
    assert.ok(
      point.albedo.every((value) => value >= 0 && value < 1.2),
      `${wears}: ${point.albedo}`,
    );
  }
});

test('a smile folds the cheeks, raised brows the forehead, and age both', () => {
  const traits = sampleTraits(7, HEAD);
  const old = { ...traits, age: 0.95, skin: { ...traits.skin, wrinkles: 0.7 } };
  const expression = (name: string): Float32Array =>
    Float32Array.from(HEAD.expressionNames, (unit) => Number(unit.startsWith(name)));
  const rest = creasesOf(HEAD.expressionNames, expression('none'), traits);
  const smile = creasesOf(HEAD.expressionNames, expression('mouthSmile'), traits);
  const brows = creasesOf(HEAD.expressionNames, expression('browInnerUp'), traits);
  const aged = creasesOf(HEAD.expressionNames, expression('none'), old);
  assert.ok(smile.fold > rest.fold + 0.2 && smile.crow > rest.crow && smile.forehead === rest.forehead);
  assert.ok(brows.forehead > rest.forehead + 0.2 && brows.fold === rest.fold);
  assert.ok(aged.fold > rest.fold && aged.forehead > rest.forehead);
});
