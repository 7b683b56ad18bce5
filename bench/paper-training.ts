// How much memory a training step of the paper's scale takes, beside what `stepBytes` says before it starts.
//   npx tsx bench/paper-training.ts [--cases 0,1,2]    cases 6 to 9 take up to 13 GB
// Random weights at narrow widths of SD 1.5's shape. Each case runs two steps in a process of its own; measured is the
// peak of its resident memory above what it held before it made the weights.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createDevice } from '../src/node/index.ts';
import { declareParameters, latentShape } from '../src/stable-diffusion/index.ts';
import { type AnyTensor, createRandom, elementCount, type Tensor } from '../src/tensor/index.ts';
import {
  type DenoiserTraining,
  learnsAtStage,
  type PaperConfiguration,
  paperConfigurationSchema,
  paperProblem,
  stepBytes,
  Trainer,
  updateAt,
} from '../src/training/index.ts';

type Case = {
  readonly stage: '1' | '2';
  readonly widths: readonly number[];
  /** Side of the pictures, pixels. */
  readonly size: number;
  readonly batch: number;
  readonly frames: number;
  readonly recomputesBlocks: boolean;
  readonly quantisesMoments?: boolean;
};
type Outcome = { readonly plannedBytes: number; readonly measuredBytes: number; readonly seconds: number };

const [NARROW, MIDDLE, WIDE, HALF] = [
  [32, 64, 128, 128],
  [64, 128, 256, 256],
  [128, 256, 512, 512],
  // Half of SD 1.5's.
  [160, 320, 640, 640],
] as const;
const CASES: readonly Case[] = [
  { stage: '1', widths: NARROW, size: 256, batch: 2, frames: 1, recomputesBlocks: false },
  { stage: '1', widths: NARROW, size: 256, batch: 2, frames: 1, recomputesBlocks: true },
  { stage: '1', widths: MIDDLE, size: 256, batch: 1, frames: 1, recomputesBlocks: false },
  { stage: '1', widths: MIDDLE, size: 256, batch: 1, frames: 1, recomputesBlocks: true },
  { stage: '2', widths: NARROW, size: 128, batch: 1, frames: 8, recomputesBlocks: false },
  { stage: '2', widths: NARROW, size: 128, batch: 1, frames: 8, recomputesBlocks: true },
  { stage: '1', widths: HALF, size: 256, batch: 1, frames: 1, recomputesBlocks: true },
  {
    ...{ stage: '1', widths: HALF, size: 256, batch: 1, frames: 1 },
    recomputesBlocks: true,
    quantisesMoments: true,
  },
  {
    ...{ stage: '1', widths: WIDE, size: 512, batch: 1, frames: 1 },
    recomputesBlocks: true,
    quantisesMoments: true,
  },
  { stage: '1', widths: NARROW, size: 512, batch: 1, frames: 1, recomputesBlocks: true },
];
/** What takes minutes and up to 10 GB has to be asked for. */
const USUAL_CASES = 6;

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: [...CASES.keys()].slice(0, USUAL_CASES).join() },
    child: { type: 'string' },
  },
});

function configurationOf({ widths, size, batch, recomputesBlocks, quantisesMoments = false }: Case): {
  model: PaperConfiguration['model'];
  settings: DenoiserTraining;
} {
  const paper = readFileSync(new URL('../configs/paper.json', import.meta.url), 'utf8');
  const { model, training } = paperConfigurationSchema.parse(JSON.parse(paper));
  return {
    model: { ...model, size, unet: { ...model.unet, widths: [...widths] } },
    settings: { ...training.stage1, batch, recomputesBlocks, quantisesMoments, microBatches: 1 },
  };
}

/** Two steps on noise. */
async function measure(one: Case): Promise<Outcome> {
  const { model, settings } = configurationOf(one);
  const { stage: name, frames, batch } = one;
  const device = await createDevice('cpu');
  const heldBefore = process.memoryUsage().rss;
  const random = createRandom(1);
  const { initialise } = declareParameters(model);
  const weights = initialise(1, (key) => !key.startsWith('vae.') && !learnsAtStage(name, key));
  const { problem } = paperProblem({ model, settings, name, frames, weights });
  const pictures = batch * frames;
  const noise = (shape: readonly number[]): Tensor => ({
    dtype: 'float32',
    shape,
    data: random.fillNormal(new Float32Array(elementCount(shape))),
  });
  const filled = (value: bigint, length: number): AnyTensor => ({
    dtype: 'int64',
    shape: [length],
    data: new BigInt64Array(length).fill(value),
  });
  const feeds = {
    noisy: noise(latentShape(model, pictures)),
    velocity: noise(latentShape(model, pictures)),
    reference: noise(latentShape(model, batch)),
    gaussian: noise([pictures, model.gaussianChannels, model.size, model.size]),
    weight: noise([pictures, 1, ...latentShape(model, 1).slice(2)]),
    keepsReference: noise([pictures]),
    timesteps: filled(500n, pictures),
    labels: filled(0n, pictures),
    referenceLabels: filled(0n, batch),
  };
  await using trainer = await Trainer.create(device, problem);
  // One at a time, as the stage gives them.
  await trainer.begin(
    (function* () {
      for (const key of problem.trained.keys())
        yield [key, initialise(1, (one) => one === key)[key]!] as const;
    })(),
  );
  const began = process.cpuUsage();
  for (let step = 0; step < 2; step++) await trainer.step(feeds, updateAt(step, settings));
  const { user, system } = process.cpuUsage(began);
  const measuredBytes = process.resourceUsage().maxRSS * 1024 - heldBefore;
  return { plannedBytes: stepBytes(problem), measuredBytes, seconds: (user + system) / 2e6 };
}

if (options.child !== undefined) {
  console.log(JSON.stringify(await measure(CASES[Number(options.child)]!)));
} else {
  const outcomes: (Case & Outcome)[] = [];
  for (const index of options.cases.split(',')) {
    const words = ['--import', 'tsx', fileURLToPath(import.meta.url), '--child', index];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`case ${index} failed: ${stderr}`);
    const one = { ...CASES[Number(index)]!, ...(JSON.parse(stdout.trim().split('\n').at(-1)!) as Outcome) };
    const ratio = (one.plannedBytes / one.measuredBytes).toFixed(2);
    const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
    console.log(
      `stage ${one.stage}, ${one.widths.join('-')}, ${one.size} px, ${one.batch} x ${one.frames}, ${one.recomputesBlocks ? 'recomputed' : 'kept'}${one.quantisesMoments === true ? ', moments in 8 bits' : ''}: planned ${megabytes(one.plannedBytes)}, measured ${megabytes(one.measuredBytes)}, ratio ${ratio}, ${one.seconds.toFixed(1)} s of processor time a step`,
    );
    outcomes.push(one);
  }
  console.log(JSON.stringify({ benchmark: 'paper-training', outcomes }));
}
