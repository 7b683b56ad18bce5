// The worker pool: order, errors, and more jobs than threads.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BadInputError } from '../../src/errors/index.ts';
import { WorkerPool } from '../../src/node/index.ts';
import { temporaryFolder } from './test-clips.ts';

type Job = { readonly value: number };
const module = new URL('./worker-pool-jobs.ts', import.meta.url);

test('results come in the order of the jobs, whichever thread is first', async () => {
  await using pool = new WorkerPool<Job, Float32Array>({ module, functionName: 'square', size: 2 });
  const results = await pool.map([{ value: 3 }, { value: 1 }, { value: 2 }, { value: 5 }]);
  assert.deepEqual(
    results.map((result) => result[0]),
    [9, 1, 4, 25],
  );
});

test('what a job throws for its user arrives as the same kind of error, and the pool goes on', async () => {
  await using pool = new WorkerPool<Job, Float32Array>({ module, functionName: 'square', size: 1 });
  await assert.rejects(pool.run({ value: -1 }), {
    constructor: BadInputError,
    code: 'negative',
    hint: 'pass a positive value',
  });
  assert.equal((await pool.run({ value: 4 }))[0], 16);
});

test('a function that the module does not have is an error of the job', async () => {
  await using pool = new WorkerPool<Job, Float32Array>({ module, functionName: 'cube', size: 1 });
  await assert.rejects(pool.run({ value: 1 }), /cube|not a function/);
});

test('a module that cannot be loaded is named in the error of every job', async () => {
  using folder = temporaryFolder();
  for (const [name, source, message] of [
    ['incomplete', "import './gone.ts';", /gone\.ts/],
    ['unreadable', 'export const f = (: => 1;', /unreadable\.ts:1/],
    ['failing', "throw 'a text';", /^a text$/],
  ] as const) {
    const path = join(folder.path, `${name}.ts`);
    writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
    writeFileSync(path, source);
    await using pool = new WorkerPool<Job, void>({ module: pathToFileURL(path), functionName: 'f', size: 1 });
    await assert.rejects(pool.run({ value: 1 }), { message });
    await assert.rejects(pool.run({ value: 2 }), { message });
  }
});

test('a thread that ends in the middle of a job fails the job, and later ones at once', async () => {
  await using pool = new WorkerPool<Job, void>({ module, functionName: 'end', size: 1 });
  await assert.rejects(pool.run({ value: 7 }), { code: 'worker-died', message: /exit status 7/ });
  await assert.rejects(pool.run({ value: 7 }), { code: 'worker-died' });
});

test('a pool that is done with lets a thread come to the end of what it computes, not of its job', async () => {
  const pool = new WorkerPool<{ flag: Int32Array }, void>({ module, functionName: 'compute', size: 1 });
  const flag = new Int32Array(new SharedArrayBuffer(4));
  void pool.run({ flag });
  await Atomics.waitAsync(flag, 0, 0).value;
  assert.equal(flag[0], 1);
  await pool[Symbol.asyncDispose]();
  assert.equal(flag[0], 2);
});
