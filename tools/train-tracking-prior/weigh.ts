// The maps of a prior from its regressions of the landmarks and from what the network reads: both are weighed against each
// other on people that neither has learned from.

import { meanOf } from '../../src/evaluation/statistics.ts';
import type { HeadModel } from '../../src/head/index.ts';
import type { AnyTensor } from '../../src/tensor/index.ts';
import { toHalf } from '../../src/tensor/index.ts';
import type { PatchReader } from '../../src/tracking/expression-network.ts';
import {
  AGREEMENT_TENSOR,
  applyPriorMap,
  inputCount,
  medianRow,
  movingNames,
  READING_TERMS,
  readingInputs,
  TURN_TARGETS,
  targetNames,
} from '../../src/tracking/learned-prior.ts';
import { amplify, blend, gainFor, type HeldOutRow, judge } from './blend.ts';
import type { DescribedSample } from './dataset.ts';
import { identityAgreement } from './identity-agreement.ts';
import type { LinearMap } from './ridge.ts';
import { type Row, readAll } from './rows.ts';

/** For one picture, and for one of a clip whose neutral face is known. */
export const MAP_KINDS = ['image', 'clip'] as const;
export type MapKind = (typeof MAP_KINDS)[number];

/** Rows that nothing was learned from: of every sample itself and its mirror image. */
export type UnseenRows = {
  readonly samples: readonly DescribedSample[];
  readonly rows: readonly (readonly [Row, Row])[];
  readonly groups: ReadonlyMap<DescribedSample, readonly DescribedSample[]>;
};

/**
 * Weighs both maps.
 * @param regression of the landmarks; it has seen none of the rows
 * @returns tensors of the prior's file, and lines for people
 */
export async function weighMaps(
  head: HeadModel,
  reader: PatchReader,
  { samples, rows, groups }: UnseenRows,
  regression: (kind: MapKind, width: number) => LinearMap,
): Promise<{ readonly tensors: Record<string, AnyTensor>; readonly report: readonly string[] }> {
  const names = targetNames(head);
  const moving = movingNames(head).length;
  const firstIdentity = moving + TURN_TARGETS.length;
  const readings = await readAll(head, reader, samples);
  const neutrals = ([0, 1] as const).map((side) =>
    samples.map((sample) => medianRow(groups.get(sample)!.map((other) => readings.get(other)![side]))),
  );
  const means = Float64Array.from(names, (_, t) =>
    meanOf(rows.flatMap((pair) => pair.map(({ targets }) => targets[t]!))),
  );
  const report: string[] = [];
  const tensors: Record<string, AnyTensor> = {};
  for (const kind of MAP_KINDS) {
    const width = inputCount(head.landmarkWeights!.length, kind === 'clip');
    const held = ([0, 1] as const).flatMap((side) =>
      rows.map((pair, i): HeldOutRow => {
        const { inputs, targets, yaw, pitch } = pair[side];
        const neutral = kind === 'clip' ? neutrals[side]![i]! : null;
        const read = readingInputs({ yaw, pitch }, readings.get(samples[i]!)![side], neutral, moving);
        return { inputs: inputs.subarray(0, width), read, targets };
      }),
    );
    const blended = blend(regression(kind, width), held);
    const gains = judge(blended, held, names).slopes.map((slope, t) =>
      t < head.expressionNames.length ? gainFor(slope) : 1,
    );
    const map = amplify(blended, gains, means);
    const { deviation, lines } = judge(map, held, names);
    report.push(`${kind}, ${held.length} held-out rows`, ...lines);
    const count = names.length;
    const shareShape = [map.shares.length / READING_TERMS, READING_TERMS];
    tensors[`${kind}.weight`] = { dtype: 'float16', shape: [count, width], data: toHalf(map.weight) };
    tensors[`${kind}.bias`] = { dtype: 'float32', shape: [count], data: map.bias };
    tensors[`${kind}.shares`] = { dtype: 'float32', shape: shareShape, data: map.shares };
    tensors[`${kind}.deviation`] = { dtype: 'float32', shape: [count], data: deviation };
    if (kind === 'clip') continue;
    const people = samples.map(({ subject }) => subject);
    const found = held.map(({ inputs, read }) => applyPriorMap(map, inputs, read, [firstIdentity, count]));
    const agreement = identityAgreement([...people, ...people.map((person) => -1 - person)], found);
    tensors[AGREEMENT_TENSOR] = { dtype: 'float32', shape: [agreement.length], data: agreement };
    report.push(`  identity: pictures of one person agree to ${meanOf([...agreement]).toFixed(2)}`);
  }
  return { tensors, report };
}
