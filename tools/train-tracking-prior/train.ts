// Fits the prior: how landmarks answer to the head, then its two maps. Landmarks and eyes go through a ridge regression; what comes out of it and what the
// expression network reads are weighed against each other, target by target, on subjects that neither has learned
// from. Every sample also counts mirrored. The regressions that are written have seen all subjects.

import type { HeadModel } from '../../src/head/index.ts';
import type { Weights } from '../../src/nn/index.ts';
import {
  type AnyTensor,
  createRandom,
  type Device,
  encodeSafetensors,
  toHalf,
} from '../../src/tensor/index.ts';
import { createPatchReader, type PatchReader } from '../../src/tracking/expression-network.ts';
import { EYE_PATCH } from '../../src/tracking/eye-patch.ts';
import { createLandmarkModel } from '../../src/tracking/landmark-model.ts';
import { responseTensors, withResponse } from '../../src/tracking/landmark-response.ts';
import {
  IDENTITY_TARGETS,
  inputCount,
  LEARNED_PRIOR_FORMAT,
  LEARNED_PRIOR_VERSION,
  medianRow,
  NETWORK_PREFIX,
  priorInputs,
  readingInputs,
  targetNames,
} from '../../src/tracking/learned-prior.ts';
import { amplify, blend, gainFor, type HeldOutRow, judge } from './blend.ts';
import { type DescribedSample, describeSamples, isHeldOut, readTargets, type Sample } from './dataset.ts';
import { learnResponse } from './landmark-response.ts';
import { addSums, solveRidge, sumProducts, type Table } from './ridge.ts';
import { createTargetMirror, landmarkPartners } from './target-mirror.ts';
import { mirroredPatch } from './worsening.ts';

/** A sample, or its mirror image, as the regression takes it; a picture's inputs are the first of a clip's. */
type Row = {
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  /** As of the features. */
  readonly yaw: number;
  readonly pitch: number;
};

/** Of how many pictures a neutral face is made: a clip may show one expression most of the time. */
const NEUTRAL_COUNTS = [3, 5, 7, 10];
const NEUTRAL_SEED = 5;

/** Fits both maps. @returns the bytes of the prior's file, and lines for people */
export async function trainPrior(
  device: Device,
  head: HeadModel,
  observed: readonly Sample[],
  network: Weights,
): Promise<{ readonly file: Uint8Array<ArrayBuffer>; readonly report: readonly string[] }> {
  const names = targetNames(head);
  const { response, report: landmarkReport } = learnResponse(head, observed);
  const model = withResponse(createLandmarkModel(head, head.landmarks!, head.landmarkWeights!), response);
  const samples = describeSamples(model, observed);
  const groups = neutralGroups(samples);
  const rowsOf = createRowMaker(head, groups);
  const [seen, unseen] = [false, true].map((held) => samples.filter((s) => isHeldOut(s) === held));
  const unseenRows = unseen!.map(rowsOf);
  const seenSums = await sumProducts(device, tableOf(seen!.flatMap(rowsOf)));
  const allSums = addSums(seenSums, await sumProducts(device, tableOf(unseenRows.flat())));
  const means = Float64Array.from(names, (_, t) => allSums.sum[allSums.width + t]! / allSums.count);
  await using reader = await createPatchReader(device, network);
  const readings = await readAll(reader, unseen!);
  const readingNeutrals = ([0, 1] as const).map((side) =>
    unseen!.map((sample) => medianRow(groups.get(sample)!.map((other) => readings.get(other)![side]))),
  );

  const report: string[] = [...landmarkReport];
  const tensors: Record<string, AnyTensor> = {};
  for (const kind of ['image', 'clip'] as const) {
    const width = inputCount(head.landmarkWeights!.length, kind === 'clip');
    const held = ([0, 1] as const).flatMap((side) =>
      unseenRows.map((pair, i): HeldOutRow => {
        const { inputs, targets, yaw, pitch } = pair[side];
        const neutral = kind === 'clip' ? readingNeutrals[side]![i]! : null;
        const read = readingInputs({ yaw, pitch }, readings.get(unseen![i]!)![side], neutral);
        return { inputs: inputs.subarray(0, width), read, targets };
      }),
    );
    const trial = solveRidge(seenSums, width);
    const { blended, shares } = blend(trial, held);
    const gains = judge(blended, held, names).slopes.map((slope, t) =>
      t < head.expressionNames.length ? gainFor(slope) : 1,
    );
    const { deviation, lines } = judge(amplify(blended, gains, means), held, names);
    report.push(`${kind}, ${held.length} held-out rows`, ...lines);
    const final = amplify(shares.apply(solveRidge(allSums, width)), gains, means);
    const count = names.length;
    tensors[`${kind}.weight`] = { dtype: 'float16', shape: [count, width], data: toHalf(final.weight) };
    tensors[`${kind}.bias`] = { dtype: 'float32', shape: [count], data: final.bias };
    tensors[`${kind}.shares`] = { dtype: 'float32', shape: [final.shares.length / 2, 2], data: final.shares };
    tensors[`${kind}.deviation`] = { dtype: 'float32', shape: [count], data: deviation };
  }
  for (const [name, { shape, data }] of Object.entries(network)) {
    tensors[NETWORK_PREFIX + name] = { dtype: 'float16', shape, data: toHalf(data) };
  }
  for (const [name, data] of Object.entries(responseTensors(response))) {
    const shape = [data.length / (3 * model.pointCount), 3 * model.pointCount];
    tensors[name] = { dtype: 'float16', shape, data: toHalf(data) };
  }
  const metadata = {
    format: LEARNED_PRIOR_FORMAT,
    version: LEARNED_PRIOR_VERSION,
    head: head.name,
    targets: names.join(' '),
    licence: 'CC0-1.0',
    source: `${samples.length} pictures of synthetic subjects, by tools/train-tracking-prior`,
  };
  return { file: encodeSafetensors({ metadata, tensors }), report };
}

