// Writes a small dataset item by item, and says after each that it is there: a process for the tests to kill. With
// `hold` it does not end by itself.

import { AvatarError } from '../../src/errors/index.ts';
import { beginDataset } from '../../src/node/dataset-builder.ts';
import { resultOf, somePlan } from './small-dataset.ts';

const [path, count, hold] = process.argv.slice(2) as [string, string, string?];
try {
  using dataset = await beginDataset(somePlan(path, Number(count)));
  for (const item of dataset.missing) {
    await dataset.put(item, resultOf(item));
    console.log(item);
  }
  if (hold !== undefined) {
    console.log('waiting');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  await dataset.finish();
} catch (error) {
  if (!(error instanceof AvatarError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.exitStatus;
}
