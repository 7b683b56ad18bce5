// `train` at the paper's scale, with the same networks at a few channels.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decodeWeights } from '../../src/nn/index.ts';
import { loadEmbeddedHead, openRunFolder } from '../../src/node/index.ts';
import { folderOfSamples, tinySamples } from '../training/tiny-run.ts';
import { runJson, runToFailure } from './run-cli.ts';

const folder = await mkdtemp(join(tmpdir(), 'train-paper-'));
after(() => rm(folder, { recursive: true }));
const [data, out] = [join(folder, 'samples'), join(folder, 'model')];
const head = await loadEmbeddedHead();
const samples = folderOfSamples(tinySamples(head, { size: 64, subjects: 8 }), 64, head.name);
for (const file of ['index.json', '0.safetensors', '1.safetensors']) {
  await openRunFolder(data).write(file, (await samples.read(file))!);
}
const CONFIG = join(import.meta.dirname, '..', '..', 'configs', 'paper-tiny.json');
const words = ['train', '--config', CONFIG, '--data', data, '--out', out];
const weightsOf = async (path: string) => decodeWeights(new Uint8Array(await readFile(path)), path).weights;

test('both stages train and leave weights with Gaussians; the second moves the motion modules alone', async () => {
  const first = await runJson(...words, '--stage', '1', '--steps', '2');
  assert.ok(Number.isFinite(first.loss));
  const packed = join(out, 'paper-tiny.safetensors');
  assert.ok((first.outputs as string[]).includes(packed));
  const before = await weightsOf(packed);
  assert.ok(before['gaussians.features'] !== undefined);
  await runJson(...words, '--stage', '2', '--steps', '2');
  const later = await weightsOf(packed);
  assert.deepEqual(Object.keys(later).sort(), Object.keys(before).sort());
  const moved = Object.keys(later).filter((key) =>
    later[key]!.data.some((value, i) => value !== before[key]!.data[i]),
  );
  assert.ok(moved.length > 0 && moved.every((key) => key.includes('.motion_modules.')), moved[0]);
  const inspected = await runJson('weights', 'inspect', packed);
  assert.deepEqual(inspected.parts, ['vae', 'unet', 'reference_unet', 'guidance', 'motion']);
});

test('Stable Diffusion’s autoencoder is not trained', async () => {
  const { code } = await runToFailure(...words, '--stage', 'vae');
  assert.equal(code, 'no-such-stage');
});
