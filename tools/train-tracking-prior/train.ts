// Fits the prior: how landmarks answer to the head, then its two maps. Landmarks and eyes go through a ridge regression; what
// comes out of it and what the expression network reads are weighed against each other, target by target, on subjects that
// neither has learned from. Every sample also counts mirrored.

import type { HeadModel } from '../../src/head/index.ts';
import { decodeWeights, type Weights } from '../../src/nn/index.ts';
import { type AnyTensor, type Device, encodeSafetensors, toHalf } from '../../src/tensor/index.ts';
import { createPatchReader } from '../../src/tracking/expression-network.ts';
import { plainGains } from '../../src/tracking/kept-amplitude.ts';
import type { LandmarkModel } from '../../src/tracking/landmark-model.ts';
import {
  type LandmarkResponse,
  responseOf,
  responseTensors,
  withResponse,
} from '../../src/tracking/landmark-response.ts';
import {
  gainTensors,
  LEARNED_PRIOR_FORMAT,
  LEARNED_PRIOR_VERSION,
  NETWORK_PREFIX,
  targetNames,
} from '../../src/tracking/learned-prior.ts';
import { describeSamples, isHeldOut, type Sample, surfaceOf } from './dataset.ts';
import { learnResponse } from './landmark-response.ts';
import { solveRidge, sumProducts, type Table } from './ridge.ts';
import { createRowMaker, neutralGroups, type Row } from './rows.ts';
import { weighMaps } from './weigh.ts';

/** A prior's file, and lines for people. */
export type TrainedPrior = { readonly file: Uint8Array<ArrayBuffer>; readonly report: readonly string[] };

/** Fits both maps. */
export async function trainPrior(
  device: Device,
  head: HeadModel,
  observed: readonly Sample[],
  network: Weights,
): Promise<TrainedPrior> {
  const { response, report: landmarkReport } = learnResponse(head, observed);
  const samples = describeSamples(modelWith(head, response), observed);
  const groups = neutralGroups(samples);
  const rowsOf = createRowMaker(head, groups);
  const [seen, unseen] = [false, true].map((held) => samples.filter((s) => isHeldOut(s) === held));
  const rows = unseen!.map(rowsOf);
  const sums = await sumProducts(device, tableOf(seen!.flatMap(rowsOf)));
  await using reader = await createPatchReader(device, surfaceOf(head), network);
  const { tensors, report } = await weighMaps(head, reader, { samples: unseen!, rows, groups }, (_, width) =>
    solveRidge(sums, width),
  );
  const source = `${samples.length} pictures of synthetic subjects, by tools/train-tracking-prior`;
  return {
    file: encodePrior(head, { response, network, maps: tensors, source }),
    report: [...landmarkReport, ...report],
  };
}

/**
 * Weighs the regressions of an earlier prior anew, against another network.
 * @param unseen of people that neither has learned from
 */
export async function reweighPrior(
  device: Device,
  head: HeadModel,
  unseen: readonly Sample[],
  network: Weights,
  earlier: Uint8Array,
): Promise<TrainedPrior> {
  const { weights, metadata } = decodeWeights(earlier, 'the earlier prior');
  const response = responseOf(weights);
  const samples = describeSamples(modelWith(head, response), unseen);
  const groups = neutralGroups(samples);
  await using reader = await createPatchReader(device, surfaceOf(head), network);
  const { tensors, report } = await weighMaps(
    head,
    reader,
    { samples, rows: samples.map(createRowMaker(head, groups)), groups },
    (kind) => ({ weight: weights[`${kind}.weight`]!.data, bias: weights[`${kind}.bias`]!.data }),
  );
  const source = `${metadata.source}; weighed on ${samples.length} others`;
  return { file: encodePrior(head, { response, network, maps: tensors, source }), report };
}

function modelWith(head: HeadModel, response: LandmarkResponse): LandmarkModel {
  return withResponse(surfaceOf(head), response);
}

function tableOf(rows: readonly Row[]): Table {
  return { inputs: rows.map(({ inputs }) => inputs), targets: rows.map(({ targets }) => targets) };
}

function encodePrior(
  head: HeadModel,
  parts: {
    readonly response: LandmarkResponse;
    readonly network: Weights;
    readonly maps: Readonly<Record<string, AnyTensor>>;
    readonly source: string;
  },
): Uint8Array<ArrayBuffer> {
  const tensors: Record<string, AnyTensor> = { ...parts.maps };
  for (const [name, { shape, data }] of Object.entries(parts.network)) {
    tensors[NETWORK_PREFIX + name] = { dtype: 'float16', shape, data: toHalf(data) };
  }
  for (const [name, data] of Object.entries(responseTensors(parts.response))) {
    const width = parts.response.rest.length;
    tensors[name] = { dtype: 'float16', shape: [data.length / width, width], data: toHalf(data) };
  }
  // Until the prior is calibrated.
  for (const [name, data] of Object.entries(gainTensors(plainGains(head.expressionNames.length)))) {
    tensors[name] = { dtype: 'float32', shape: [data.length], data };
  }
  const metadata = {
    format: LEARNED_PRIOR_FORMAT,
    version: LEARNED_PRIOR_VERSION,
    head: head.name,
    targets: targetNames(head).join(' '),
    licence: 'CC0-1.0',
    source: parts.source,
  };
  return encodeSafetensors({ metadata, tensors });
}
