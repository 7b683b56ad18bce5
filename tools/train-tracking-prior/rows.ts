// Samples and their mirror images as rows of inputs and targets, with what passes for each person's neutral face.

import type { HeadModel } from '../../src/head/index.ts';
import { createRandom } from '../../src/tensor/index.ts';
import type { PatchReader } from '../../src/tracking/expression-network.ts';
import { EYE_PATCH } from '../../src/tracking/eye-patch.ts';
import { medianRow, movingNames, priorInputs } from '../../src/tracking/learned-prior.ts';
import { createFaceMirror } from '../../src/tracking/mirrored-face.ts';
import { type DescribedSample, readTargets, surfaceOf } from './dataset.ts';

/** A sample, or its mirror image, as the regression takes it; a picture's inputs are the first of a clip's. */
export type Row = {
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  /** As of the features. */
  readonly yaw: number;
  readonly pitch: number;
};

/** Of how many pictures a neutral face is made: a clip may show one expression most of the time. */
const NEUTRAL_COUNTS = [3, 5, 7, 10];
const NEUTRAL_SEED = 5;

/** For every sample the pictures of the same person whose median passes for the face at rest; itself is one of them. */
export function neutralGroups(
  samples: readonly DescribedSample[],
): Map<DescribedSample, readonly DescribedSample[]> {
  const random = createRandom(NEUTRAL_SEED);
  const bySubject = new Map<number, DescribedSample[]>();
  for (const sample of samples) {
    bySubject.set(sample.subject, [...(bySubject.get(sample.subject) ?? []), sample]);
  }
  return new Map(
    samples.map((sample) => {
      const others = bySubject.get(sample.subject)!.filter((other) => other !== sample);
      const count = random.choose(NEUTRAL_COUNTS) - 1;
      const drawn = others
        .map((other) => ({ other, key: random.uniform() }))
        .sort((a, b) => a.key - b.key)
        .slice(0, count);
      return [sample, [sample, ...drawn.map(({ other }) => other)]];
    }),
  );
}

/** Makes both rows of a sample: itself and its mirror image. */
export function createRowMaker(
  head: HeadModel,
  groups: ReadonlyMap<DescribedSample, readonly DescribedSample[]>,
): (sample: DescribedSample) => [Row, Row] {
  const mirror = createFaceMirror(surfaceOf(head));
  const firstTurn = movingNames(head).length;
  const plane = EYE_PATCH.width * EYE_PATCH.height;
  return (sample) => {
    const { residual, yaw, pitch } = sample.features;
    const neutral = medianRow(groups.get(sample)!.map(({ features }) => features.residual));
    const eyes = new Uint8Array(sample.eyes.length);
    eyes.set(sample.eyes.subarray(plane), 0);
    eyes.set(sample.eyes.subarray(0, plane), plane);
    const features = { residual: mirror.places(residual), yaw: -yaw, pitch };
    const targets = targetsOf(sample, firstTurn);
    return [
      { inputs: priorInputs(sample.features, sample.eyes, neutral), targets, yaw, pitch },
      {
        inputs: priorInputs(features, eyes, mirror.places(neutral)),
        targets: mirror.targets(targets),
        yaw: -yaw,
        pitch,
      },
    ];
  };
}

/** In the order of `targetNames`: turns as what the pose of the features is off by. */
function targetsOf(sample: DescribedSample, firstTurn: number): Float32Array {
  const targets = readTargets(sample);
  const { yaw, pitch } = sample.features;
  targets[firstTurn]! -= yaw;
  targets[firstTurn + 1]! -= pitch;
  return targets;
}

/** What the network reads of every sample and of its mirror image. */
export async function readAll(
  head: HeadModel,
  reader: PatchReader,
  samples: readonly DescribedSample[],
): Promise<Map<DescribedSample, readonly [Float32Array, Float32Array]>> {
  const readings = new Map<DescribedSample, readonly [Float32Array, Float32Array]>();
  const mirror = createFaceMirror(surfaceOf(head));
  for (const sample of samples) {
    const reading = await reader.read(sample.patch, sample.landmarksPx);
    readings.set(sample, [reading, mirror.reading(reading)]);
  }
  return readings;
}
