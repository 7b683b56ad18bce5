// `evaluate` on folders of pictures that another program made, and what it refuses.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { resizeImage } from '../../src/media/index.ts';
import { readImage, writeImage } from '../../src/node/index.ts';
import { temporaryFolder } from '../node/test-clips.ts';
import { runCli, runJson, runToFailure } from './run-cli.ts';
import { NO_WEIGHTS, PORTRAIT } from './sample-inputs.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);
after(() => folder[Symbol.dispose]());
/** Enough that an interrupt after the first comes before the last. */
const SUBJECTS = 4;

test("another program's pictures are measured from their folder, and what lacks is a failure", {
  skip: NO_WEIGHTS,
}, async () => {
  const face = resizeImage((await readImage(PORTRAIT)).image, 128, 128);
  const darker = { ...face, data: face.data.map((value) => 0.9 * value) };
  for (const name of ['anna', 'bert']) {
    for (const place of ['truth', 'output']) mkdirSync(at(`theirs/${name}/${place}`), { recursive: true });
    await writeImage(at(`theirs/${name}/reference.png`), face);
    await writeImage(at(`theirs/${name}/truth/0003.png`), face);
  }
  await writeImage(at('theirs/anna/output/0003.jpg'), darker);
  const result = (await runJson(
    ...['evaluate', '--protocol', 'novel-view', '--frames', at('theirs'), '--orbits', '0'],
  )) as {
    metrics: Record<'l1' | 'csim', { low: number; high: number }>;
    failureList: { subject: string; frame: number; row: string; reason: string }[];
    weights: unknown;
  };
  // Anna is a tenth darker, Bert's picture counts as black.
  assert.ok(result.metrics.l1.low < 0.08 && result.metrics.l1.high > 0.25);
  assert.ok(result.metrics.csim.high > 0.9 && result.metrics.csim.low === 0);
  const reason = 'the picture is missing';
  assert.deepEqual(result.failureList, [{ subject: 'bert', frame: 3, row: 'theirs', reason }]);
  assert.equal(result.weights, null);
});

test('an evaluation that was interrupted goes on after its finished subjects', {
  skip: NO_WEIGHTS,
}, async () => {
  const face = resizeImage((await readImage(PORTRAIT)).image, 128, 128);
  const many = at('many');
  for (const place of ['output', 'truth']) {
    mkdirSync(`${many}/s1/${place}`, { recursive: true });
    await writeImage(`${many}/s1/${place}/0001.png`, face);
  }
  await writeImage(`${many}/s1/reference.png`, face);
  for (let i = 2; i <= SUBJECTS; i++) cpSync(`${many}/s1`, `${many}/s${i}`, { recursive: true });
  const words = ['evaluate', '--protocol', 'novel-view', '--frames', many, '--orbits', '0'];
  words.push('--out', at('broken'));
  const first = at('broken/subjects/s1.json');
  const run = await runCli(words, {
    onStart(interrupt) {
      const watch = setInterval(() => {
        if (!existsSync(first)) return;
        clearInterval(watch);
        interrupt('SIGINT');
      }, 5);
    },
  });
  assert.equal(run.status, 130, run.stderr);
  assert.match(run.stderr, /broken: finished subjects are kept; the same command goes on\./);
  const finished = readdirSync(at('broken/subjects')).filter((file) => file.endsWith('.json')).length;
  assert.ok(finished >= 1 && finished < SUBJECTS, `${finished} subjects are finished`);
  assert.ok(!existsSync(at('broken/report.html')));
  const { mtimeMs } = statSync(first);
  assert.equal((await runJson(...words)).subjects, SUBJECTS);
  assert.equal(statSync(first).mtimeMs, mtimeMs, 'what is finished is not measured again');
  assert.match(readFileSync(at('broken/report.html'), 'utf8'), new RegExp(`s${SUBJECTS}`));
});

const EVALUATE = ['evaluate', '--protocol'];

test('options of an evaluation that contradict each other are refused', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['self'], /Nothing says whom to evaluate/],
    [['self', '--synthetic', '2', '--data', 'd'], /--synthetic and --data both/],
    [['cross', '--synthetic', '1'], /one alone/],
    [['self', '--synthetic', '2', '--clips', '3'], /--clips counts the clips of a dataset/],
    [['self', '--frames', 'f', '--steps', '3'], /--steps belongs to the model/],
    [['self', '--frames', 'f', '--weights', PORTRAIT], /--weights belongs to the model/],
    [['self', '--synthetic', '2', '--export', 'e', '--out', 'o'], /so --out has no use/],
  ];
  for (const [words, line] of cases) {
    const failure = await runToFailure(...EVALUATE, ...words);
    assert.deepEqual([failure.status, failure.code], [2, 'contradictory-options']);
    assert.match(failure.line, line);
  }
});

test('folders without cases, datasets that are none and networks of another kind are refused', {
  skip: NO_WEIGHTS,
}, async () => {
  mkdirSync(at('empty'));
  const refused = async (words: readonly string[], code: string): Promise<void> => {
    assert.equal((await runToFailure(...EVALUATE, 'self', ...words)).code, code);
  };
  await refused(['--frames', at('empty')], 'no-cases');
  await refused(['--data', at('empty')], 'no-dataset');
  await refused(['--synthetic', '1', '--face-network', PORTRAIT], 'model-refused');
  await refused(
    ['--synthetic', '1', '--lpips-trunk', 'models/perception/lpips-vgg.safetensors'],
    'lpips-trunk',
  );
});
