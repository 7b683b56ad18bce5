// What `train --data` names: a folder of training samples, a dataset, or a mixture of datasets; said in one line where it
// is none of them.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DATASET_FILE, type Dataset, type DatasetFolder, openDataset } from '../dataset/index.ts';
import { BadInputError, MissingResourceError } from '../errors/index.ts';
import type { HeadTrack } from '../head/index.ts';
import { type MixtureSource, parseMixture, SAMPLE_INDEX_FILE } from '../training/index.ts';
import { datasetFolder } from './dataset-folder.ts';

/** A dataset that samples are drawn from. */
export type DataSource = {
  /** As a mixture names it. */
  readonly name: string;
  readonly folder: string;
  /** How often it comes beside the others, above 0. */
  readonly weight: number;
};

/** Samples that are made already, or the datasets that they are to be made from. */
export type TrainingData =
  | { readonly kind: 'samples' }
  | { readonly kind: 'datasets'; readonly sources: readonly DataSource[] };

/**
 * Looks at what a path names.
 * @param weightOf the stage's column of a mixture
 * @throws MissingResourceError `no-training-data`; BadInputError `not-training-data`, `bad-mixture`, `empty-mixture`
 */
export async function findTrainingData(path: string, weightOf: 'stage1' | 'stage2'): Promise<TrainingData> {
  const found = await stat(path).catch(() => null);
  if (found === null) {
    throw new MissingResourceError({
      code: 'no-training-data',
      message: `Expected training data at ${path}, but there is nothing of the name.`,
      hint: 'Check the path.',
    });
  }
  if (!found.isDirectory()) return { kind: 'datasets', sources: await mixedSources(path, weightOf) };
  if (existsSync(join(path, DATASET_FILE))) {
    return { kind: 'datasets', sources: [{ name: basename(resolve(path)), folder: path, weight: 1 }] };
  }
  if (existsSync(join(path, SAMPLE_INDEX_FILE))) return { kind: 'samples' };
  throw new BadInputError({
    code: 'not-training-data',
    message: `Expected ${path} to be a dataset or a folder of training samples, but it has neither ${DATASET_FILE} nor ${SAMPLE_INDEX_FILE}.`,
    hint: 'Name a folder that synthesize or dataset import wrote, or a mixture of such folders.',
  });
}

async function mixedSources(path: string, weightOf: 'stage1' | 'stage2'): Promise<DataSource[]> {
  const listed: readonly MixtureSource[] = parseMixture(await readFile(path, 'utf8'), path);
  const sources = listed
    .map((source) => ({
      name: source.folder,
      folder: join(dirname(path), source.folder),
      weight: source[weightOf],
    }))
    .filter(({ weight }) => weight > 0);
  if (sources.length > 0) return sources;
  throw new BadInputError({
    code: 'empty-mixture',
    message: `Expected a dataset of ${path} to have a ${weightOf} above 0, but all ${listed.length} have 0.`,
    hint: 'Give those that this stage should learn from a weight.',
  });
}

/** A source whose indices are read. */
export type OpenSource = DataSource & { readonly dataset: Dataset };

/**
 * Opens a dataset for training. Of lifted portraits only the photographs are shown: they are the answers, and what was lifted is
 * made anew on the way to a sample. @throws as `openDataset`
 */
export async function openLessons(folder: DatasetFolder): Promise<Dataset> {
  const dataset = await openDataset(folder);
  if (dataset.header.request.command !== 'dataset lift') return dataset;
  return {
    ...dataset,
    async open(place) {
      const clip = await dataset.open(place);
      const track = async (): Promise<HeadTrack | null> => {
        const held = await clip.track();
        // The photograph comes first.
        const confidence = held?.confidence.map((value, frame) => (frame === 0 ? value : 0));
        return held && { ...held, confidence: confidence! };
      };
      return { ...clip, track };
    },
  };
}

/** Reads a source's indices. @throws as `openDataset`, and BadInputError `sample-head` where its tracks are of another head */
export async function openSource(source: DataSource, headName: string): Promise<OpenSource> {
  const dataset = await openLessons(datasetFolder(source.folder));
  const own = dataset.header.headName;
  if (own === null || own === headName) return { ...source, dataset };
  throw new BadInputError({
    code: 'sample-head',
    message: `Expected tracks of the head ${headName}, but ${source.folder} has tracks of ${own}.`,
    hint: 'Import it again with the head that training uses.',
  });
}

/** What tells a dataset's clips from others: changes with any of their bytes. */
export function contentDigest({ clips }: Dataset): string {
  const hash = createHash('sha256');
  for (const { key, crc32, split, isTracked } of clips)
    hash.update(`${key} ${crc32} ${split} ${isTracked}\n`);
  return hash.digest('hex');
}
