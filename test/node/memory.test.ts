import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paperMemoryBytes } from '../../src/avatar/index.ts';
import { BadInputError } from '../../src/errors/index.ts';
import { expectMemoryFor, readPaperConfig } from '../../src/node/index.ts';

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
  const planned = (windowFrames: number): number =>
    paperMemoryBytes(config, { windowFrames, guidanceScale: 2 });
  // Measured at 14 frames: 11.34 GB.
  assert.ok(Math.abs(planned(14) - 11.34e9) < 0.1 * 11.34e9, `${planned(14)}`);
  assert.ok(planned(32) > planned(14) && planned(14) < 24 * 2 ** 30);
});
