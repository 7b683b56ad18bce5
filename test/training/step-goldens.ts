// The case of the whole training step, and what PyTorch's autograd gives for it. The script that writes the
// goldens, bench/peers/training_step.py, states the same sizes, inputs and poses.

import { readFile } from 'node:fs/promises';
import type { ModelConfig } from '../../src/denoiser/index.ts';
import { addNoise, createSchedule, minSnrWeight, mixtureAt, velocityOf } from '../../src/diffusion/index.ts';
import { FIELD_PARAMETERS } from '../../src/gaussians/index.ts';
import { frontCamera } from '../../src/geometry/index.ts';
import type { HeadModel } from '../../src/head/index.ts';
import { neutralParameters } from '../../src/head/index.ts';
import type { AnyTensor, Tensor } from '../../src/tensor/index.ts';
import { decodeSafetensors, fromHalf, tensor } from '../../src/tensor/index.ts';
import type { DenoiserTraining, PosedHead } from '../../src/training/index.ts';
import { squareHead } from '../gaussians/square-head.ts';
import { seededInput } from '../stable-diffusion/seeded-weights.ts';

/** The method's own form at small width: a reference network, the field as the only control, no lift. */
export const STEP_MODEL: ModelConfig = {
  size: 32,
  gaussianChannels: 4,
  autoencoder: {
    latentChannels: 4,
    encoder: { fold: 2, widths: [4, 4], blocks: 1, groups: 2 },
    decoder: { fold: 2, widths: [4, 4], sideWidths: [4, 4], blocks: 1 },
  },
  unet: {
    widths: [4, 6],
    heads: [2, 2],
    blocks: 1,
    groups: 2,
    labelWidth: 6,
    feedForwardMultiplier: 2,
    sharesReference: false,
    temporal: { heads: 2, maxFrames: 8 },
    controls: [{ kind: 'gaussian', fold: 1, widths: [4, 4, 6], heads: 2 }],
    liftPriorVariance: null,
  },
  diffusion: { steps: 1000, betaStart: 0.00085, betaEnd: 0.012 },
};

export const FIELD_LEARNING_RATE = 1e-2;
export const STEP_SETTINGS: DenoiserTraining = {
  batch: 4,
  learningRate: 2e-3,
  warmupSteps: 0,
  weightDecay: 1e-2,
  clipNorm: 1,
  emaDecay: 0.9,
  referenceDropout: 0.1,
  liftDropout: 0,
  liftCorruption: 0,
  focusProbability: 0,
  focusSteps: 1,
  gamma: 5,
  headWeight: 0,
  fieldLearningRate: FIELD_LEARNING_RATE,
};

type StepCase = {
  readonly clips: number;
  readonly frames: number;
  readonly timesteps: readonly number[];
  readonly labels: readonly number[];
  readonly referenceLabels: readonly number[];
  readonly keepsReference: readonly number[];
};

/** Both stages; the first one's batch starts at pure noise, and hides one reference. */
export const STEP_CASES: Readonly<Record<'1' | '2', StepCase>> = {
  '1': {
    clips: 4,
    frames: 1,
    timesteps: [999, 620, 250, 40],
    labels: [0, 1, 0, 1],
    referenceLabels: [0, 1, 0, 1],
    keepsReference: [1, 1, 0, 1],
  },
  '2': {
    clips: 1,
    frames: 3,
    timesteps: [700, 700, 700],
    labels: [0, 0, 0],
    referenceLabels: [0],
    keepsReference: [1, 1, 1],
  },
};

/** The square, with about a hundred Gaussians on it; its vertices follow the first joint. */
export function stepHead(): HeadModel {
  const head = squareHead();
  const skinningWeights = new Float32Array(20);
  for (let vertex = 0; vertex < 4; vertex++) skinningWeights[vertex * 5] = 1;
  return { ...head, skinningWeights, uvs: Float32Array.of(0, 0, 0, 0.11, 0.07, 0.11, 0.07, 0) };
}

