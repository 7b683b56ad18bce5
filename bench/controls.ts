// What each part of the method is worth on a small budget: small denoisers learn from the same samples, for as
// many steps, under the same seeds, and differ in one thing (bench/controls/arms.ts): Gaussian field learning or
// frozen, label or none, what steers. Figures of subjects that none of them saw, with intervals over the seeds.
//
//   npm run -s bench:controls -- --data DIR --out DIR [--seeds 1,2,3] [--steps 200] [--batch 6] [--size 128]
//     [--widths 32,48,64] [--heads 0,2,2] [--held-out 16] [--arms NAME;NAME]
//
// DATA holds training samples, `--size` pixels wide, with portraits and subjects. Each finished run is kept in OUT:
// the same command goes on where it was stopped. The latents are those of the shipped autoencoder.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { createProgressRenderer } from '../src/cli/progress.ts';
import { LATENT_STATISTICS } from '../src/denoiser/index.ts';
import { BadInputError } from '../src/errors/index.ts';
import { createDevice, loadAvatar, loadEmbeddedHead, openRunFolder } from '../src/node/index.ts';
import { openSamples, parseConfiguration } from '../src/training/index.ts';
import { ARMS, type RunSizes } from './controls/arms.ts';
import { rememberingDevice } from './controls/remembering-device.ts';
import { type RunFigures, trainArm } from './controls/run.ts';
import { comparisonTable } from './controls/table.ts';

const CONFIG = join(import.meta.dirname, '../configs/compact.json');

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    seeds: { type: 'string', default: '1,2,3' },
    steps: { type: 'string', default: '200' },
    batch: { type: 'string', default: '6' },
    size: { type: 'string', default: '128' },
    widths: { type: 'string', default: '32,48,64' },
    heads: { type: 'string', default: '0,2,2' },
    'held-out': { type: 'string', default: '16' },
    arms: { type: 'string' },
  },
});
if (!values.data || !values.out) {
  throw new BadInputError({
    code: 'arguments',
    message: 'expected --data DIR and --out DIR',
    hint: 'tools/make-training-data writes the first; finished runs are kept in the second',
  });
}
const numbers = (list: string): number[] => list.split(',').map(Number);
const sizes: RunSizes = {
  sizePx: Number(values.size),
  widths: numbers(values.widths),
  heads: numbers(values.heads),
  batch: Number(values.batch),
  steps: Number(values.steps),
  heldOutSubjects: Number(values['held-out']),
};
const wanted = values.arms?.split(';');
const arms = ARMS.filter(({ name }) => wanted?.includes(name) ?? true);
const seeds = numbers(values.seeds);

const folder = openRunFolder(values.out);
await keepSettings();
const base = parseConfiguration(await readFile(CONFIG, 'utf8'), CONFIG);
const head = await loadEmbeddedHead();
const device = rememberingDevice(await createDevice('cpu'));
const { avatar } = await loadAvatar(head);
const isAutoencoder = (name: string): boolean =>
  name.startsWith('vae.') || Object.values<string>(LATENT_STATISTICS).includes(name);
const weights = Object.fromEntries(Object.entries(avatar.weights).filter(([name]) => isAutoencoder(name)));
const progress = createProgressRenderer({
  write: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
  columns: process.stderr.columns ?? 100,
  nowMs: () => performance.now(),
});

const results = new Map<string, RunFigures[]>(arms.map(({ name }) => [name, []]));
const total = arms.length * seeds.length * sizes.steps;
let done = 0;
for (const seed of seeds) {
  device.forget();
  const samples = await openSamples(openRunFolder(values.data).read, {
    ...{ batch: sizes.batch, seed, realShare: base.training.realShare },
    validationSubjects: sizes.heldOutSubjects,
  });
  for (const arm of arms) {
    const file = `${arm.name.replaceAll(/[^a-z]+/g, '-')}-${seed}.json`;
    const kept = await folder.read(file);
    if (kept === null) {
      const onStep = (step: number): void =>
        progress.emit({ kind: 'progress', stage: 'train', done: done + step, total, unit: 'steps' });
      const figures = await trainArm({ arm, seed, base, sizes, device, head, samples, weights, onStep });
      await folder.write(file, JSON.stringify({ arm: arm.name, seed, ...figures }));
      results.get(arm.name)!.push(figures);
      const shown = `seed ${seed}, ${arm.name}: held out ${figures.heldOut!.toFixed(4)}, from noise ${figures.fromNoise!.toFixed(4)}`;
      progress.emit({ kind: 'log', level: 'info', message: shown });
    } else {
      results.get(arm.name)!.push(JSON.parse(new TextDecoder().decode(kept)) as RunFigures);
    }
    done += sizes.steps;
  }
}
progress.finish();
console.log(comparisonTable(results));

/** Results of other sizes must not be taken for these. */
async function keepSettings(): Promise<void> {
  const settings = JSON.parse(JSON.stringify({ ...sizes, data: values.data })) as object;
  const kept = await folder.read('settings.json');
  if (kept === null) return folder.write('settings.json', JSON.stringify(settings));
  if (isDeepStrictEqual(JSON.parse(new TextDecoder().decode(kept)), settings)) return;
  throw new BadInputError({
    code: 'other-settings',
    message: `expected ${values.out} to hold runs of these settings, but it holds others`,
    hint: 'name another folder, or the settings in its settings.json',
  });
}
