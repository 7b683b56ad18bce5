// Weights that a model maps from a file: in the precision that they are stored in, computed with in fp32, which is made of them
// once or in every run.

import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromFloats, toFloats } from '../../src/checkpoints/index.ts';
import { createDevice } from '../../src/node/index.ts';
import {
  emitModel,
  encodeOnnxModel,
  gemm,
  input,
  parameter,
  type Tensor,
  withHalves,
} from '../../src/tensor/index.ts';

const folder = await mkdtemp(join(tmpdir(), 'weights-in-file-'));
const device = await createDevice('cpu');
const weight = Float32Array.from({ length: 128 * 8 }, (_, i) => Math.sin(i));
const x: Tensor = {
  dtype: 'float32',
  shape: [1, 128],
  data: Float32Array.from({ length: 128 }, (_, i) => Math.cos(i)),
};
const model = emitModel({
  name: 'product',
  outputs: { y: gemm(input('x', [1, 128]), parameter('w', [128, 8])) },
});

/** In halves the CPU rounds what goes in and comes out. */
const FORMS = [
  { title: 'a product', form: model, bound: 1e-4 },
  {
    title: 'a product in halves',
    form: withHalves(model, { isWeight: (name) => name === 'w' }),
    bound: 2e-2,
  },
];
const CASES = FORMS.flatMap((one) =>
  (['float32', 'float16', 'bfloat16'] as const).map((stored) => ({ ...one, stored })),
);

for (const { title, form, bound, stored } of CASES) {
  test(`${title} with ${stored} weights in a file is that with the same numbers in memory`, async () => {
    const bytes = fromFloats(Float32Array.from(weight), stored);
    // Behind some other bytes, as behind a header.
    await writeFile(join(folder, stored), Buffer.concat([new Uint8Array(4104), bytes]));
    const place = { offset: 4104, length: bytes.length, ...(stored === 'float32' ? {} : { stored }) };
    const encoded = encodeOnnxModel(form, { location: stored, places: new Map([['w', place]]) });
    const rounded = toFloats(bytes, stored);
    for (const foldsWeights of [true, false]) {
      await using session = await device.createSession(encoded, { weightsFolder: folder, foldsWeights });
      assert.deepEqual(session.inputNames, ['x']);
      const { y } = await session.run({ x });
      for (let column = 0; column < 8; column++) {
        const expected = x.data.reduce((sum, value, row) => sum + value * rounded[8 * row + column]!, 0);
        assert.ok(Math.abs(Number(y!.data[column]) - expected) < bound);
      }
    }
  });
}
