// `weights import`, `inspect` and `export` on small random weights.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { animateDiffName } from '../../src/checkpoints/index.ts';
import { encodeWeights } from '../../src/nn/index.ts';
import { readPaperConfig } from '../../src/node/index.ts';
import { declareParameters } from '../../src/stable-diffusion/index.ts';
import { decodeSafetensors, type Tensor } from '../../src/tensor/index.ts';
import { runJson, runToFailure } from './run-cli.ts';

const folder = await mkdtemp(join(tmpdir(), 'weights-files-'));
const config = join(import.meta.dirname, '..', '..', 'configs', 'paper-tiny.json');
const weights = declareParameters(await readPaperConfig('paper-tiny')).initialise(3);

async function write(name: string, rename: (own: string) => string | null): Promise<string> {
  const chosen = Object.entries(weights).flatMap(([own, value]): [string, Tensor][] => {
    const key = rename(own);
    return key === null ? [] : [[key, value]];
  });
  const path = join(folder, name);
  const metadata = { format: 'pt', license: 'openrail' };
  await writeFile(path, encodeWeights(Object.fromEntries(chosen), { dtype: 'float16', metadata }));
  return path;
}
const isMotion = (name: string): boolean => name.includes('.motion_modules.');
const part = (prefix: string, own: string): string | null =>
  own.startsWith(prefix) && !isMotion(own) ? own.slice(prefix.length) : null;
await mkdir(join(folder, 'sd', 'unet'), { recursive: true });
await mkdir(join(folder, 'sd', 'vae'));
await write('sd/unet/diffusion_pytorch_model.safetensors', (own) => part('unet.', own));
await write('sd/vae/diffusion_pytorch_model.safetensors', (own) => part('vae.', own));
const motion = await write('mm.safetensors', (own) =>
  own.startsWith('unet.') && isMotion(own) ? animateDiffName(own.slice('unet.'.length)) : null,
);
const base = join(folder, 'sd');
const out = join(folder, 'own.safetensors');
const words = ['weights', 'import', '--base', base, '--config', config];

test('published weights become a file that says what it holds, and every key is accounted for', async () => {
  const report = join(folder, 'report.json');
  const made = await runJson(...words, '--motion', motion, '--out', out, '--report', report);
  const count = Object.keys(weights).length;
  assert.equal(Number(made.used) + Number(made.fresh), count);
  assert.deepEqual([made.leftOver, made.licence], [0, 'openrail']);
  assert.deepEqual(made.outputs, [out, report]);
  const { parameters } = JSON.parse(await readFile(report, 'utf8'));
  assert.equal(parameters.length, count);
  assert.ok(
    parameters.every((p: { status: string; name: string }) =>
      p.status === 'used' ? !/^(guidance|label)/.test(p.name) : /^(guidance|label)/.test(p.name),
    ),
  );
  const seen = await runJson('weights', 'inspect', out);
  assert.deepEqual(
    [seen.family, seen.layout, seen.licence],
    ['Stable Diffusion 1.x', 'weights of this project', 'openrail'],
  );
  assert.deepEqual(seen.parts, ['vae', 'unet', 'reference_unet', 'guidance', 'motion']);
});

test('a part goes out again under the names and with the numbers that came in', async () => {
  const exported = join(folder, 'unet.safetensors');
  await runJson('weights', 'export', out, '--part', 'unet', '--out', exported);
  const [came, went] = await Promise.all(
    [join(base, 'unet', 'diffusion_pytorch_model.safetensors'), exported].map(async (path) =>
      decodeSafetensors(await readFile(path)),
    ),
  );
  assert.deepEqual(Object.keys(went!.tensors).sort(), Object.keys(came!.tensors).sort());
  for (const [name, { data }] of Object.entries(came!.tensors)) {
    assert.deepEqual(went!.tensors[name]!.data, data);
  }
});

test('ONNX keeps its weights in a file beside it, as many bytes as it has parameters', async () => {
  const decoder = join(folder, 'decoder.onnx');
  const made = await runJson(
    'weights',
    'export',
    out,
    '--part',
    'vae-decoder',
    '--out',
    decoder,
    '--size',
    '64',
  );
  assert.deepEqual(made.outputs, [decoder, `${decoder}.data`]);
  assert.equal((await stat(`${decoder}.data`)).size, 4 * Number(made.parameters));
});

