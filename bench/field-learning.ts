// Whether the Gaussian field learns something that the denoiser cannot do without: two denoisers see the same
// batches, noise and start, one with the field learning through the splatting, one with it frozen at its
// random start. Prints the paired difference of their losses as they go, and both validations at the end.
//
//   npm run -s bench:field-learning -- --data DIR --autoencoder FILE [--steps 300] [--batch 6]
//     [--controls gaussian|all] [--widths 32,64,96] [--heads 0,2,3] [--sheets DIR]
//
// DIR holds training samples, FILE the weights of the autoencoder's stage. `gaussian` steers by the field
// alone, as the paper does; `all` keeps the lifted picture beside it.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BadInputError } from '../src/errors/index.ts';
import { decodeWeights } from '../src/nn/index.ts';
import { createDevice, loadEmbeddedHead, openRunFolder, writeImage } from '../src/node/index.ts';
import type { Configuration, Stage } from '../src/training/index.ts';
import {
  averagedWeights,
  denoiserStage,
  openSamples,
  parseConfiguration,
  Trainer,
  updateAt,
} from '../src/training/index.ts';

const CONFIG = join(import.meta.dirname, '../configs/compact.json');
const REPORT_STEPS = 25;
/** Short runs warm up quickly and learn fast. */
const SHORT_RUN = { warmupSteps: 30, learningRate: 6e-4 };

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    autoencoder: { type: 'string' },
    steps: { type: 'string', default: '300' },
    batch: { type: 'string', default: '6' },
    controls: { type: 'string', default: 'gaussian' },
    widths: { type: 'string', default: '32,64,96' },
    heads: { type: 'string', default: '0,2,3' },
    sheets: { type: 'string' },
  },
});
if (!values.data || !values.autoencoder) {
  throw new BadInputError({
    code: 'arguments',
    message: 'expected --data DIR and --autoencoder FILE',
    hint: 'tools/make-training-data writes the first, `train --stage vae` the second',
  });
}

const configuration = variant(parseConfiguration(await readFile(CONFIG, 'utf8'), CONFIG));
const { training } = configuration;
const device = await createDevice('cpu');
const head = await loadEmbeddedHead();
const samples = await openSamples(openRunFolder(values.data).read, {
  ...training,
  batch: training.stage1.batch,
});
const { weights } = decodeWeights(new Uint8Array(await readFile(values.autoencoder)), values.autoencoder);
const learning = await openArm(training.stage1.fieldLearningRate);
const frozen = await openArm(0);
const steps = Number(values.steps);
let differences: number[] = [];
let losses = { learning: 0, frozen: 0 };
for (let step = 0; step < steps; step++) {
  const batch = await learning.stage.batchAt(step);
  const losing = await takeStep(learning, batch, step);
  const standing = await takeStep(frozen, batch, step);
  differences.push(losing - standing);
  losses = { learning: losses.learning + losing, frozen: losses.frozen + standing };
  if (differences.length < REPORT_STEPS && step + 1 < steps) continue;
  const count = differences.length;
  const difference = average(differences);
  const spread = average(differences.map((value) => (value - difference) ** 2));
  const line = {
    step: step + 1,
    learning: losses.learning / count,
    frozen: losses.frozen / count,
    difference,
    standardError: Math.sqrt(spread / Math.max(1, count - 1)),
  };
  console.log(
    JSON.stringify(line, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)),
  );
  [differences, losses] = [[], { learning: 0, frozen: 0 }];
}
for (const [name, arm] of Object.entries({ learning, frozen })) {
  const { figures, sheet } = await arm.stage.validate(averagedWeights(arm.trainer.state));
  console.log(JSON.stringify({ bench: 'field-learning', field: name, steps, ...figures }));
  if (!values.sheets) continue;
  await mkdir(values.sheets, { recursive: true });
  await writeImage(join(values.sheets, `field-${name}.png`), sheet);
}
await Promise.all([learning, frozen].map(({ trainer }) => trainer[Symbol.asyncDispose]()));

type Arm = { readonly stage: Stage; readonly trainer: Trainer };

/** A small denoiser, so that both arms get through enough steps. */
function variant(base: Configuration): Configuration {
  const numbers = (list: string): number[] => list.split(',').map(Number);
  const [widths, heads] = [numbers(values.widths), numbers(values.heads)];
  const onlyGaussian = values.controls === 'gaussian';
  const { unet } = base.model;
  const controls = unet.controls
    .filter(({ kind }) => !onlyGaussian || kind === 'gaussian')
    .map((control) => ({ ...control, widths: control.widths.with(-1, widths[0]!) }));
  const liftPriorVariance = onlyGaussian ? null : unet.liftPriorVariance;
  return {
    model: { ...base.model, unet: { ...unet, widths, heads, controls, liftPriorVariance } },
    training: {
      ...base.training,
      stage1: { ...base.training.stage1, ...SHORT_RUN, batch: Number(values.batch) },
    },
  };
}

async function openArm(fieldLearningRate: number): Promise<Arm> {
  const stage1 = { ...training.stage1, fieldLearningRate };
  const own = { ...configuration, training: { ...training, stage1 } };
  const stage = await denoiserStage({ configuration: own, samples, device, head, name: '1', weights });
  const trainer = await Trainer.create(device, stage.problem);
  await trainer.begin(stage.initialWeights());
  return { stage, trainer };
}

/** One step as the training loop takes it; returns the loss. */
async function takeStep(
  { stage, trainer }: Arm,
  batch: Awaited<ReturnType<Stage['batchAt']>>,
  step: number,
): Promise<number> {
  const feeds = stage.complete?.(batch, step) ?? batch;
  const outputs = await trainer.step(feeds, updateAt(step, stage.settings));
  stage.learn?.(outputs, step);
  return outputs.loss!.data[0]!;
}

function average(list: readonly number[]): number {
  return list.reduce((total, value) => total + value, 0) / list.length;
}
