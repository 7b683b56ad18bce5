// Writes a small dataset item by item, and says after each that it is there: a process for the tests to kill.

import { AvatarError } from '../../src/errors/index.ts';
import { beginDataset } from '../../src/node/dataset-builder.ts';
import { resultOf, somePlan } from './small-dataset.ts';

const [path, count] = process.argv.slice(2) as [string, string];
try {
  using dataset = await beginDataset(somePlan(path, Number(count)));
  for (const item of dataset.missing) {
    await dataset.put(item, resultOf(item));
    console.log(item);
  }
  await dataset.finish();
} catch (error) {
  if (!(error instanceof AvatarError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.exitStatus;
}
