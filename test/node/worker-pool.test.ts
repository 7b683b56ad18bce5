// The worker pool: order, errors, and more jobs than threads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadInputError } from '../../src/errors/index.ts';
import { WorkerPool } from '../../src/node/index.ts';

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
