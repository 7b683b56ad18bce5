// Trains the network that reads the face's picture, on patches made worse and mirrored. A batch shows several faces of every
// person. The first of what is read are values; of the rest only differences between a person's faces count, so that what
// their brows and lips look like at rest need not be told from what they do.

import type { HeadModel } from '../../src/head/index.ts';
import { createParameterSet, type Weights } from '../../src/nn/index.ts';
import {
  add,
  createRandom,
  type Device,
  div,
  input,
  mean,
  mul,
  type Random,
  reshape,
  slice,
  square,
  sub,
  type Tensor,
  type Value,
} from '../../src/tensor/index.ts';
import {
  createLandmarkPlaces,
  expressionNetwork,
  normalisePatch,
} from '../../src/tracking/expression-network.ts';
import { FACE_PATCH_SIZE } from '../../src/tracking/face-patch.ts';
import { movingNames, readingLength, TURN_TARGETS, targetNames } from '../../src/tracking/learned-prior.ts';
import { createFaceMirror, mirroredPatch } from '../../src/tracking/mirrored-face.ts';
import { averagedWeights, Trainer, updateAt } from '../../src/training/index.ts';
import { isHeldOut, readTargets, type Sample, surfaceOf } from './dataset.ts';
import { worsenedPatch } from './worsening.ts';

const PEOPLE = 8;
const FACES = 4;
const BATCH = PEOPLE * FACES;
const SEED = 11;
const OPTIMISER = { weightDecay: 0.05, clipNorm: 1 };
const SCHEDULE = { batch: BATCH, ...OPTIMISER, warmupSteps: 100, emaDecay: 0.999 };
/** From nothing, and of a network that has learned before. */
const LEARNING_RATES = { fresh: 2e-3, further: 1.5e-3 };
const PATCH_SHAPE = [1, FACE_PATCH_SIZE, FACE_PATCH_SIZE] as const;

/** Noise of the landmarks, over what `createLandmarkPlaces` blows up. */
const PLACE_NOISE = 0.06;

/** Units that hardly occur are not blown up to count as much as others. */
const LEAST_SCALE = 0.02;
/** What an error of the turn is measured by, radians: its spread is ten times as large. */
const TURN_SCALE = 0.03;
/**
 * Brows and gaze count more: they move little of the picture. The identity counts less: there are few people beside so many
 * pictures.
 */
const WEIGHTS: readonly (readonly [targets: RegExp, weight: number])[] = [
  [/^brow/, 2],
  [/^gaze/, 3],
  [/^identity/, 0.5],
];

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
    /** A network that has learned before. */
    readonly start?: Weights;
    /** Where it is not the usual one. */
    readonly learningRate?: number;
    readonly onProgress: (line: string, weights: Weights) => Promise<void>;
  },
): Promise<void> {
  const { steps, start, onProgress } = options;
  const usualRate = LEARNING_RATES[start === undefined ? 'fresh' : 'further'];
  const { learningRate = usualRate } = options;
  const model = surfaceOf(head);
  const mirror = createFaceMirror(model);
  const placesOf = createLandmarkPlaces(model, mirror);
  const people = examplesByPerson(
    samples.filter((sample) => !isHeldOut(sample)),
    placesOf,
  );
  const examples = people.flat();
  const names = targetNames(head);
  const [count, moving] = [names.length, movingNames(head).length];
  const scales = Float32Array.from(names, (name, t) => {
    if ((TURN_TARGETS as readonly string[]).includes(name)) return TURN_SCALE;
    const size = deviationOf(examples.map(({ targets }) => targets[t]!));
    if (size < LEAST_SCALE) return 1;
    const weight = WEIGHTS.find(([pattern]) => pattern.test(name))?.[1] ?? 1;
    return size / Math.sqrt(weight);
  });
  const parameters = createParameterSet();
  const patchesIn = input('patches', [BATCH, ...PATCH_SHAPE]);
  const width = 2 * head.landmarkWeights!.length;
  const landmarksIn = input('landmarks', [BATCH, width]);
  const found = expressionNetwork(parameters.scope, patchesIn, landmarksIn, readingLength(head));
  const targetsIn = input('targets', [BATCH, count]);
  const scalesIn = input('scales', [1, count]);
  const first = (value: Value, end: number): Value => slice(value, { axis: 1, start: 0, end });
  const values = div(sub(first(found, count), targetsIn), scalesIn);
  const differences = slice(found, { axis: 1, start: count, end: count + moving });
  const errors = div(sub(differences, first(targetsIn, moving)), first(scalesIn, moving));
  const apart = reshape(errors, [PEOPLE, FACES, moving]);
  const within = sub(apart, mean(apart, { axes: [1], keepDims: true }));
  const problem = {
    name: 'expression-network',
    loss: add(mean(square(values)), mul(mean(square(within)), FACES / (FACES - 1))),
    trained: parameters.values,
    frozen: {},
    optimiser: OPTIMISER,
  };
  await using trainer = await Trainer.create(device, problem);
  await trainer.begin(Object.entries(start ?? parameters.initialise(SEED)));
  const random = createRandom(SEED);
  const settings = { ...SCHEDULE, learningRate, decaySteps: steps };
  let [total, since] = [0, 0];
  const nextBatch = (): Record<string, Tensor> => {
    const patches = new Float32Array(BATCH * FACE_PATCH_SIZE ** 2);
    const landmarks = new Float32Array(BATCH * width);
    const targets = new Float32Array(BATCH * count);
    for (let p = 0; p < PEOPLE; p++) {
      const faces = random.choose(people);
      const isMirrored = random.uniform() < 0.5;
      const first = random.integer(faces.length);
      for (let f = 0; f < FACES; f++) {
        const { patch, places, targets: own } = faces[(first + f) % faces.length]!;
        const b = p * FACES + f;
        const worse = worsenedPatch(isMirrored ? mirroredPatch(patch) : patch, random);
        normalisePatch(worse, patches, b * FACE_PATCH_SIZE ** 2);
        landmarks.set(trembling(isMirrored ? mirror.places(places) : places, random), b * width);
        targets.set(isMirrored ? mirror.targets(own) : own, b * count);
      }
    }
    return {
      patches: { dtype: 'float32', shape: [BATCH, ...PATCH_SHAPE], data: patches },
      landmarks: { dtype: 'float32', shape: [BATCH, width], data: landmarks },
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

type Example = {
  readonly patch: Uint8Array;
  /** As of `createLandmarkPlaces`. */
  readonly places: Float32Array;
  readonly targets: Float32Array;
};

/** All faces of each person who shows enough of them. */
function examplesByPerson(
  samples: readonly Sample[],
  placesOf: (landmarksPx: ArrayLike<number>) => Float32Array,
): Example[][] {
  const people = new Map<number, Example[]>();
  for (const sample of samples) {
    const faces = people.get(sample.subject) ?? [];
    faces.push({ patch: sample.patch, places: placesOf(sample.landmarksPx), targets: readTargets(sample) });
    people.set(sample.subject, faces);
  }
  return [...people.values()].filter((faces) => faces.length >= FACES);
}

/** Landmarks as another picture of the same face would have them. */
function trembling(places: Float32Array, random: Random): Float32Array {
  const noise = random.fillNormal(new Float32Array(places.length));
  return places.map((value, i) => value + PLACE_NOISE * noise[i]!);
}

function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
