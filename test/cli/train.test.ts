// `train` from files: the three stages on the tiny sizes, a rehearsal that writes nothing, a resumed run.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadEmbeddedHead, openRunFolder } from '../../src/node/index.ts';
import { folderOfSamples, tinySamples } from '../training/tiny-run.ts';
import { runJson, runToFailure } from './run-cli.ts';

const folder = await mkdtemp(join(tmpdir(), 'learn2control-train-'));
after(() => rm(folder, { recursive: true }));
const [data, out] = [join(folder, 'samples'), join(folder, 'model')];
const head = await loadEmbeddedHead();
const samples = folderOfSamples(tinySamples(head, { size: 32, subjects: 8 }), 32, head.name);
for (const file of ['index.json', '0.safetensors', '1.safetensors']) {
  await openRunFolder(data).write(file, (await samples.read(file))!);
}
const CONFIG = join(import.meta.dirname, '..', '..', 'configs', 'tiny.json');
const train = (...words: string[]): Promise<Record<string, unknown>> =>
  runJson('train', '--config', CONFIG, '--data', data, '--out', out, ...words);

test('a dry run says what training would take and writes nothing', async () => {
  const plan = await train('--stage', 'vae', '--dry-run');
  assert.ok((plan.trainedParameters as number) > 1000);
  assert.equal(plan.frozenParameters, 0);
  assert.ok((plan.secondsPerStep as number) > 0 && (plan.peakMemoryMb as number) > 0);
  assert.ok(!existsSync(out));
});

test('the stages train one after another, and a run goes on', async () => {
  await train('--stage', 'vae', '--steps', '2');
  const resumed = await train('--stage', 'vae', '--steps', '3', '--resume');
  assert.equal(resumed.resumedFromStep, 2);
  await train('--stage', '1', '--steps', '1');
  const last = await train('--stage', '2', '--steps', '1');
  assert.ok((last.outputs as string[]).includes(join(out, 'tiny.avatar')));
  const report = JSON.parse(await readFile(join(out, 'vae', 'report.json'), 'utf8'));
  assert.equal(report.step, 3);
  assert.ok(report.waitingShare >= 0 && report.waitingShare < 1);
  assert.ok(report.processorSeconds > 0);
});

test('a field of another size is refused by name, from the stage before as from a checkpoint', async () => {
  const other = join(folder, 'other.json');
  const text = await readFile(CONFIG, 'utf8');
  await writeFile(other, text.replace('"uvSize": 64', '"uvSize": 32'));
  const words = ['--config', other, '--data', data];
  for (const [stage, code, more] of [
    ['distill', 'weights-mismatch', []],
    ['1', 'checkpoint-mismatch', ['--resume']],
  ] as const) {
    const failure = await runToFailure('train', ...words, '--out', out, '--stage', stage, ...more);
    assert.deepEqual([failure.status, failure.code], [2, code], failure.line);
    assert.match(failure.line, /gaussians\.features of shape \[\d+,8\], got \[\d+,8\]/);
  }
});
