// The committed kernels are what their sources compile to.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { compileKernel, kernelModulePath, kernelNames } from '../../tools/build-kernels.ts';

for (const name of await kernelNames()) {
  test(`compiling the kernel "${name}" again gives the committed bytes`, async () => {
    assert.equal(await compileKernel(name), await readFile(kernelModulePath(name), 'utf8'));
  });
}