/** One pose for each picture. */
export function stepPoses(head: HeadModel, pictures: number): PosedHead[] {
  return Array.from({ length: pictures }, (_, i) => {
    const neutral = neutralParameters(head);
    const jointRotations = new Float32Array(neutral.jointRotations.length);
    jointRotations.set([0.19, 0.25 * i - 0.3, 0.07]);
    const translation = Float32Array.of(0.1 * i - 0.15, 0.05 * i, -4);
    const size = STEP_MODEL.size;
    return { head: { ...neutral, jointRotations, translation }, camera: frontCamera(size, size, 40) };
  });
}

/** The raw parameters of the field. */
export function stepField(count: number): Record<string, Tensor> {
  const raw = (name: string, shape: readonly number[], mean: number, deviation: number): Tensor => {
    const { data } = seededInput(name, shape);
    return tensor(
      data.map((x) => mean + deviation * x),
      shape,
    );
  };
  const { features, opacity, scale } = FIELD_PARAMETERS;
  return {
    [features]: raw(features, [count, STEP_MODEL.gaussianChannels], 0, 0.5),
    [opacity]: raw(opacity, [count], -0.5, 0.5),
    [scale]: raw(scale, [count], -2.3, 0.3),
  };
}

/** The inputs of a stage's graph but for the Gaussian map. */
export function stepBatch(name: '1' | '2'): Record<string, AnyTensor> {
  const { clips, timesteps, labels, referenceLabels, keepsReference } = STEP_CASES[name];
  const pictures = timesteps.length;
  const schedule = createSchedule(STEP_MODEL.diffusion);
  const side = 8;
  const each = STEP_MODEL.autoencoder.latentChannels * side * side;
  const shape = [pictures, STEP_MODEL.autoencoder.latentChannels, side, side];
  const { data: clean } = seededInput(`${name}.clean`, shape);
  const { data: noise } = seededInput(`${name}.noise`, shape);
  const [noisy, velocity] = [new Float32Array(clean.length), new Float32Array(clean.length)];
  const weight = new Float32Array(pictures * side * side);
  for (const [i, t] of timesteps.entries()) {
    const at = mixtureAt(schedule, t);
    const part = [i * each, (i + 1) * each] as const;
    const parts = [clean.subarray(...part), noise.subarray(...part)] as const;
    noisy.set(addNoise(...parts, at), i * each);
    velocity.set(velocityOf(...parts, at), i * each);
    weight.fill(minSnrWeight(schedule, t, STEP_SETTINGS.gamma), i * side * side, (i + 1) * side * side);
  }
  const integers = (values: readonly number[]): AnyTensor => ({
    dtype: 'int64',
    shape: [values.length],
    data: BigInt64Array.from(values, BigInt),
  });
  return {
    noisy: tensor(noisy, shape),
    velocity: tensor(velocity, shape),
    weight: tensor(weight, [pictures, 1, side, side]),
    reference: seededInput(`${name}.reference`, shape.with(0, clips)),
    keepsReference: tensor(Float32Array.from(keepsReference), [pictures]),
    timesteps: integers(timesteps),
    labels: integers(labels),
    referenceLabels: integers(referenceLabels),
  };
}

/** What PyTorch gives: the loss, gradients by parameter, and changes after three steps in learning rates. */
export type StepGolden = {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly changes: ReadonlyMap<string, Float32Array>;
};

export async function readStepGolden(name: '1' | '2'): Promise<StepGolden> {
  const file = new URL(`goldens/stage-${name}.safetensors`, import.meta.url);
  const { tensors } = decodeSafetensors(await readFile(file), file.pathname);
  const named = (prefix: string): Map<string, Float32Array> =>
    new Map(
      Object.entries(tensors).flatMap(([key, held]) => {
        if (!key.startsWith(prefix)) return [];
        const data = held.dtype === 'float16' ? fromHalf(held.data) : (held.data as Float32Array);
        return [[key.slice(prefix.length), data] as const];
      }),
    );
  return {
    loss: (tensors.loss!.data as Float32Array)[0]!,
    gradients: named('gradient.'),
    changes: named('change.'),
  };
}
