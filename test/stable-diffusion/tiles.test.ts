import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createParameterSet } from '../../src/nn/index.ts';
import { createDevice, readPaperConfig } from '../../src/node/index.ts';
import { decodeLatent, mapInTiles, tileStarts } from '../../src/stable-diffusion/index.ts';
import { emitModel, encodeOnnxModel, input, type Tensor } from '../../src/tensor/index.ts';
import { seededInput, seededWeights } from './seeded-weights.ts';

/** Each pixel four times: what a network without neighbours would do. */
async function doubled({ shape, data }: Tensor): Promise<Tensor> {
  const [, channels, height, width] = shape as [number, number, number, number];
  const out = new Float32Array(data.length * 4);
  for (let i = 0; i < out.length; i++) {
    const [x, y, c] = [
      i % (2 * width),
      Math.floor(i / 2 / width) % (2 * height),
      Math.floor(i / 4 / width / height),
    ];
    out[i] = data[(c * height + (y >> 1)) * width + (x >> 1)]!;
  }
  return { dtype: 'float32', shape: [1, channels, 2 * height, 2 * width], data: out };
}

test('tiles cover an extent from its first to its last pixel and share at least the overlap', () => {
  const cases = fc.record({ side: fc.integer({ min: 2, max: 40 }), extra: fc.nat(200), share: fc.nat(99) });
  fc.assert(
    fc.property(cases, ({ side, extra, share }) => {
      const overlap = Math.floor((side * share) / 100);
      const starts = tileStarts(side + extra, { side, overlap });
      assert.equal(starts[0], 0);
      assert.equal(starts.at(-1), extra);
      for (const [i, start] of starts.slice(1).entries()) {
        assert.ok(start > starts[i]! && starts[i]! + side - start >= overlap - 1);
      }
    }),
  );
});

test('tiles that would not fit or not advance are refused', () => {
  assert.throws(() => tileStarts(10, { side: 12, overlap: 2 }), /at most 10/);
  assert.throws(() => tileStarts(20, { side: 8, overlap: 8 }), /overlap/);
  assert.throws(() => tileStarts(20, { side: 8, overlap: 2, step: 8 }), /steps of 8/);
});

test('what knows no neighbours is the same in tiles as at once', async () => {
  const picture = seededInput('tiles', [1, 2, 13, 21]);
  const whole = await doubled(picture);
  const tiled = await mapInTiles(picture, doubled, { side: 8, overlap: 3, ratio: 2 });
  assert.deepEqual([...tiled.shape], [...whole.shape]);
  for (const [i, value] of tiled.data.entries()) assert.ok(Math.abs(value - whole.data[i]!) < 1e-6);
});

test('a decoder in overlapping tiles stays near the whole picture, and nearer than without overlap', async () => {
  const { autoencoder } = await readPaperConfig('paper-tiny');
  const device = await createDevice('cpu');
  const set = createParameterSet();
  const open = (side: number) => {
    const picture = decodeLatent(set.scope, input('latent', [1, 4, side, side]), autoencoder);
    const weights = seededWeights(set.values, set.initialise(0));
    return device.createSession(
      encodeOnnxModel(emitModel({ name: 'decoder', outputs: { picture }, weights })),
    );
  };
  const latent = seededInput('tiles.latent', [1, 4, 32, 32]);
  await using whole = await open(32);
  await using small = await open(16);
  const expected = (await whole.run({ latent })).picture as Tensor;
  const errorWith = async (overlap: number): Promise<number> => {
    const decode = async (tile: Tensor): Promise<Tensor> =>
      (await small.run({ latent: tile })).picture as Tensor;
    const { data } = await mapInTiles(latent, decode, { side: 16, overlap, ratio: 8 });
    const square = data.reduce((sum, value, i) => sum + (value - expected.data[i]!) ** 2, 0);
    return Math.sqrt(square / expected.data.reduce((sum, value) => sum + value ** 2, 0));
  };
  const [apart, shared] = [await errorWith(0), await errorWith(8)];
  assert.ok(shared < 0.8 * apart, `${shared} with overlap, ${apart} without`);
  assert.ok(shared < 0.3, `${shared}`);
});