test('a folder of shards is read as one model, and a shard that is missing is named', async () => {
  const unet = join(folder, 'sharded', 'unet');
  await mkdir(unet, { recursive: true });
  const isFirst = (own: string): boolean => /^unet\.(conv|time|down)/.test(own);
  const shards = ['1-of-2.safetensors', '2-of-2.safetensors'] as const;
  for (const [i, name] of shards.entries()) {
    await write(`sharded/unet/${name}`, (own) => (isFirst(own) === (i === 0) ? part('unet.', own) : null));
  }
  const names = Object.keys(weights).filter((own) => part('unet.', own) !== null);
  const places = names.map((own) => [part('unet.', own)!, shards[isFirst(own) ? 0 : 1]]);
  const index = JSON.stringify({ weight_map: Object.fromEntries(places) });
  await writeFile(join(unet, 'diffusion_pytorch_model.safetensors.index.json'), index);
  const sharded = ['weights', 'import', '--base', join(folder, 'sharded'), '--vae', join(base, 'vae')];
  const to = ['--config', config, '--out', join(folder, 'from-shards.safetensors')];
  const made = await runJson(...sharded, ...to);
  assert.deepEqual([made.leftOver, freshOf(made, 'unet')], [0, 0]);
  // As diffusers names the index of shards in PyTorch's own form.
  const ofTorch = join(unet, 'diffusion_pytorch_model.bin.index.json');
  await rename(join(unet, 'diffusion_pytorch_model.safetensors.index.json'), ofTorch);
  assert.equal(freshOf(await runJson(...sharded, ...to), 'unet'), 0);
  await rm(join(unet, shards[1]));
  await fails(3, 'missing-shard', /2-of-2\.safetensors/, ...sharded, ...to);
});

test('a folder whose U-Net has no weights in it is refused, not begun fresh', async () => {
  const empty = join(folder, 'empty');
  await mkdir(join(empty, 'unet'), { recursive: true });
  await mkdir(join(empty, 'vae'));
  await write('empty/vae/diffusion_pytorch_model.safetensors', (own) => part('vae.', own));
  await writeFile(join(empty, 'unet', 'config.json'), '{}');
  const target = join(folder, 'from-empty.safetensors');
  const to = ['--config', config, '--out', target];
  await fails(3, 'no-weights', /empty\/unet/, 'weights', 'import', '--base', empty, ...to);
  await assert.rejects(stat(target));
});

function freshOf(made: Readonly<Record<string, unknown>>, name: string): number {
  return (made.byPart as Record<string, { fresh: number }>)[name]!.fresh;
}

async function fails(status: number, code: string, pattern: RegExp, ...command: string[]): Promise<void> {
  const failure = await runToFailure(...command);
  assert.equal(failure.status, status);
  assert.equal(failure.code, code);
  assert.match(failure.line, pattern);
}

test("Stable Diffusion XL's autoencoder, which has the names and shapes of 1.x, is refused by what stands beside it", async () => {
  const { autoencoder } = await readPaperConfig('paper-tiny');
  const vae = join(folder, 'xl', 'vae');
  await mkdir(vae, { recursive: true });
  await write('xl/vae/diffusion_pytorch_model.safetensors', (own) => part('vae.', own));
  const to = ['--config', config, '--out', join(folder, 'xl.safetensors')];
  const xl = ['weights', 'import', '--base', join(base, 'unet'), '--vae', vae, ...to];
  await writeFile(join(vae, 'config.json'), JSON.stringify({ scaling_factor: 0.13025 }));
  await fails(2, 'foreign-family', /by 0\.18215, got 0\.13025, Stable Diffusion XL's/, ...xl);
  await assert.rejects(stat(join(folder, 'xl.safetensors')));
  await writeFile(join(vae, 'config.json'), JSON.stringify({ scaling_factor: autoencoder.scale }));
  assert.equal((await runJson(...xl)).leftOver, 0);
});

test('what cannot be imported or exported is refused in one line, and nothing is left', async () => {
  const lora = await write('lora.safetensors', (own) =>
    own.startsWith('label') ? 'unet.down_blocks.0.attn.to_q.lora_A.weight' : null,
  );
  const seen = await runJson('weights', 'inspect', lora);
  assert.deepEqual([seen.family, seen.layout], ['LoRA weights', null]);
  const none = join(folder, 'none.safetensors');
  const to = ['--out', none];
  await fails(2, 'foreign-family', /LoRA/, 'weights', 'import', '--base', lora, '--config', config, ...to);
  // The package's own sizes are not those of these files.
  await fails(2, 'weights-mismatch', /\[8,3,3,3\]/, 'weights', 'import', '--base', base, ...to);
  await fails(
    3,
    'no-weights',
    /as diffusers saves them/,
    'weights',
    'import',
    '--base',
    folder,
    '--config',
    config,
    ...to,
  );
  await fails(3, 'file-not-found', /absent/, ...words, '--vae', join(folder, 'absent.ckpt'), ...to);
  await fails(
    2,
    'bad-config',
    /model/,
    'weights',
    'import',
    '--base',
    base,
    '--config',
    join('configs', 'tiny.json'),
    ...to,
  );
  await fails(2, 'foreign-weights', /weights import/, 'weights', 'export', motion, '--part', 'motion', ...to);
  await fails(2, 'contradictory-options', /ONNX/, 'weights', 'export', out, '--part', 'vae-decoder', ...to);
  await assert.rejects(stat(none));
});
