// What `train` says about requests that cannot be met, before it starts; and how it ends when it is interrupted.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadEmbeddedHead, openRunFolder } from '../../src/node/index.ts';
import { parseConfiguration } from '../../src/training/index.ts';
import { folderOfSamples, tinySamples } from '../training/tiny-run.ts';
import { type CliFailure, runCli, runJson, runToFailure } from './run-cli.ts';

const folder = await mkdtemp(join(tmpdir(), 'learn2control-train-'));
after(() => rm(folder, { recursive: true }));
const CONFIG = join(import.meta.dirname, '..', '..', 'configs', 'tiny.json');
const head = await loadEmbeddedHead();

async function samplesOf(sizePx: number): Promise<string> {
  const path = join(folder, `samples-${sizePx}`);
  const held = folderOfSamples(tinySamples(head, { size: sizePx, subjects: 3 }), sizePx, head.name);
  for (const file of ['index.json', '0.safetensors', '1.safetensors']) {
    await openRunFolder(path).write(file, (await held.read(file))!);
  }
  return path;
}

/** configs/tiny.json with some fields set, by their paths; returns where it lies. */
async function changedConfig(name: string, changes: Readonly<Record<string, unknown>>): Promise<string> {
  const configuration = JSON.parse(await readFile(CONFIG, 'utf8'));
  for (const [path, value] of Object.entries(changes)) {
    const words = path.split('.');
    const place = words.slice(0, -1).reduce((inner, word) => inner[word], configuration);
    place[words.at(-1)!] = value;
  }
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(configuration));
  return file;
}

const data = await samplesOf(32);
const out = join(folder, 'model');
const train = (config: string, stage: string, ...words: string[]): Promise<CliFailure> =>
  runToFailure('train', '--config', config, '--stage', stage, '--out', out, '--data', data, ...words);

test('every field that no configuration has is named, with the one that was probably meant', async () => {
  const config = await changedConfig('misspelt', {
    'training.stage1.learningRat': 1,
    'model.unet.controls': [{ kind: 'gaussian', fild: 2, fold: 2, widths: [8, 16], heads: 0 }],
    'training.vae.batch': 'four',
  });
  const { status, line } = await train(config, 'vae');
  assert.equal(status, 2);
  assert.match(line, /training\.stage1\.learningRat: there is no such field, the nearest is "learningRate"/);
  assert.match(line, /model\.unet\.controls\.0\.fild: there is no such field, the nearest is "fold"/);
  assert.match(line, /training\.vae\.batch: /);
});

test('fields that contradict each other are named', async () => {
  const changes = { 'model.unet.heads': [1], 'model.autoencoder.encoder.fold': 4 };
  const { status, line } = await train(await changedConfig('torn', changes), 'vae');
  assert.equal(status, 2);
  assert.match(line, /model\.unet: heads needs one number for each of widths/);
  assert.match(line, /model\.autoencoder: encoder and decoder must change the size by the same factor/);
});

test('sizes that do not fit each other are named with the nearest that would', async () => {
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ 'model.unet.groups': 5 }, /model\.unet\.groups: 5 does not divide the widths 16, 32; .* is 4\b/],
    [{ 'model.unet.heads': [3, 2] }, /model\.unet\.heads\.0: 3 does not divide the widths 16; .* is 2\b/],
    [{ 'model.unet.temporal.heads': 7 }, /temporal\.heads: 7 does not divide the widths 16, 32; .* is 8\b/],
    [{ 'model.unet.controls.0.fold': 4 }, /controls\.0: fold x 2\^\(levels - 1\) must be 4 for "gaussian"/],
    [{ 'model.unet.controls.0.heads': 5 }, /controls\.0\.heads: 5 does not divide the widths 16; .* is 4\b/],
    [{ 'model.autoencoder.encoder.groups': 6 }, /encoder\.groups: 6 does not divide the widths 8, 16/],
    [{ 'model.diffusion.betaEnd': 2 }, /model\.diffusion: expected 0 < betaStart < betaEnd < 1/],
    [
      { 'training.vae.cropPx': 15 },
      /vae\.cropPx: expected a multiple of 4 up to the picture's 32, got 15; .* 16/,
    ],
    [{ 'training.vae.cropPx': 64 }, /vae\.cropPx: .* got 64; the nearest is 32/],
    [{ 'training.distill.windowPx': 2 }, /distill\.windowPx: .* got 2; the nearest is 4/],
    [
      { 'training.stage1.microBatches': 3 },
      /stage1\.microBatches: 3 does not divide the batch of 4; .* is 2\b/,
    ],
    [
      { 'training.stage2.frames': 9 },
      /stage2\.frames: expected 8 or less, as the temporal layers' maxFrames/,
    ],
    [
      { 'training.distill.samplerSteps': 2000 },
      /samplerSteps: expected 1000 or less, as model\.diffusion\.steps/,
    ],
    [{ 'training.validationSubjects': 0 }, /validationSubjects/],
    [{ 'training.distill.microBatches': 2 }, /distill\.microBatches: this stage takes its batch whole/],
  ];
  for (const [changes, message] of cases) {
    const config = await changedConfig('torn', changes);
    const text = await readFile(config, 'utf8');
    assert.throws(() => parseConfiguration(text, config), { code: 'bad-configuration', message });
  }
});

