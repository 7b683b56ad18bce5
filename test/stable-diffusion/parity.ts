// Holds networks to what diffusers and PyTorch compute with the same weights: see bench/peers/stable_diffusion.py.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ParameterSet } from '../../src/nn/index.ts';
import { createDevice } from '../../src/node/index.ts';
import type { AnyTensor, Value } from '../../src/tensor/index.ts';
import {
  decodeSafetensors,
  emitModel,
  encodeOnnxModel,
  nameOf,
  parametersOf,
} from '../../src/tensor/index.ts';
import { seededWeights } from './seeded-weights.ts';

export const GOLDENS: string = join(import.meta.dirname, 'goldens');
/** What the other libraries computed, by its name. */
export const goldens: ReturnType<typeof decodeSafetensors>['tensors'] = decodeSafetensors(
  readFileSync(join(GOLDENS, 'networks.safetensors')),
).tensors;
const device = await createDevice('cpu');
const TOLERANCE = 1e-4;

/** Runs outputs with the weights that the goldens' script used. */
export async function run(
  outputs: Record<string, Value>,
  { set, feeds }: { set: ParameterSet; feeds: Record<string, AnyTensor> },
): Promise<Record<string, AnyTensor>> {
  const reached = new Map(parametersOf(Object.values(outputs)).map((value) => [nameOf(value), value]));
  const initial = set.initialise(0, (name) => name.endsWith('.pe'));
  const weights = seededWeights(reached, initial);
  const model = emitModel({ name: 'parity', outputs, weights });
  await using session = await device.createSession(encodeOnnxModel(model), { threads: 1 });
  return await session.run(feeds);
}

/** The largest difference over the golden's largest value. */
function differenceFrom(golden: string, actual: AnyTensor): number {
  const expected = goldens[golden]?.data as Float32Array | undefined;
  assert.ok(expected !== undefined, `there is a golden ${golden}`);
  let step = 1;
  while (actual.data.length / step > 512) step += 2;
  assert.equal(expected.length, Math.ceil(actual.data.length / step), `${golden} has as many values`);
  let [difference, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(expected[i]! - Number(actual.data[i * step])));
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return difference / size;
}

/** Holds outputs to the goldens `PREFIX/NAME`, within 1e-4 of each golden's largest value. */
export function assertMatches(prefix: string, outputs: Record<string, AnyTensor>): void {
  for (const [name, value] of Object.entries(outputs)) {
    const difference = differenceFrom(`${prefix}/${name}`, value);
    assert.ok(difference < TOLERANCE, `${prefix}/${name} differs by ${difference.toExponential(1)}`);
  }
}
