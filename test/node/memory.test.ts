import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paperMemoryBytes } from '../../src/avatar/index.ts';
import { BadInputError } from '../../src/errors/index.ts';
import { expectMemoryFor, readPaperConfig } from '../../src/node/index.ts';
import { declareParameters } from '../../src/stable-diffusion/index.ts';
import { elementCount } from '../../src/tensor/index.ts';

test('a request beyond the memory says what it needs and what is there', () => {
  const hint = 'use less';
  expectMemoryFor('a small thing', 1e9, { available: 2e9, hint });
  assert.throws(
    () => expectMemoryFor('w.safetensors', 12.8e9, { available: 8e9, hint }),
    (error: unknown) => error instanceof BadInputError && /needs about 12\.8 GB.*8\.0 GB/.test(error.message),
  );
});

test("the paper's configuration is planned within 24 GiB, and longer windows need more", async () => {
  const config = await readPaperConfig('paper');
  const halves = [...declareParameters(config).values].map(
    ([name, { shape }]) =>
      [name, { offset: 0, length: 2 * elementCount(shape), stored: 'float16' as const }] as const,
  );
  const weights = { location: 'w.safetensors', places: new Map(halves) };
  const planned = (windowFrames: number): number =>
    paperMemoryBytes({ config, weights }, { windowFrames, guidanceScale: 2 });
  // Measured at 14 frames: 7.51 GB.
  assert.ok(Math.abs(planned(14) - 7.51e9) < 0.1 * 7.51e9, `${planned(14)}`);
  assert.ok(planned(32) > planned(14) && planned(14) < 24 * 2 ** 30);
});