function tableOf(rows: readonly Row[]): Table {
  return { inputs: rows.map(({ inputs }) => inputs), targets: rows.map(({ targets }) => targets) };
}

/** For every sample the pictures of the same person whose median passes for the face at rest; itself is one of them. */
function neutralGroups(
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
function createRowMaker(
  head: HeadModel,
  groups: ReadonlyMap<DescribedSample, readonly DescribedSample[]>,
): (sample: DescribedSample) => [Row, Row] {
  const model = createLandmarkModel(head, head.landmarks!, head.landmarkWeights!);
  const partner = landmarkPartners(model);
  const mirrorTargets = createTargetMirror(head);
  const flip = (residual: Float32Array): Float32Array =>
    Float32Array.from(residual, (_, i) => {
      const value = residual[2 * partner[i >> 1]! + (i % 2)]!;
      return i % 2 === 0 ? -value : value;
    });
  const plane = EYE_PATCH.width * EYE_PATCH.height;
  return (sample) => {
    const { residual, yaw, pitch } = sample.features;
    const neutral = medianRow(groups.get(sample)!.map(({ features }) => features.residual));
    const eyes = new Uint8Array(sample.eyes.length);
    eyes.set(sample.eyes.subarray(plane), 0);
    eyes.set(sample.eyes.subarray(0, plane), plane);
    const features = { residual: flip(residual), yaw: -yaw, pitch };
    const targets = targetsOf(sample);
    return [
      { inputs: priorInputs(sample.features, sample.eyes, neutral), targets, yaw, pitch },
      {
        inputs: priorInputs(features, eyes, flip(neutral)),
        targets: mirrorTargets(targets),
        yaw: -yaw,
        pitch,
      },
    ];
  };
}

/** In the order of `targetNames`: turns as what the pose of the features is off by. */
function targetsOf(sample: DescribedSample): Float32Array {
  const read = readTargets(sample);
  const { yaw, pitch } = sample.features;
  read[read.length - 2]! -= yaw;
  read[read.length - 1]! -= pitch;
  return Float32Array.of(...read, ...sample.identity.subarray(0, IDENTITY_TARGETS));
}

/** What the network reads of every sample and of its mirror image. */
async function readAll(
  reader: PatchReader,
  samples: readonly DescribedSample[],
): Promise<Map<DescribedSample, readonly [Float32Array, Float32Array]>> {
  const readings = new Map<DescribedSample, readonly [Float32Array, Float32Array]>();
  for (const sample of samples) {
    const { patch } = sample;
    readings.set(sample, [await reader.read(patch), await reader.read(mirroredPatch(patch))]);
  }
  return readings;
}
