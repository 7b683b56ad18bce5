// Trains the tracker's prior on synthetic subjects, in steps that can be run one by one:
//
//   npx tsx tools/train-tracking-prior/main.ts render --out DIR [--subjects 640] [--views 10] [--yaw 55]
//     [--assets DIR] [--part 0/2]
//   npx tsx tools/train-tracking-prior/main.ts observe --out DIR [--samples FILE] [--part 0/2]
//     (writes DIR.samples, or FILE)
//   npx tsx tools/train-tracking-prior/main.ts learn --samples FILE[,FILE...] --network FILE [--steps 8000]
//     [--start FILE] [--learning-rate 0.0015]     (an earlier network, or the prior that holds one)
//   npx tsx tools/train-tracking-prior/main.ts train --samples FILE[,FILE...] --network FILE [--prior FILE]
//   npx tsx tools/train-tracking-prior/main.ts reweigh --samples FILE[,FILE...] --network FILE [--prior FILE] [--held-out]
//     (keeps what an earlier prior makes of the landmarks; the samples are of people that neither has learned from, or
//     with --held-out those of them are taken that both left out)
//   npx tsx tools/train-tracking-prior/main.ts calibrate --out DIR [--clips 24] [--prior FILE] [--assets DIR[,DIR...]]
//     (clips wear them in turn; `none` is a folder of nothing)

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodeWeights, encodeWeights, type Weights } from '../../src/nn/index.ts';
import { createDevice, loadEmbeddedHead, readAssetFolder } from '../../src/node/index.ts';
import { type AssetLibrary, createRenderTools } from '../../src/synthesis/index.ts';
import { NETWORK_PREFIX } from '../../src/tracking/learned-prior.ts';
import { calibratePrior } from './calibrate.ts';
import { isHeldOut, readSamples } from './dataset.ts';
import { learnNetwork } from './learn-network.ts';
import { observeSubjects } from './observe.ts';
import { renderSubjects } from './render.ts';
import { reweighPrior, trainPrior } from './train.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'out/tracking-prior' },
    subjects: { type: 'string', default: '640' },
    views: { type: 'string', default: '10' },
    yaw: { type: 'string', default: '55' },
    part: { type: 'string', default: '0/1' },
    assets: { type: 'string' },
    samples: { type: 'string' },
    prior: {
      type: 'string',
      default: join(import.meta.dirname, '../../models/tracking/expression-prior.safetensors'),
    },
    network: { type: 'string', default: 'out/expression-network.safetensors' },
    steps: { type: 'string', default: '8000' },
    clips: { type: 'string', default: '24' },
    start: { type: 'string' },
    'learning-rate': { type: 'string' },
    'held-out': { type: 'boolean', default: false },
    nice: { type: 'string', default: '10' },
    'first-seed': { type: 'string', default: '200000' },
  },
});
setPriority(Number(values.nice));
const head = await loadEmbeddedHead();
const step = positionals[0];
const [part, parts] = values.part.split('/').map(Number) as [number, number];
const sampleFile = values.samples ?? `${values.out}.samples`;
if (step === 'render') {
  const assets = values.assets ? (await readAssetFolder(values.assets, head)).library : null;
  // Apart from the faces that the avatar trains on.
  const firstSeed = Number(values['first-seed']);
  const seeds = Array.from({ length: Number(values.subjects) }, (_, i) => firstSeed + i).filter(
    (seed) => seed % parts === part,
  );
  const [views, yawDegrees] = [Number(values.views), Number(values.yaw)];
  await renderSubjects(head, { folder: values.out, seeds, views, yawDegrees, assets });
} else if (step === 'observe') {
  await writeFile(sampleFile, await observeSubjects(values.out, [part, parts]));
} else if (step === 'learn') {
  const samples = await readSamples(sampleFile.split(','));
  const save = (weights: Weights) =>
    writeFile(values.network, encodeWeights(weights, { dtype: 'float32', metadata: {} }));
  const device = await createDevice('cpu');
  const start = values.start === undefined ? {} : { start: await readNetwork(values.start) };
  const rate = values['learning-rate'];
  await learnNetwork(device, head, samples, {
    steps: Number(values.steps),
    ...start,
    ...(rate === undefined ? {} : { learningRate: Number(rate) }),
    async onProgress(line, weights) {
      console.log(line);
      await save(weights);
    },
  });
} else if (step === 'train' || step === 'reweigh') {
  const samples = await readSamples(sampleFile.split(','));
  const weights = await readNetwork(values.network);
  const device = await createDevice('cpu');
  const { file, report } =
    step === 'train'
      ? await trainPrior(device, head, samples, weights)
      : await reweighPrior(
          device,
          head,
          values['held-out'] ? samples.filter(isHeldOut) : samples,
          weights,
          new Uint8Array(await readFile(values.prior)),
        );
  for (const line of report) console.log(line);
  await mkdir(dirname(values.prior), { recursive: true });
  await writeFile(values.prior, file);
} else if (step === 'calibrate') {
  const folders = (values.assets ?? 'none').split(',');
  const libraries = new Map<string, AssetLibrary | null>([['none', null]]);
  for (const folder of folders) {
    if (!libraries.has(folder)) libraries.set(folder, (await readAssetFolder(folder, head)).library);
  }
  const wardrobes = folders.map((folder) => libraries.get(folder) ?? null);
  const clips = Number(values.clips);
  const options = { folder: values.out, clips, tools: createRenderTools(head), wardrobes };
  const prior = new Uint8Array(await readFile(values.prior));
  const { file, report } = await calibratePrior(await createDevice('cpu'), head, prior, options);
  for (const line of report) console.log(line);
  await writeFile(values.prior, file);
} else {
  throw new RangeError(`expected render, observe, learn, train, reweigh or calibrate, got ${step}`);
}

/** The network of its own file, or of a prior. */
async function readNetwork(file: string): Promise<Weights> {
  const { weights } = decodeWeights(new Uint8Array(await readFile(file)), file);
  const inPrior = Object.entries(weights).filter(([name]) => name.startsWith(NETWORK_PREFIX));
  if (inPrior.length === 0) return weights;
  return Object.fromEntries(inPrior.map(([name, weight]) => [name.slice(NETWORK_PREFIX.length), weight]));
}
