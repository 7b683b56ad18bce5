// `train` at the paper's scale, with the same networks at a few channels.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bindGaussians } from '../../src/gaussians/index.ts';
import { decodeWeights, encodeWeights } from '../../src/nn/index.ts';
import { loadEmbeddedHead, openRunFolder, readImage } from '../../src/node/index.ts';
import type { Tensor } from '../../src/tensor/index.ts';
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
  const { texels } = bindGaussians(head, { uvSize: 64 });
  assert.deepEqual(before['gaussians.features']!.shape, [texels.length, 8]);
  // Reference, control, output, target of both pictures.
  const { image: sheet } = await readImage(join(out, '1', 'sheets', 'step-0000002.png'));
  assert.deepEqual([sheet.width, sheet.height], [4 * 64, 2 * 64]);
  await runJson(...words, '--stage', '2', '--steps', '1');
  const second = await runJson(...words, '--stage', '2', '--steps', '2', '--resume');
  assert.equal(second.resumedFromStep, 1);
  const later = await weightsOf(packed);
  assert.deepEqual(Object.keys(later).sort(), Object.keys(before).sort());
  const moved = Object.keys(later).filter((key) =>
    later[key]!.data.some((value, i) => value !== before[key]!.data[i]),
  );
  assert.ok(moved.length > 0 && moved.every((key) => key.includes('.motion_modules.')), moved[0]);
  const inspected = await runJson('weights', 'inspect', packed);
  assert.deepEqual(inspected.parts, ['vae', 'unet', 'reference_unet', 'guidance', 'motion']);
});

test('weights of other sizes to begin from are refused by the parameter that differs', async () => {
  const other = join(folder, 'other.safetensors');
  const one: Tensor = { dtype: 'float32', shape: [3], data: new Float32Array(3) };
  await writeFile(other, encodeWeights({ 'unet.conv_in.bias': one }, { dtype: 'float16', metadata: {} }));
  const again = [...words.slice(0, -1), join(folder, 'again'), '--stage', '1', '--from', other];
  const failure = await runToFailure(...again);
  assert.equal(failure.code, 'weights-mismatch');
  assert.match(failure.line, /unet\.conv_in\.bias of shape \[8\], got \[3\]/);
});

test('Stable Diffusion’s autoencoder is not trained', async () => {
  const { code } = await runToFailure(...words, '--stage', 'vae');
  assert.equal(code, 'no-such-stage');
});