test('samples of another size, and stages whose forerunner is missing, are refused', async () => {
  const other = await samplesOf(16);
  assert.equal((await train(CONFIG, 'vae', '--data', other)).code, 'sample-size');
  for (const [stage, before] of [
    ['1', 'vae'],
    ['2', '1'],
  ] as const) {
    const { status, line } = await train(CONFIG, stage);
    assert.equal(status, 3);
    assert.match(line, new RegExp(`weights of stage ${before} .* Train stage ${before} first, or .* --from`));
  }
});

test('a step that does not fit in memory is refused before it starts', async () => {
  const config = await changedConfig('greedy', { 'training.vae.batch': 40_000_000 });
  const { status, code, line } = await train(config, 'vae');
  assert.deepEqual([status, code], [2, 'too-little-memory']);
  assert.match(
    line,
    /The step of stage vae needs about [\d.]+ GB of memory, but only [\d.]+ GB are available/,
  );
});

test('a device that is not there is said to be missing', async () => {
  const { status, code } = await train(CONFIG, 'vae', '--device', 'cuda');
  assert.deepEqual([status, code], [3, 'no-device']);
  assert.ok(!existsSync(join(out, 'vae', 'checkpoints')), 'nothing was begun');
});

test('a checkpoint of another configuration, of a newer version, or whose list is damaged, is refused and the run stays as it was', async () => {
  const words = ['--stage', 'vae', '--out', join(folder, 'begun'), '--data', data];
  await runJson('train', '--config', CONFIG, ...words, '--steps', '1');
  const run = (file: string): string => join(folder, 'begun', 'vae', file);
  const refused = async (config: string, code: string, line: RegExp): Promise<void> => {
    const failure = await runToFailure('train', '--config', config, ...words, '--resume');
    assert.deepEqual([failure.status, failure.code], [2, code], failure.line);
    assert.match(failure.line, line);
  };
  const other = await changedConfig('wider', { 'model.autoencoder.decoder.widths': [16, 16] });
  await refused(other, 'checkpoint-mismatch', /Resume with the configuration that the run began with\./);
  assert.equal(await readFile(run('config.json'), 'utf8'), await readFile(CONFIG, 'utf8'));
  const index = JSON.parse(await readFile(run('checkpoints/index.json'), 'utf8'));
  await writeFile(run('checkpoints/index.json'), JSON.stringify({ ...index, version: 2 }));
  await refused(CONFIG, 'checkpoint-version', /version 1 or older, got version 2/);
  await writeFile(run('checkpoints/index.json'), '{"vers');
  await refused(CONFIG, 'checkpoints-damaged', /checkpoints\/index\.json of the run .* is damaged/);
});

test('an interrupt ends the step, writes a checkpoint, exits with 0; --resume goes on from there', async () => {
  const model = join(folder, 'interrupted');
  const words = ['train', '--config', CONFIG, '--stage', 'vae', '--data', data, '--out', model, '--json'];
  let isInterrupted = false;
  const run = await runCli([...words, '--minutes', '5'], {
    onStderr(text, interrupt) {
      if (isInterrupted || !text.includes('step 0')) return;
      isInterrupted = true;
      setTimeout(() => interrupt('SIGINT'), 300);
    },
  });
  assert.equal(run.status, 0, run.stderr);
  const { step } = JSON.parse(run.stdout) as { step: number };
  assert.ok(step > 0);
  const index = JSON.parse(await readFile(join(model, 'vae', 'checkpoints', 'index.json'), 'utf8'));
  assert.equal(index.checkpoints.at(-1).step, step);
  const page = await readFile(join(model, 'vae', 'curves.html'), 'utf8');
  assert.match(page, /<path class="line s0" d="M/);
  assert.match(page, /src="sheets\/step-0000000\.png"/);
});
