// Trains the network that reads the face's picture, on patches made worse and mirrored.

import type { HeadModel } from '../../src/head/index.ts';
import { createParameterSet, type Weights } from '../../src/nn/index.ts';
import {
  createRandom,
  type Device,
  div,
  input,
  mean,
  square,
  sub,
  type Tensor,
} from '../../src/tensor/index.ts';
import { expressionNetwork, normalisePatch } from '../../src/tracking/expression-network.ts';
import { FACE_PATCH_SIZE } from '../../src/tracking/face-patch.ts';
import { averagedWeights, Trainer, updateAt } from '../../src/training/index.ts';
import { isHeldOut, readTargets, type Sample } from './dataset.ts';
import { createTargetMirror } from './target-mirror.ts';
import { mirroredPatch, worsenedPatch } from './worsening.ts';

const BATCH = 64;
const SEED = 11;
const OPTIMISER = { weightDecay: 0.05, clipNorm: 1 };
const SCHEDULE = { batch: BATCH, ...OPTIMISER, learningRate: 3e-3, warmupSteps: 100, emaDecay: 0.998 };
const PATCH_SHAPE = [1, FACE_PATCH_SIZE, FACE_PATCH_SIZE] as const;

/** Units that hardly occur are not blown up to count as much as others. */
const LEAST_SCALE = 0.02;

/**
 * Fits the network to all samples but the held-out ones.
 * @param options.onProgress called now and then, with the averaged weights so far; they are views that change
 */
export async function learnNetwork(
  device: Device,
  head: HeadModel,
  samples: readonly Sample[],
  options: {
    readonly steps: number;
    readonly onProgress: (line: string, weights: Weights) => Promise<void>;
  },
): Promise<void> {
  const { steps, onProgress } = options;
  const mirror = createTargetMirror(head);
  const examples = samples
    .filter((sample) => !isHeldOut(sample))
    .map((sample) => ({ patch: sample.patch, targets: readTargets(sample) }));
  const count = examples[0]!.targets.length;
  const scales = Float32Array.from({ length: count }, (_, t) => {
    const size = deviationOf(examples.map(({ targets }) => targets[t]!));
    return size < LEAST_SCALE ? 1 : size;
  });
  const parameters = createParameterSet();
  const found = expressionNetwork(parameters.scope, input('patches', [BATCH, ...PATCH_SHAPE]), count);
  const error = div(sub(found, input('targets', [BATCH, count])), input('scales', [1, count]));
  const problem = {
    name: 'expression-network',
    loss: mean(square(error)),
    trained: parameters.values,
    frozen: {},
    optimiser: OPTIMISER,
  };
  await using trainer = await Trainer.create(device, problem);
  await trainer.begin(Object.entries(parameters.initialise(SEED)));
  const random = createRandom(SEED);
  const settings = { ...SCHEDULE, decaySteps: steps };
  let [total, since] = [0, 0];
  const nextBatch = (): Record<string, Tensor> => {
    const patches = new Float32Array(BATCH * FACE_PATCH_SIZE ** 2);
    const targets = new Float32Array(BATCH * count);
    for (let b = 0; b < BATCH; b++) {
      const example = examples[Math.floor(random.uniform() * examples.length)]!;
      const isMirrored = random.uniform() < 0.5;
      const worse = worsenedPatch(isMirrored ? mirroredPatch(example.patch) : example.patch, random);
      normalisePatch(worse, patches, b * FACE_PATCH_SIZE ** 2);
      targets.set(isMirrored ? mirror(example.targets) : example.targets, b * count);
    }
    return {
      patches: { dtype: 'float32', shape: [BATCH, ...PATCH_SHAPE], data: patches },
      targets: { dtype: 'float32', shape: [BATCH, count], data: targets },
      scales: { dtype: 'float32', shape: [1, count], data: scales },
    };
  };
  let batch = nextBatch();
  for (let step = 0; step < steps; step++) {
    const running = trainer.step(batch, updateAt(step, settings));
    // While the step runs.
    batch = nextBatch();
    const { loss } = await running;
    total += loss!.data[0]!;
    since++;
    if ((step + 1) % 250 === 0 || step + 1 === steps) {
      const mean = (total / since).toFixed(4);
      await onProgress(`step ${step + 1} of ${steps}: loss ${mean}`, averagedWeights(trainer.state));
      [total, since] = [0, 0];
    }
  }
}

function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
